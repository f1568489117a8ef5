"""Times training steps, each in turns with a plain graph step of the same model.

    python -m benchmarks.train --models all
    python -m benchmarks.train --models quick96 df --resolutions 96 --extras none gan

Prints JSON. The plain step stands in for the reference program on the same machine (see
`benchmarks/plain_step.py`). Every row is measured in processes of its own, so that its memory and
its first iteration, both from the start of the process, are those of this model alone: one process
that compiles the step, and one that loads what the first has compiled, as every later run of a
training does.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import psutil

from benchmarks.command import make_parser, print_report
from benchmarks.machine import (
    ROOT,
    PeakMemory,
    Turns,
    measure,
    quiet_tensorflow,
    reference_figures,
    run_in_turns,
)
from leras.compiled_cache import keep_compiled

if TYPE_CHECKING:
    from models.base import SwapModel
    from models.side import Side
    from samplelib.sampler import Batch

ARCHITECTURES = {"df": "df", "df-ud": "df-ud", "liae-ud": "liae-ud", "liae-udt": "liae-udt",
                 "quick96": "df-ud"}
SIZES = MappingProxyType({
    "small": {"ae_dims": 128, "e_dims": 32, "d_dims": 32, "d_mask_dims": 16},
    "big": {"ae_dims": 256, "e_dims": 64, "d_dims": 64, "d_mask_dims": 22},
    "tiny": {"ae_dims": 32, "e_dims": 16, "d_dims": 16, "d_mask_dims": 4},
})
EXTRAS = MappingProxyType({
    "none": {}, "gan": {"gan_power": 0.1}, "true-face": {"true_face_power": 0.01}})
SIDE = 1024  # of the matrix product that the steps are compared with


@dataclass(frozen=True)
class Row:
    """One measured configuration.

    Args:
        model: A key of ARCHITECTURES.
        resolution: Side of the faces.
        extras: A key of EXTRAS.
        size: A key of SIZES; Quick96 has its own unless tiny.
        batch_size: Faces of each side.
    """

    model: str
    resolution: int
    extras: str
    size: str
    batch_size: int


def rows(arguments: argparse.Namespace) -> list[Row]:
    """What the command line asks for; Quick96 knows no extras."""
    names = list(ARCHITECTURES) if "all" in arguments.models else arguments.models
    return [Row(name, resolution, extras, arguments.size, arguments.batch_size)
            for name in names for resolution in arguments.resolutions
            for extras in arguments.extras if name != "quick96" or extras == "none"]


def build_model(row: Row, *, xla: bool = True):
    """The model with the options of a row, all others as usual."""
    from models.quick96.model import Quick96Model
    from models.quick96.options import Quick96Options
    from models.saehd.model import SAEHDModel
    from models.saehd.options import SAEHDOptions

    common = {"resolution": row.resolution, "batch_size": row.batch_size, "xla": xla}
    if row.model == "quick96":
        sizes = SIZES["tiny"] if row.size == "tiny" else {}
        return Quick96Model(Quick96Options(**common, **sizes))
    return SAEHDModel(SAEHDOptions(**common, archi=ARCHITECTURES[row.model], **SIZES[row.size],
                                   **EXTRAS[row.extras]))


def random_batches(row: Row) -> dict:
    """Side -> output -> (N, R, R, C) uint8; the masks are ellipses."""
    from models.inputs import CHANNELS
    from models.side import Side

    rng = np.random.default_rng(0)
    across = np.linspace(-1, 1, row.resolution)
    mask = np.uint8(255 * (across[:, np.newaxis]**2 + across**2 < 0.3))
    shape = (row.batch_size, row.resolution, row.resolution)
    return {side: {name: np.broadcast_to(mask[..., np.newaxis], (*shape, 1)).copy()
                   if name == "mask" else rng.integers(0, 256, (*shape, CHANNELS[name]), np.uint8)
                   for name in ("warped", "target", "mask")} for side in Side}


class Start(NamedTuple):
    """How a training begins.

    Args:
        seconds: From the start of the process to the end of the first iteration.
        peak_mb: Resident memory of the process until after the third iteration.
    """

    seconds: float
    peak_mb: int


def start_row(row: Row) -> "tuple[SwapModel, Mapping[Side, Batch], Start]":
    """Trains three iterations in this process, which should have done nothing before."""
    with PeakMemory() as peak:
        model = build_model(row)
        batches = random_batches(row)
        model.train_step(1, batches)
        seconds = time.time() - psutil.Process().create_time()
        for _ in range(2):
            model.train_step(1, batches)
    return model, batches, Start(round(seconds, 1), round(peak.n_bytes / 2**20))


def measure_row(row: Row, rounds: int) -> dict[str, Any]:
    """Measures one configuration in this process, which should have done nothing before."""
    model, batches, start = start_row(row)
    from benchmarks.plain_step import PlainStep  # only now: the memory is the model's alone

    plain = PlainStep(model)
    before = product_rate()
    turns = run_in_turns(lambda: model.train_step(1, batches), lambda: plain.step(batches), rounds)
    products = [max(rates) for rates in zip(before, product_rate())]
    return {"start": start, **times(row, turns), **speeds(turns, plain.gflop(batches), products)}


def times(row: Row, turns: Turns) -> dict[str, float]:
    """Of an iteration, beside the plain step's."""
    return {
        "seconds_per_iteration": round(turns.a.seconds, 4),
        "cpu_seconds_per_iteration": round(turns.a.cpu_seconds, 4),
        "images_per_second": round(2 * row.batch_size / turns.a.seconds, 1),
        "plain_seconds_per_iteration": round(turns.b.seconds, 4),
        "plain_cpu_seconds_per_iteration": round(turns.b.cpu_seconds, 4),
        "ratio_to_plain": round(turns.ratio, 3),
        "cpu_ratio_to_plain": round(turns.cpu_ratio, 3),
    }


def starts(row: Row, compiling: Start, loading: Start) -> dict[str, float]:
    """Both starts of a row, beside the reference's recorded memory if there is one."""
    found = {"seconds_until_first_iteration": compiling.seconds,
             "seconds_until_first_iteration_loading": loading.seconds,
             "peak_memory_mb": compiling.peak_mb, "peak_memory_mb_loading": loading.peak_mb}
    reference = reference_memory(row)
    if reference is not None:
        found |= {"reference_memory_mb": reference,
                  "memory_by_reference": round(compiling.peak_mb / reference, 3),
                  "memory_by_reference_loading": round(loading.peak_mb / reference, 3)}
    return found


def speeds(turns: Turns, gflop: float, products: Sequence[float]) -> dict[str, float]:
    """The effective speed, and its share of a matrix product's, by the clock and by CPU time.

    Args:
        turns: Of the row.
        gflop: Billions of operations of a step by direct convolutions.
        products: Billions of operations per second of the matrix product, by both.
    """
    rates = gflop / turns.a.seconds, gflop / turns.a.cpu_seconds
    return {"gflop_per_iteration": round(gflop, 1), "gflops": round(rates[0], 1),
            "sgemm_gflops": round(products[0], 1),
            "share_of_sgemm": round(rates[0] / products[0], 3),
            "cpu_share_of_sgemm": round(rates[1] / products[1], 3)}


def reference_memory(row: Row) -> int | None:
    """MB that the reference took for this model, where that was measured."""
    figures = reference_figures()
    if row.extras != "none" or row.batch_size != 4 or row.size == "tiny":
        return None
    if row.model == "quick96":
        return figures["quick96_train"]["peak_rss_mb_tree"] if row.resolution == 96 else None
    known = figures["saehd_train"]["rows"].get(f"{row.size}_{row.resolution}_{row.model}")
    return known and known["peak_rss_mb"]


def product_rate(runs: int = 15) -> tuple[float, float]:
    """GFLOP/s of the fastest float32 matrix product of some, per second and per CPU second."""
    import tensorflow as tf

    matrix = tf.random.normal((SIDE, SIDE))
    product = tf.function(lambda x: x @ x)
    product(matrix)
    usages = [measure(lambda: product(matrix).numpy()) for _ in range(runs)]
    work = 2 * SIDE**3 / 1e9
    return (work / min(usage.seconds for usage in usages),
            work / min(usage.cpu_seconds for usage in usages))


def measure_apart(row: Row, rounds: int) -> dict[str, Any]:
    """`start_row`, then `measure_row`, each in a process of its own.

    Raises:
        subprocess.CalledProcessError: One failed; its errors went to stderr.
    """
    with tempfile.TemporaryDirectory() as compiled:
        compiling, measured = (
            _run_apart(["--one", json.dumps(vars(row)), "--compiled", compiled, *words])
            for words in (["--rounds", "0"], ["--rounds", str(rounds)]))
    start = Start(*measured.pop("start"))
    return measured | starts(row, Start(*compiling["start"]), start)


def _run_apart(words: Sequence[str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.train", *words]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def run(arguments: argparse.Namespace) -> Mapping[str, Any]:
    """Measures every row of the command line."""
    reference = reference_figures()
    return {"rows": [{**vars(row), **measure_apart(row, arguments.rounds)}
                     for row in rows(arguments)],
            "reference": {name: reference[name] for name in ("quick96_train", "saehd_train")}}


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = make_parser(__doc__)
    parser.add_argument("--models", nargs="+", choices=["all", *ARCHITECTURES], default=["all"],
                        help="which (default: all)")
    parser.add_argument("--resolutions", nargs="+", type=int, default=[96, 128],
                        help="sides of the faces (default: 96 128)")
    parser.add_argument("--extras", nargs="+", choices=EXTRAS, default=list(EXTRAS),
                        help="discriminators (default: each of them, and none)")
    parser.add_argument("--size", choices=SIZES, default="small",
                        help="widths of the networks, but Quick96's (default: small)")
    parser.add_argument("--batch-size", type=int, default=4, help="faces of each side (default: 4)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of both steps (default: 3)")
    # Of the processes that this one starts; without rounds, only the start is measured.
    parser.add_argument("--one", type=json.loads, metavar="JSON", help=argparse.SUPPRESS)
    parser.add_argument("--compiled", type=Path, metavar="DIR", help=argparse.SUPPRESS)
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Runs the benchmark and prints its report."""
    arguments = parse(words)
    if arguments.one is None:
        print_report(arguments, run)
    else:
        quiet_tensorflow()
        keep_compiled(arguments.compiled)
        row = Row(**arguments.one)
        print(json.dumps(measure_row(row, arguments.rounds) if arguments.rounds
                         else {"start": start_row(row)[-1]}))


if __name__ == "__main__":
    main()
