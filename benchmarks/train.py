"""Times the training step, in turns with a plain graph step of the same model.

    python -m benchmarks.train
    python -m benchmarks.train --resolution 64 --e-dims 32 --d-dims 32 --batch-size 8

Prints JSON. Targets: ratio to the plain step at most 0.75. The plain step stands in for the
reference program on the same machine (see `benchmarks/plain_step.py`).
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np

from benchmarks.command import make_parser, print_report
from benchmarks.machine import PeakMemory, Turns, reference_figures, run_in_turns
from core.options import add_arguments, given, resolve
from models.quick96.options import Quick96Options
from models.side import Side


def measure_steps(options: Quick96Options, rounds: int) -> dict:
    """Seconds of our step and of the plain one, their ratio, and our peak memory."""
    from benchmarks.plain_step import plain_step
    from models.quick96.model import Quick96Model

    arrays = _random_batches(options)
    batches = {side: dict(zip(("warped", "target", "mask"), arrays[start:start + 3]))
               for side, start in ((Side.SRC, 0), (Side.DST, 3))}
    with PeakMemory() as peak:
        start = time.perf_counter()
        model = Quick96Model(options)
        model.train_step(1, batches)
        first = time.perf_counter() - start
        model.train_step(2, batches)
    other = Quick96Model(replace(options, xla=False))
    plain = plain_step(other.network, learning_rate=options.learning_rate,
                       dropout=options.lr_dropout)
    turns: Turns = run_in_turns(
        lambda: model.train_step(1, batches),
        lambda: [loss.numpy() for loss in plain(*arrays)], rounds)
    return {
        "parameters": model.network.n_parameters(),
        "seconds_per_iteration": round(turns.a.seconds, 4),
        "cpu_seconds_per_iteration": round(turns.a.cpu_seconds, 4),
        "images_per_second": round(2 * options.batch_size / turns.a.seconds, 1),
        "seconds_until_first_iteration": round(first, 1),
        "peak_memory_mb": round(peak.n_bytes / 2**20),
        "plain_seconds_per_iteration": round(turns.b.seconds, 4),
        "plain_cpu_seconds_per_iteration": round(turns.b.cpu_seconds, 4),
        "ratio_to_plain": round(turns.ratio, 3),
        "cpu_ratio_to_plain": round(turns.cpu_ratio, 3),
    }


def _random_batches(options: Quick96Options) -> list[np.ndarray]:
    """Input, face and mask of src, then of dst."""
    rng = np.random.default_rng(0)
    side = options.resolution
    return [rng.random((options.batch_size, side, side, channels), np.float32)
            for channels in (3, 3, 1) * 2]


def run(arguments: argparse.Namespace) -> dict:
    """Measures the step with the options of the command line."""
    options = resolve(Quick96Options, given=given(arguments, Quick96Options))
    return {"options": asdict(options), **measure_steps(options, arguments.rounds),
            "reference": reference_figures()["quick96_train"]}


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line; the model's options have their usual defaults."""
    parser = make_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="rounds of both steps (default: 7)")
    add_arguments(parser, Quick96Options)
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Runs the benchmark and prints its report."""
    print_report(parse(words), run)


if __name__ == "__main__":
    main()
