"""Commands as processes of their own, stopped politely and killed."""

import json
import os
import shutil
import signal
import time

import pytest

from core.imaging.io import read_image
from core.paths import image_paths
from models.store import ModelStore
from samplelib.faceset import load_faceset
from tests.commands import finish, lines_until, run, start
from tests.models.tiny import FLAGS

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


def n_lines(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


def kill_when(child, journal, n_done):
    """Kills a child (-9) as soon as its journal notes that many items."""
    deadline = time.monotonic() + 120
    while n_lines(journal) < 1 + n_done:
        assert child.poll() is None and time.monotonic() < deadline, child.communicate()
        time.sleep(0.001)
    child.kill()
    child.communicate()
    assert child.returncode == -signal.SIGKILL


def journal_items(path):
    return [json.loads(line)["item"] for line in path.read_text().splitlines()[1:]]


def more_frames(workspace, side, n):
    """Copies the frames of a side until there are n."""
    data = workspace.path(f"data_{side}")
    frames = image_paths(data)
    for number in range(len(frames), n):
        shutil.copy(frames[number % len(frames)], data / f"{number + 1:05d}.png")


def test_ctrl_c_ends_a_training_with_a_saved_generation_from_which_it_goes_on(faces_workspace):
    words = [*faces_workspace.train_words(), *FLAGS]
    child = start(*words)
    events = lines_until(child, lambda event: event["event"] == "progress" and event["done"] >= 3)
    child.send_signal(signal.SIGINT)
    outcome = finish(child, events)
    assert outcome.code == 130
    assert outcome.error() == "interrupted; run the command again to go on"
    store = ModelStore(faces_workspace.path("model"), "Quick96", "new")
    first = store.require().progress
    assert first.iteration >= 3
    assert outcome.event("saved")["iteration"] == first.iteration
    outcome = run(*words, "--target-iteration", first.iteration + 2)
    assert outcome.code == 0
    second = store.require().progress
    assert second.iteration == len(second.history) == first.iteration + 2
    n = first.iteration
    assert second.history.column("src")[:n].tolist() == first.history.column("src").tolist()
    assert second.seconds > first.seconds


def test_a_killed_extraction_is_completed_without_doing_anything_twice(frames_workspace):
    more_frames(frames_workspace, "src", 40)
    output = frames_workspace.path("data_src/aligned")
    journal = output / "extraction.jsonl"
    kill_when(start(*frames_workspace.extract_words("src")), journal, 9)
    done = n_lines(journal) - 1
    outcome = run(*frames_workspace.extract_words("src"))
    assert outcome.code == 0
    assert outcome.event("extraction")["done_now"] == 40 - done
    assert sorted(journal_items(journal)) == [f"{number:05d}.png" for number in range(1, 41)]
    faces = load_faceset(output)
    assert [face.path.name for face in faces.faces] == [
        f"{number:05d}_0.jpg" for number in range(1, 41)]
    assert faces.skipped == ()
    assert all(read_image(face.path).shape == (256, 256, 3) for face in faces.faces)


def test_a_killed_merge_is_completed_without_doing_anything_twice(workspace):
    journal = workspace.path("data_dst/merged/merge.jsonl")
    kill_when(start(*workspace.merge_words()), journal, 2)
    done = n_lines(journal) - 1
    assert done < 12, "the merge was too fast to be killed"
    outcome = run(*workspace.merge_words())
    assert outcome.code == 0
    assert outcome.event("merging")["done_now"] == 12 - done
    assert outcome.event("merging")["merged"] == 12
    names = [f"{number:05d}.png" for number in range(1, 13)]
    assert sorted(journal_items(journal)) == names
    for folder in ("merged", "merged_mask"):
        paths = image_paths(workspace.path(f"data_dst/{folder}"))
        assert [path.name for path in paths] == names
        assert all(read_image(path).shape == (270, 480, 3) for path in paths)
