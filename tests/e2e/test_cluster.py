"""Extraction on a real Dask cluster, one of whose workers is killed in the middle."""

import json
import shutil
import threading
import time

from core.paths import image_paths
from mainscripts.extraction import job
from tests.cluster import dask_cluster
from tests.commands import run


def items(journal):
    return [json.loads(line)["item"] for line in journal.read_text().splitlines()[1:]]


def test_a_killed_worker_loses_nothing_and_repeats_nothing(
        frames_workspace, extracted, monkeypatch):
    monkeypatch.setattr(job, "CHUNK_SIZE", 2)
    data = frames_workspace.path("data_src")
    output = data / "aligned"
    for number in range(13, 37):
        shutil.copy(data / f"{(number - 1) % 12 + 1:05d}.png", data / f"{number:05d}.png")
    with dask_cluster(2) as (address, workers):
        done_before = []
        killer = threading.Thread(target=lambda: done_before.append(
            kill_after(workers[0], output / "found.jsonl", 4)))
        killer.start()
        outcome = run(*frames_workspace.extract_words("src"), "--scheduler", address)
        killer.join()
        assert workers[0].poll() is not None and workers[1].poll() is None
    assert outcome.code == 0 and outcome.event("extraction")["done_now"] == 36
    assert done_before[0] < 36, "the worker was killed too late"
    names = [f"{number:05d}.png" for number in range(1, 37)]
    assert sorted(items(output / "found.jsonl")) == names  # each once
    assert sorted(items(output / "extraction.jsonl")) == names
    faces = {path.name: path.read_bytes() for path in image_paths(output)}
    assert sorted(faces) == [f"{number:05d}_0.jpg" for number in range(1, 37)]
    for path in image_paths(extracted.path("data_src/aligned")):
        assert faces[path.name] == path.read_bytes()  # as one process makes them
    again = run(*frames_workspace.extract_words("src"))
    assert again.event("extraction")["done_now"] == 0


def kill_after(worker, journal, n_done):
    """Kills a worker when the journal has so many items; returns how many there are then."""
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        if journal.exists() and journal.read_bytes().count(b"\n") > n_done:
            worker.kill()
            return journal.read_bytes().count(b"\n") - 1
        time.sleep(0.01)
    raise AssertionError("nothing was noted")
