"""The smallest Quick96 and samples for it, for tests of everything around a model."""

from dataclasses import replace

import numpy as np

from models.quick96.options import Quick96Options
from models.side import Side

OPTIONS = Quick96Options(
    resolution=64, ae_dims=32, e_dims=16, d_dims=16, d_mask_dims=4, batch_size=2, xla=False,
    seed=3, sample_threads=1)
# Without learning-rate dropout, a step is traced in a third of the time.
FLAGS = ("--resolution", "64", "--ae-dims", "32", "--e-dims", "16", "--d-dims", "16",
         "--d-mask-dims", "4", "--batch-size", "2", "--no-xla", "--seed", "3",
         "--sample-threads", "1", "--lr-dropout", "1", "--optimizer", "adabelief",
         "--learning-rate", "1e-3")


def options(**changes):
    """OPTIONS with some changes."""
    return replace(OPTIONS, **changes)


def random_batches(seed=0, n=2, side=64):
    """Side -> {"warped", "target": (n, side, side, 3), "mask": (n, side, side, 1)}, bytes of
    noise."""
    rng = np.random.default_rng(seed)
    return {name: {"warped": rng.integers(0, 256, (n, side, side, 3), np.uint8),
                   "target": rng.integers(0, 256, (n, side, side, 3), np.uint8),
                   "mask": rng.integers(0, 2, (n, side, side, 1), np.uint8) * np.uint8(255)}
            for name in Side}
