"""Runs the benchmarks one after the other and makes the tables of the documentation.

    python -m benchmarks                                all of them, Markdown on stdout
    python -m benchmarks extract train                  some of them
    python -m benchmarks --write docs/benchmarks.md     put the tables into the document
    python -m benchmarks --quick                        tiny sizes: checks the tools, not the speed

Each runs in a process of its own, so none finds memory or caches of another. The document is
written after each benchmark; what it says outside of the markers stays.
"""

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import psutil

from benchmarks.machine import ROOT
from benchmarks.tables import RENDERERS, Report, replace_section, section
from core.paths import atomic_write

QUICK = {
    "extract": ("--frames", "16", "--long-run", "40"),
    "sampler": ("--faces", "8", "--samples", "16", "--face-size", "128", "--resolution", "64",
                "--many-faces", "20"),
    "train": ("--models", "df-ud", "--resolutions", "64", "--size", "tiny", "--rounds", "1",
              "--batch-size", "1"),
    "merge": ("--frames", "1", "--command-frames", "4", "--passes", "1", "--resolution", "64"),
}
"""Benchmark -> arguments that make it short."""


def run_benchmark(name: str, words: Sequence[str]) -> Report:
    """Runs one benchmark in its own process; its errors go to stderr.

    Raises:
        subprocess.CalledProcessError: It failed.
    """
    command = [sys.executable, "-m", f"benchmarks.{name}", *words]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def when_and_where() -> str:
    """Date, processor and TensorFlow in one line."""
    return (f"{time.strftime('%Y-%m-%d')}, {processor()} with {psutil.cpu_count()} cores, "
            f"TensorFlow {version('tensorflow')}")


def processor() -> str:
    """Name of the processor, as well as the system knows it."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks",
                                     description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help=f"which: {', '.join(RENDERERS)} (default: all)")
    parser.add_argument("--write", type=Path, metavar="FILE.md",
                        help="put the tables between the markers of this document")
    parser.add_argument("--quick", action="store_true",
                        help="tiny sizes and no calibration, to try the tools")
    arguments = parser.parse_args(words)
    unknown = [name for name in arguments.names if name not in RENDERERS]
    if unknown:
        parser.error(f"unknown benchmark {unknown[0]!r}; known are {', '.join(RENDERERS)}")
    return arguments


def main(words: Sequence[str] | None = None) -> None:
    """Runs the benchmarks and shows or writes their tables."""
    arguments = parse(words)
    for name in arguments.names or RENDERERS:
        given = (*QUICK[name], "--no-calibration") if arguments.quick else ()
        generated = section(name, given, run_benchmark(name, given), when_and_where())
        if arguments.write is None:
            print(f"## {name}\n\n{generated}\n", flush=True)
        else:
            text = arguments.write.read_text(encoding="utf-8")
            atomic_write(arguments.write, replace_section(text, name, generated).encode())


if __name__ == "__main__":
    main()
