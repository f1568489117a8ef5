"""Measures the peak memory of training steps beside the estimate that `train` shows before.

    python -m benchmarks.memory                     the table of docs/training.md
    python -m benchmarks.memory --only 0 3          some of its rows

Each row trains some iterations in a process of its own on random faces and prints a line of the
table as soon as it is known. Memory does not depend on how busy the machine is.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence

import numpy as np

from benchmarks.machine import ROOT
from core.options import resolve
from models.options import TrainingOptions
from models.registry import MODELS, options_type

N_STEPS = 4
CHANNELS = {"warped": 3, "target": 3, "mask": 1, "eyes_mouth": 1}
ROWS: tuple[tuple[str, dict[str, str]], ...] = (
    ("Quick96", {"batch_size": "4"}),
    ("Quick96", {"batch_size": "16"}),
    ("Quick96", {"batch_size": "4", "xla": "n"}),
    ("SAEHD", {"archi": "df-ud", "batch_size": "4"}),
    ("SAEHD", {"archi": "liae-ud", "batch_size": "4"}),
    ("SAEHD", {"archi": "liae-ud", "batch_size": "8", "e_dims": "32", "d_dims": "32"}),
    ("SAEHD", {"archi": "df", "resolution": "96", "batch_size": "8", "e_dims": "32",
               "d_dims": "32", "gan_power": "0.1"}),
    ("SAEHD", {"archi": "df-ud", "batch_size": "8", "e_dims": "32", "d_dims": "32",
               "accumulate": "4"}),
    ("SAEHD", {"archi": "df-ud", "batch_size": "16", "e_dims": "32", "d_dims": "32",
               "recompute": "y"}),
    ("SAEHD", {"archi": "df-ud", "batch_size": "8", "e_dims": "32", "d_dims": "32", "xla": "n"}),
    ("AMP", {"resolution": "128", "batch_size": "4", "inter_dims": "256", "e_dims": "32",
             "d_dims": "32"}),
)
"""Kind of model and what differs from its defaults."""


def options_of(kind: str, changes: dict[str, str]) -> TrainingOptions:
    """The options of a row."""
    return resolve(options_type(kind), given=changes)


def measure(kind: str, changes: dict[str, str]) -> dict[str, float]:
    """Trains some iterations in this process; gives estimated and measured bytes."""
    from models.memory import estimate, peak_of_process
    from models.side import Side

    options = options_of(kind, changes)
    model = MODELS.load(kind)(options)
    rng = np.random.default_rng(0)
    shape = options.batch_size, options.resolution, options.resolution
    for iteration in range(1, N_STEPS + 1):
        model.train_step(iteration, {
            side: {name: rng.integers(0, 256, (*shape, CHANNELS[name]), np.uint8)
                   for name in model.recipe(side).outputs} for side in Side})
    return {"estimated": estimate(options).total, "measured": peak_of_process()}


def measured_in_child(number: int) -> dict[str, float]:
    """The same in a process of its own.

    Raises:
        subprocess.CalledProcessError: It failed.
    """
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.memory", "--child", str(number)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def table_row(number: int, found: dict[str, float]) -> str:
    """One line of the Markdown table."""
    kind, changes = ROWS[number]
    words = ", ".join(f"{name} {value}" for name, value in changes.items())
    share = found["estimated"] / found["measured"] - 1
    return (f"| {kind} | {words} | {found['estimated'] / 2**20:,.0f} | "
            f"{found['measured'] / 2**20:,.0f} | {share:+.0%} |")


def main(words: Sequence[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory",
                                     description=__doc__.splitlines()[0])
    parser.add_argument("--only", type=int, nargs="*", default=range(len(ROWS)), metavar="ROW")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args(words)
    if arguments.child is not None:
        print(json.dumps(measure(*ROWS[arguments.child])))
        return
    print("| model | options | estimated MB | measured MB | off by |\n|---|---|---|---|---|")
    for number in arguments.only:
        print(table_row(number, measured_in_child(number)), flush=True)


if __name__ == "__main__":
    main()
