"""From dst faces to predictions, computing only what is asked for."""

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from facelib.face_type import FaceType
from facelib.types import SwapPrediction
from leras.graph import compile, image_spec

Output = Callable[[tf.Tensor], tf.Tensor]


class CompiledPredictor:
    """One graph for each combination of outputs, traced at its first use.

    Args:
        resolution: Side of the faces.
        face_type: Crop of the faces.
        code: (N, R, R, 3) -> what the outputs read.
        outputs: "face", "face_mask" and "dst_mask", each a function of the code.
    """

    def __init__(self, resolution: int, face_type: FaceType, code: Output,
                 outputs: Mapping[str, Output]):
        self.resolution, self.face_type = resolution, face_type
        self._code, self._outputs = code, dict(outputs)
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
        found = dict(zip(names, self._graphs[names](faces), strict=True))
        return SwapPrediction(found["face"], found.get("face_mask"), found.get("dst_mask"))

    def _compile(self, names: tuple[str, ...]) -> Callable:
        def predict(faces):
            code = self._code(faces)
            return [self._outputs[name](code) for name in names]

        return compile(predict, image_spec(self.resolution, self.resolution, 3))
