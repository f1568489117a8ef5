"""Kills trainings (-9) at random moments of training and saving, and looks at what is left.

    python -m tests.chaos.kill_training --kills 200

Every training is the real command with a small model that saves after every iteration, makes
backups, and goes on where the one before was killed. After each kill the model must load at the
last complete generation, without any fallback; all that was said to be saved must be in it; other
generations, backups, options, faces and a second model must be whole.

The trainings are forked from this process, which has imported everything but never used
TensorFlow; that saves most of their start. Prints one JSON line.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import main as command_line
from benchmarks.sampler import write_faceset
from core.generation_folder import read_folder
from core.generations import GenerationStore
from mainscripts.training import saving
from models.store import ModelStore
from tests.models import example

EARLY_SHARE = 0.15  # of the kills: before the first save of a run
LONGEST_EARLY = 8.0  # seconds from the start
LONGEST_LIFE = 1.5  # seconds from the first save on
PATIENCE = 300.0  # seconds for a start on a busy machine
BACKUP_SECONDS = 0.5  # an "hour" here
KNOWN_FILES = {"CURRENT", "LOCK", "options.toml", "backups", "status.json", "preview.png",
               "preview_tiny.png", "preview_tiny_masked.png", "history"}


class Killed(NamedTuple):
    """What a killed training had said: iterations of its saves and backups."""

    saved: list[int]
    backups: list[int]


class Playground:
    """A folder with faces, a model that is trained and killed, and another one that is not."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for seed, side in enumerate(("src", "dst")):
            write_faceset(folder / side, 6, 64, seed)
        self.words = ["train", "--src-dir", str(folder / "src"), "--dst-dir", str(folder / "dst"),
                      "--model-dir", str(folder / "model"), *example.FLAGS, "--json",
                      "--save-minutes", "0", "--autobackup-hours", "1"]

    def train(self, *words: str) -> int:
        """Starts a training; gives its process and the end of the pipe on which it reports."""
        reading, writing = os.pipe()
        process = os.fork()
        if process:
            os.close(writing)
            self.process, self.reports = process, os.fdopen(reading)
            return process
        os.dup2(writing, sys.stdout.fileno())
        saving.HOUR = BACKUP_SECONDS
        code = command_line.main([*self.words, *words])
        sys.stdout.flush()
        os._exit(code)

    def store(self, name: str = "new") -> ModelStore:
        return ModelStore(self.folder / "model", example.KIND, name)

    def untouchable(self) -> dict[str, str]:
        """Name -> checksum of all files that a training of "new" has no business with."""
        own = self.store().folder
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest()
                for path in sorted(self.folder.rglob("*"))
                if path.is_file() and own not in path.parents and path.name != "LOCK"}


def run_and_kill(ground: Playground, rng: random.Random, number: int) -> Killed:
    """One training, killed at a random moment."""
    with_views = ("--preview", "file" if number % 4 == 0 else "none")
    process = ground.train(*with_views)
    said: list[dict] = []
    if rng.random() < EARLY_SHARE:
        time.sleep(rng.uniform(0, LONGEST_EARLY))
    else:
        signal.alarm(int(PATIENCE))
        for line in ground.reports:
            said.append(json.loads(line))
            if said[-1]["event"] in ("saved", "error"):
                break
        signal.alarm(0)
        time.sleep(rng.uniform(0, LONGEST_LIFE))
    os.kill(process, signal.SIGKILL)
    rest = ground.reports.read()
    _, status = os.waitpid(process, 0)
    # A line may be cut by the kill; what is whole was said after the work had been done.
    said += [json.loads(line) for line in rest.splitlines(keepends=True) if line.endswith("\n")]
    assert os.WIFSIGNALED(status), f"training ended by itself: {said[-1:]}"
    return Killed(*([event["iteration"] for event in said if event["event"] == kind]
                    for kind in ("saved", "backup")))


class Inspector:
    """Looks at what kills left, and counts where they struck."""

    def __init__(self, ground: Playground):
        self._ground, self._untouched = ground, ground.untouchable()
        self._iteration, self._backups = 0, 0
        self.struck: Counter[str] = Counter()

    def look(self, killed: Killed) -> None:
        """Raises AssertionError for anything that is not as it should be."""
        store = self._ground.store()
        names = set(os.listdir(store.folder)) if store.folder.is_dir() else set()
        parts = {name for name in names if name.startswith(".part-")}
        others = {name for name in names - parts if not name.startswith("gen-")}
        assert others <= KNOWN_FILES, others - KNOWN_FILES
        self._look_at_model(store, killed)
        self._look_at_backups(store)
        assert self._ground.untouchable() == self._untouched, "something else was touched"
        in_backup = (store.folder / "backups/.part-new").exists()
        self.struck["saving" if parts else "backup" if in_backup else
                    "training" if killed.saved else "starting"] += 1

    def _look_at_model(self, store: ModelStore, killed: Killed) -> None:
        saved = store.load()
        assert store.generations.problems == [], store.generations.problems
        if saved is None:
            assert self._iteration == 0 and not killed.saved, "a model vanished"
            return
        reached, least = saved.progress.iteration, max([self._iteration, *killed.saved])
        assert least <= reached <= least + 1, f"at {reached}, told of {least}"
        assert len(saved.progress.history) == reached
        assert saved.arrays["generator_optimizer"]["step"] == reached, "files of two saves"
        assert saved.progress.positions == {"src": 2 * reached, "dst": 2 * reached}
        for number in store.generations.numbers():
            read_folder(store.folder / f"gen-{number:06d}")
        self._iteration = reached

    def _look_at_backups(self, store: ModelStore) -> None:
        numbers = store.backups.numbers()
        assert len(numbers) >= self._backups, "a backup vanished"
        for number in numbers:
            backup = GenerationStore(store.backups.folder / f"{number:02d}")
            assert backup.load() is not None and backup.problems == []
        self._backups = len(numbers)


def end_well(ground: Playground) -> int:
    """A last training that ends by itself; it must leave nothing unfinished behind."""
    target = (ground.store().load().progress.iteration or 0) + 2
    process = ground.train("--target-iteration", str(target), "--preview", "none")
    ground.reports.read()
    _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    store = ground.store()
    assert store.load().progress.iteration == target
    assert not [name for name in os.listdir(store.folder) if name.startswith(".part-new")]
    return target


def main(words: Sequence[str] | None = None) -> None:
    """Runs the kills."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.kill_training",
                                     description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="kept afterwards; default: a temporary one")
    arguments = parser.parse_args(words)
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="facelab-chaos-"))
    rng, start = random.Random(arguments.seed), time.monotonic()
    ground = Playground(folder)
    process = ground.train("--name", "other", "--target-iteration", "2", "--preview", "none")
    ground.reports.read()
    assert os.waitpid(process, 0)[1] == 0
    inspector = Inspector(ground)
    for number in range(arguments.kills):
        inspector.look(run_and_kill(ground, rng, number))
        if sys.stderr.isatty():
            print(f"\r{number + 1}/{arguments.kills} {dict(inspector.struck)}", end="",
                  file=sys.stderr, flush=True)
    iterations = end_well(ground)
    print(json.dumps({"kills": arguments.kills, "struck": inspector.struck,
                      "iterations": iterations, "seconds": round(time.monotonic() - start)}))
    if arguments.folder is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
