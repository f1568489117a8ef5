"""Times a swap model's predictions, in turns with what the reference program computes.

The reference predicts one face per call and always computes face and mask of both decoders; here
that is a plain `tf.function` on the same weights. FaceLab predicts as `merge` does: in
batches, and only what the mask mode needs.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from benchmarks.machine import Turns, run_in_turns
from leras.graph import compile
from mainscripts.merging.stages import BATCH
from models.networks.df import DF
from models.quick96.model import Quick96Model
from models.quick96.options import Quick96Options

KINDS = {
    "none": (False, False),
    "face_mask": (True, False),
    "dst_mask": (False, True),
    "both": (True, True),
}
"""What a mask mode needs from the model -> (face_mask, dst_mask) as `Predictor` takes them."""


def time_predictions(options: Quick96Options, rounds: int) -> dict[str, dict[str, float]]:
    """Time per face for each of KINDS beside the stand-in; target: ratio at most 0.55.

    Args:
        options: Shape of the model; its weights are random, which costs the same.
        rounds: Repetitions of both, of which the median counts.
    """
    model = Quick96Model(options)
    side = options.resolution
    predictor, both_decoders = model.predictor(), everything_of_one_face(model.network, side)
    faces = np.random.default_rng(0).random((BATCH, side, side, 3), np.float32)
    rows = {}
    for kind, (face_mask, dst_mask) in KINDS.items():
        turns = run_in_turns(
            lambda: predictor(faces, face_mask=face_mask, dst_mask=dst_mask),
            lambda: [both_decoders(faces[i:i + 1]) for i in range(BATCH)], rounds)
        rows[kind] = _row(turns)
    return rows


def everything_of_one_face(network: DF, side: int) -> Callable:
    """The stand-in: (1, R, R, 3) to face and mask of the src decoder, then of the dst decoder."""

    def predict(face: tf.Tensor) -> list[tf.Tensor]:
        code = network.code(face)
        return [*network.decoder_src(code), *network.decoder_dst(code)]

    return compile(predict, tf.TensorSpec((1, side, side, 3)))


def _row(turns: Turns) -> dict[str, float]:
    """Figures per face."""
    return {
        "network_ms": round(turns.a.seconds / BATCH * 1e3, 2),
        "network_cpu_ms": round(turns.a.cpu_seconds / BATCH * 1e3, 2),
        "stand_in_ms": round(turns.b.seconds / BATCH * 1e3, 2),
        "stand_in_cpu_ms": round(turns.b.cpu_seconds / BATCH * 1e3, 2),
        "ratio": round(turns.ratio, 3),
        "cpu_ratio": round(turns.cpu_ratio, 3),
    }
