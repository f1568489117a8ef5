"""Loads a faceset, makes samples of it and prints time and memory; see `benchmarks.sampler`.

    python -m benchmarks.sampler_memory FOLDER
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import psutil

from benchmarks.machine import measure
from facelib.face_type import FaceType
from samplelib.faceset import Faceset, load_faceset
from samplelib.recipe import SWAP_OUTPUTS
from samplelib.sampler import BatchGenerator, SampleOptions, SampleRecipe


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--resolution", type=int, default=128)
    parser.add_argument("--samples", type=int, default=1200)
    return parser.parse_args(words)


def resident_mb() -> int:
    """What this process has in memory now."""
    return round(psutil.Process().memory_info().rss / 2**20)


def main(words: Sequence[str] | None = None) -> None:
    """Prints the figures as JSON."""
    arguments = parse(words)
    before = resident_mb()
    loaded: list[Faceset] = []
    loading = measure(lambda: loaded.append(load_faceset(arguments.folder)))
    after = resident_mb()
    recipe = SampleRecipe(arguments.resolution, FaceType.FULL, SWAP_OUTPUTS,
                          SampleOptions(color_transfer="mkl"))
    with BatchGenerator(loaded[0], recipe, 4, seed=0, transfer_from=loaded[0],
                        uniform_yaw=True) as batches:
        for _ in range(arguments.samples // 4):
            batches.next_batch()
        sampling = resident_mb()
    print(json.dumps({
        "faces": len(loaded[0].faces), "seconds_to_load": round(loading.seconds, 2),
        "cpu_seconds_to_load": round(loading.cpu_seconds, 2), "rss_mb_before": before,
        "rss_mb_loaded": after, "rss_mb_sampling": sampling}))


if __name__ == "__main__":
    main()
