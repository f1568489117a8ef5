"""From dst faces to predictions, computing only what is asked for."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from facelib.face_type import FaceType
from facelib.types import SwapPrediction
from leras.graph import compile, image_spec


class CompiledPredictor:
    """One graph for each combination of outputs, traced at its first use.

    Args:
        resolution: Side of the faces.
        face_type: Crop of the faces.
        codes: (N, R, R, 3) faces, and a () tensor for each of `values` -> what the outputs read.
        outputs: "face", "face_mask" and "dst_mask", each a function of what `codes` gives.
        values: Further numbers that `codes` takes, such as how far a swap morphs.
    """

    def __init__(self, resolution: int, face_type: FaceType, codes: Callable[..., Any],
                 outputs: Mapping[str, Callable[[Any], tf.Tensor]], values: tuple[float, ...] = ()):
        self.resolution, self.face_type = resolution, face_type
        self._codes, self._outputs, self._values = codes, dict(outputs), values
        self._graphs = {}

    def __call__(self, faces: np.ndarray, *, face_mask: bool = True,
                 dst_mask: bool = True) -> SwapPrediction:
        """Swaps a batch.

        Args:
            faces: (N, R, R, 3) float32 BGR in [0, 1], crops of dst frames.
            face_mask, dst_mask: Which of the two learned masks to compute.

        Returns:
            Predictions in [0, 1]; None for a mask that was not asked for.
        """
        names = ("face", *["face_mask"] * face_mask, *["dst_mask"] * dst_mask)
        if names not in self._graphs:
            self._graphs[names] = self._compile(names)
        results = self._graphs[names](faces, *self._values)
        found = dict(zip(names, results, strict=True))
        return SwapPrediction(found["face"], found.get("face_mask"), found.get("dst_mask"))

    def at(self, *values: float) -> "CompiledPredictor":
        """The predictor at other `values`; it shares the graphs of this one."""
        other = CompiledPredictor(self.resolution, self.face_type, self._codes, self._outputs,
                                  values)
        other._graphs = self._graphs
        return other

    def _compile(self, names: tuple[str, ...]) -> Callable:
        def predict(faces, *values):
            codes = self._codes(faces, *values)
            return [self._outputs[name](codes) for name in names]

        scalars = [tf.TensorSpec((), tf.float32) for _ in self._values]
        return compile(predict, image_spec(self.resolution, self.resolution, 3), *scalars)
