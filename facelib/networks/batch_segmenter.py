"""Masks of faces by a network that sees squares of one size."""

import numpy as np
import tensorflow as tf

from core.imaging.warp import resize_square
from facelib.face_type import FaceType
from leras.graph import compile as compile_graph
from leras.module import Module

FLOOR = 0.1
"""Smaller values count as nothing: what a network is that unsure of is noise."""


class BatchSegmenter:
    """A `FaceSegmenter` of `facelib.protocols` around a network, several faces at a time.

    Attributes:
        face_type: The crop that the network was trained on; faces of that type suit it best.
        origin: What it is, in a few words, for notes beside the masks.
        at_once: How many threads may call `segment` at a time: on CPUs two, one of which computes
            while the other waits for the slowest core or resizes pictures.
    """

    def __init__(self, network: Module, resolution: int, face_type: FaceType, origin: str, *,
                 batch_size: int = 8, fills_batches: bool = True):
        """
        Args:
            network: (N, R, R, 3) BGR in [0, 1] -> (N, R, R, 1) logits, its parameters loaded.
            resolution: Its side R.
            face_type, origin: See there.
            batch_size: Most faces in the network at a time.
            fills_batches: Whether the network always sees so many, so that a mask is the same to
                the last bit whatever other faces come with it; single faces take less time without.
        """
        self.face_type, self.origin = face_type, origin
        self._resolution, self._batch_size = resolution, batch_size
        # On CPUs a plain graph takes three quarters of the time of XLA's, and nothing to compile.
        by_xla = bool(tf.config.list_logical_devices("GPU"))
        self.at_once = 1 if by_xla else 2
        self._fills_batches = fills_batches or by_xla  # which compiles for one size
        self._run = compile_graph(
            lambda faces: tf.sigmoid(network(faces)), tf.TensorSpec(
                (batch_size if self._fills_batches else None, resolution, resolution, 3),
                tf.float32),
            jit=by_xla)

    def segment(self, faces: np.ndarray) -> np.ndarray:
        """Masks faces of any number and size.

        Args:
            faces: (N, S, S, 3) float32 BGR in [0, 1], aligned, best of `face_type`.

        Returns:
            (N, S, S, 1) float32 in [0, 1], 1 on visible face; below FLOOR it is 0.
        """
        masks = np.empty((*faces.shape[:3], 1), np.float32)
        for start in range(0, len(faces), self._batch_size):
            end = min(start + self._batch_size, len(faces))
            for row, mask in enumerate(self._masks(faces[start:end]), start):
                masks[row] = resize_square(mask, faces.shape[1])
        masks = np.clip(masks, 0, 1)
        masks[masks < FLOOR] = 0
        return masks

    def _masks(self, faces: np.ndarray) -> np.ndarray:
        """(n, R, R, 1) of a batch or less of them."""
        side = self._resolution
        size = self._batch_size if self._fills_batches else len(faces)
        batch = np.zeros((size, side, side, 3), np.float32)
        for row, face in enumerate(faces):
            batch[row] = resize_square(np.asarray(face, np.float32), side)
        return self._run(batch)[:len(faces)]
