"""How fast this machine is, and how to time things on it fairly.

    python -m benchmarks.machine        prints the machine's figures as JSON

A time is made comparable between machines by multiplying it with the matching figure of the same
machine in the same minutes: `seconds * conv_gflops` for networks, `seconds * warp_mpix` for image
work. Machines are shared and drift, so two versions are compared in turns (`run_in_turns`).
"""

import json
import logging
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil

from core.native_log import quiet_import
from main import NATIVE_LOG_LEVELS

ROOT = Path(__file__).resolve().parents[1]
REFERENCE_PATH = Path(__file__).with_name("reference.json")


def reference_figures() -> dict[str, Any]:
    """The timings of the reference program; their units and conditions stand in the file."""
    return json.loads(REFERENCE_PATH.read_text(encoding="utf-8"))


def quiet_tensorflow() -> None:
    """Keeps TensorFlow's own lines off stderr, as the program does; call it before the import."""
    for variable, level in NATIVE_LOG_LEVELS.items():
        os.environ.setdefault(variable, level)
    quiet_import("tensorflow")
    # Its advice on tracing is for programs that trace in a loop; benchmarks make many graphs.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def calibrate(cores: int | None = None) -> dict[str, float]:
    """Measures the machine in a child process, so that TensorFlow stays out of this one.

    Returns:
        cores; sgemm_gflops: float32 matrix product of 1024 x 1024 on all cores; conv_gflops:
        forward 3x3 convolution of (4, 32, 32, 256) to 256 channels; warp_mpix: megapixels per
        second of a cubic OpenCV warp on one core.
    """
    command = [sys.executable, "-m", "benchmarks.machine"]
    command += ["--cores", str(cores)] if cores else []
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    return json.loads(done.stdout)


@dataclass(frozen=True)
class Usage:
    """What a piece of work took.

    Attributes:
        seconds: By the clock.
        cpu_seconds: On all cores, of this process and its children.
    """

    seconds: float
    cpu_seconds: float


def measure(work: Callable[[], object]) -> Usage:
    """Runs some work once and tells what it took."""
    cpu_before, before = cpu_seconds(), time.perf_counter()
    work()
    seconds = time.perf_counter() - before
    return Usage(seconds, cpu_seconds() - cpu_before)


def cpu_seconds() -> float:
    """CPU time of this process, its ended children and its running descendants so far."""
    times = os.times()
    total = time.process_time() + times.children_user + times.children_system
    for child in psutil.Process().children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


class PeakMemory:
    """Most memory this process and its descendants had together while the block ran.

    Example:
        with PeakMemory() as peak:
            work()
        print(peak.n_bytes)
    """

    def __init__(self, every_seconds: float = 0.02):
        self.n_bytes = 0
        self._every = every_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="peak-memory", daemon=True)

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.n_bytes = max(self.n_bytes, resident_bytes())

    def _watch(self) -> None:
        while not self._stop.wait(self._every):
            self.n_bytes = max(self.n_bytes, resident_bytes())


def resident_bytes() -> int:
    """Resident memory of this process and its descendants."""
    process = psutil.Process()
    total = process.memory_info().rss
    for child in process.children(recursive=True):
        try:
            total += child.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


@dataclass(frozen=True)
class Turns:
    """Two pieces of work timed in turns.

    Attributes:
        a, b: Medians.
        ratio: Median over the rounds of a's clock time by b's; below 1 means a is faster.
        cpu_ratio: The same for CPU time.
    """

    a: Usage
    b: Usage
    ratio: float
    cpu_ratio: float


def run_in_turns(a: Callable[[], object], b: Callable[[], object], rounds: int = 5) -> Turns:
    """Compares two pieces of work on a machine that drifts.

    Each round runs both, and the order changes every round, so that neither always goes first.
    Both are run once before, uncounted.
    """
    a(), b()
    rows = []
    for number in range(rounds):
        order = (a, b) if number % 2 == 0 else (b, a)
        usages = [measure(work) for work in order]
        rows.append(usages if number % 2 == 0 else usages[::-1])
    return Turns(
        a=_median([row[0] for row in rows]),
        b=_median([row[1] for row in rows]),
        ratio=statistics.median(row[0].seconds / row[1].seconds for row in rows),
        cpu_ratio=statistics.median(row[0].cpu_seconds / row[1].cpu_seconds for row in rows))


def _median(usages: list[Usage]) -> Usage:
    return Usage(statistics.median(usage.seconds for usage in usages),
                 statistics.median(usage.cpu_seconds for usage in usages))


def _best_rate(work: Callable[[], object], runs: int, amount: float) -> float:
    """Amount of work per second in the fastest of some runs; one more run warms up."""
    work()
    return amount / min(measure(work).seconds for _ in range(runs))


def _network_figures(cores: int) -> dict[str, float]:
    """Billions of floating-point operations per second in TensorFlow."""
    quiet_tensorflow()
    import tensorflow as tf  # only in the child process: it takes seconds and a lot of memory

    tf.config.threading.set_intra_op_parallelism_threads(cores)
    side = 1024
    matrix = tf.random.normal((side, side))
    product = tf.function(lambda x: x @ x)
    images, kernel = tf.random.normal((4, 32, 32, 256)), tf.random.normal((3, 3, 256, 256))
    convolution = tf.function(lambda x, k: tf.nn.conv2d(x, k, 1, "SAME"))
    conv_operations = 2 * 3 * 3 * 256 * 256 * 4 * 32 * 32
    return {
        "sgemm_gflops": _best_rate(lambda: product(matrix).numpy(), 15, 2 * side**3 / 1e9),
        "conv_gflops": _best_rate(
            lambda: convolution(images, kernel).numpy(), 15, conv_operations / 1e9),
    }


def _warp_rate() -> float:
    """Megapixels per second of 512 px pictures halved by a cubic warp on one core."""
    cv2.setNumThreads(1)
    picture = np.random.default_rng(0).integers(0, 255, (512, 512, 3), np.uint8)
    matrix = np.array([[0.5, 0.02, 3], [-0.02, 0.5, 5]])
    n_warps, side = 50, 256

    def warp_all() -> None:
        for _ in range(n_warps):
            cv2.warpAffine(picture, matrix, (side, side), flags=cv2.INTER_CUBIC)

    return _best_rate(warp_all, 10, n_warps * side * side / 1e6)


def main() -> None:
    """Prints this machine's figures."""
    import argparse

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cores", type=int, default=os.cpu_count(),
                        help="threads TensorFlow may use (default: all)")
    cores = parser.parse_args().cores
    figures = {**_network_figures(cores), "warp_mpix": _warp_rate()}
    print(json.dumps({"cores": cores, **{name: round(rate, 1) for name, rate in figures.items()}}))


if __name__ == "__main__":
    main()
