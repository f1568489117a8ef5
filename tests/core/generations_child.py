"""What the crash tests of `core.generations` run in a process of its own."""

import itertools
import json
import os
import resource
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from core.errors import DiskFull  # noqa: E402
from core.generation_folder import UnreadableGeneration, read_folder  # noqa: E402
from core.generations import GenerationStore  # noqa: E402


def model(number, size):
    arrays = {"weights": {f"layer.{i}/weight": np.full(size, number, np.float32)
                          for i in range(4)},
              "optimizer": {"mean_square/layer": np.full(size, number, np.float32)}}
    return arrays, {"iteration": number}


def numbers_in(generation):
    arrays = [a for named in generation.arrays.values() for a in named.values()]
    return sorted({float(n) for a in arrays for n in np.unique(a)}
                  | {float(generation.state["iteration"])})


def save_forever(folder):
    """Saves numbered models without end; says each number when its save has returned."""
    store = GenerationStore(folder)
    generation = store.load()
    first = generation.state["iteration"] + 1 if generation else 1
    for number in itertools.count(first):
        store.save(*model(number, 100_000))
        print(number, flush=True)


def hold_lock(folder):
    with GenerationStore(folder).lock():
        print("locked", flush=True)
        sys.stdin.read()


def files_under(folder):
    return {str(path.relative_to(folder)): path.read_bytes().hex()[:2000]
            for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "LOCK"}


def no_room(folder, big, before_big, after_big):
    """Saves two small models, then one without room, then a small one; prints what happened."""
    store = GenerationStore(folder)
    for number in (1, 2):
        store.save(*model(number, 10_000))
    result = {"before": files_under(folder), "error": None}
    before_big()
    try:
        store.save(*model(3, big))
    except DiskFull as error:
        result |= {"error": "DiskFull", "message": str(error), "errno": error.__cause__.errno}
    result["after"] = files_under(folder)
    fresh = GenerationStore(folder)
    result |= {"loaded": numbers_in(fresh.load()), "problems": fresh.problems}
    after_big()
    store.save(*model(4, 10_000))
    result["saved_when_there_is_room"] = numbers_in(fresh.load())
    print(json.dumps(result))


def full_disk(folder):
    no_room(folder, 2_000_000, lambda: None, lambda: None)


def size_limit(folder):
    unlimited = resource.RLIM_INFINITY
    no_room(folder, 200_000,
            lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, unlimited)),
            lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (unlimited, unlimited)))


# Raised by the interpreter before it opens, renames, makes, lists or removes a file.
FILE_EVENTS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate",
               "os.listdir", "os.scandir", "shutil.rmtree"}


def save_and_die(folder, last_operation):
    """In a forked child: dies without any clean-up just before its n-th file operation."""
    process = os.fork()
    if process == 0:
        count = itertools.count()

        def die(event, arguments):
            if event in FILE_EVENTS and next(count) == last_operation:
                os._exit(9)

        store = GenerationStore(folder)
        sys.addaudithook(die)
        store.save(*model(5, 100))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def is_damaged(folder, number):
    try:
        read_folder(folder / f"gen-{number:06d}")
    except UnreadableGeneration:
        return True
    return False


def crash_everywhere(folder):
    """Kills the fifth save before each of its file operations, in a fresh folder each time."""
    result = {"loaded": [], "problems": [], "damaged": [], "leftovers": []}
    exit_code, operation = 9, 0
    while exit_code == 9:
        store = GenerationStore(folder / f"{operation}")
        for number in (1, 2, 3, 4):
            store.save(*model(number, 100))
        exit_code = save_and_die(store.folder, operation)
        numbers = numbers_in(store.load())
        result["loaded"].append(int(numbers[0]) if len(numbers) == 1 else -1)
        result["problems"] += store.problems
        result["damaged"] += [n for n in store.numbers() if is_damaged(store.folder, n)]
        store.save(*model(6, 100))  # the next save cleans up and works
        assert numbers_in(store.load()) == [6.0]
        result["leftovers"] += [n for n in os.listdir(store.folder) if n.startswith(".")]
        operation += 1
    assert exit_code == 0
    print(json.dumps(result))


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]))
