"""Times the training step, in turns with a plain graph step of the same model.

    python -m benchmarks.train
    python -m benchmarks.train --resolution 64 --e-dims 32 --d-dims 32 --batch-size 8

Prints JSON. Targets: ratio to the plain step at most 0.75. The plain step stands in for the
reference program on the same machine (see `benchmarks/plain_step.py`).
"""

import argparse
import json
import os
import time
from dataclasses import asdict, replace

import numpy as np

from benchmarks.machine import PeakMemory, Turns, calibrate, reference_figures, run_in_turns
from core.options import add_arguments, given, resolve
from models.quick96.options import Quick96Options
from models.side import Side


def main() -> None:
    """Prints the figures."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="rounds of both steps (default: 7)")
    add_arguments(parser, Quick96Options)
    arguments = parser.parse_args()
    options = resolve(Quick96Options, given=given(arguments, Quick96Options))
    before = calibrate()
    figures = measure_steps(options, arguments.rounds)
    after = calibrate()
    reference = reference_figures()["quick96_train"]
    print(json.dumps({"options": asdict(options), **figures, "machine": [before, after],
                      "reference": reference}, indent=1))


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


if __name__ == "__main__":
    main()
