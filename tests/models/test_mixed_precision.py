"""Half precision trains a whole model as well as float32 does."""

import numpy as np
import pytest

from models.saehd.model import SAEHDModel
from models.saehd.options import SAEHDOptions
from models.side import Side
from tests.leras import reference as ref

RESOLUTION, BATCH, N_FACES, N_ITERATIONS = 32, 4, 8, 200


def faces(seed):
    """(N_FACES, R, R, C) bytes: smooth pictures, and round masks."""
    rng = np.random.default_rng(seed)
    noise = rng.random((N_FACES, RESOLUTION, RESOLUTION, 3))
    smooth = ref.gaussian_blur(noise, 3)
    smooth = (smooth - smooth.min()) / np.ptp(smooth)
    y, x = np.mgrid[:RESOLUTION, :RESOLUTION] - RESOLUTION / 2
    mask = np.repeat((np.hypot(x, y * 0.8) < RESOLUTION * 0.35)[None, ..., None], N_FACES, 0)
    return {"target": np.uint8(255 * smooth), "mask": np.uint8(255 * mask)}


def course(precision):
    """Mean losses of the first 20 and of the last 40 iterations."""
    model = SAEHDModel(SAEHDOptions(
        resolution=RESOLUTION, archi="df-ud", ae_dims=16, e_dims=4, d_dims=4, d_mask_dims=4,
        batch_size=BATCH, random_warp=False, learning_rate=3e-4, optimizer="adam",
        precision=precision, seed=4, xla=False))
    sides = {side: faces(number) for number, side in enumerate(Side)}
    rng = np.random.default_rng(2)
    totals = []
    for iteration in range(1, N_ITERATIONS + 1):
        chosen = rng.permutation(N_FACES)[:BATCH]
        result = model.train_step(iteration, {
            side: {name: array[chosen] for name, array in batch.items()}
            for side, batch in sides.items()})
        assert result.applied or precision == "float16", "only a loss scale may be too large"
        totals.append(result.total)
    return np.mean(totals[:20]), np.mean(totals[-40:])


@pytest.mark.slow
def test_two_hundred_iterations_of_half_precision_end_within_two_percent_of_float32():
    start, exact = course("float32")
    assert exact < 0.25 * start, "it must learn, or the comparison says nothing"
    for precision in ("float16", "bfloat16"):
        _, half = course(precision)
        print(precision, f"{half / exact - 1:+.2%}")
        assert half == pytest.approx(exact, rel=0.02), precision
