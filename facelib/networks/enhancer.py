"""Sharpens faces with FaceEnhancer: faces in, the same faces with more detail out."""

from collections.abc import Iterator
from itertools import islice

import cv2
import numpy as np
import tensorflow as tf

from facelib.networks.face_enhancer import CONDITIONS, FACTOR, PATCH, FaceEnhancer
from facelib.weights import load_weights
from leras.graph import compile as compile_graph


class PatchEnhancer:
    """A `FaceEnhancer` of `facelib.protocols`: patches that overlap by half, blended."""

    def __init__(self, network: FaceEnhancer, *, batch_size: int = 4, patch: int = PATCH):
        """
        Args:
            network: With its parameters loaded.
            batch_size: Most patches in the network at a time.
            patch: Side of the patches that it was trained on, pixels.
        """
        self._batch_size, self._patch = batch_size, patch
        first, second = CONDITIONS

        def enlarge(patches: tf.Tensor) -> tf.Tensor:
            one = tf.ones((tf.shape(patches)[0], 1))
            return network(patches * 2 - 1, first * one, second * one) / 2 + 0.5

        self._run = compile_graph(enlarge, tf.TensorSpec((None, patch, patch, 3), tf.float32))

    @classmethod
    def load(cls, **options) -> "PatchEnhancer":
        """An enhancer with the imported parameters; the options are those of the constructor.

        Raises:
            WeightsMissing: There are no weights, or they are damaged.
        """
        network = FaceEnhancer()
        network.load_state(load_weights("face_enhancer").state)
        return cls(network, **options)

    def enhance(self, faces: np.ndarray) -> np.ndarray:
        """(N, S, S, 3) float32 BGR [0, 1] -> the same shape and range, sharper."""
        small = [cv2.resize(face, faces.shape[2:0:-1], interpolation=cv2.INTER_AREA)
                 for face in map(self.enlarge, faces)]
        return np.clip(np.array(small, np.float32).reshape(faces.shape), 0, 1)

    def enlarge(self, face: np.ndarray) -> np.ndarray:
        """(H, W, 3) float32 BGR [0, 1] -> (4 H, 4 W, 3), about the same range.

        Pictures smaller than a patch are continued by their mirror image.
        """
        height, width = face.shape[:2]
        missing = [max(self._patch - side, 0) for side in (height, width)]
        (top, left), (bottom, right) = [n // 2 for n in missing], [n - n // 2 for n in missing]
        padded = np.pad(face, [(top, bottom), (left, right), (0, 0)], mode="symmetric")
        large = self._blended(padded)
        return large[FACTOR * top:FACTOR * (top + height), FACTOR * left:FACTOR * (left + width)]

    def _blended(self, picture: np.ndarray) -> np.ndarray:
        """The mean of the enlarged patches, each with the more weight the nearer to its centre."""
        patch = self._patch
        corners = [(y, x) for y in _starts(picture.shape[0], patch)
                   for x in _starts(picture.shape[1], patch)]
        ramp = (np.minimum(np.arange(patch * FACTOR), np.arange(patch * FACTOR)[::-1]) + 0.5)
        weight = np.outer(ramp, ramp)[..., np.newaxis].astype(np.float32)
        shape = FACTOR * picture.shape[0], FACTOR * picture.shape[1]
        total, weights = np.zeros((*shape, 3), np.float32), np.zeros((*shape, 1), np.float32)
        for (y, x), large in zip(corners, self._enlarged(picture, corners)):
            place = np.s_[FACTOR * y:FACTOR * (y + patch), FACTOR * x:FACTOR * (x + patch)]
            total[place] += large * weight
            weights[place] += weight
        return total / weights

    def _enlarged(self, picture: np.ndarray, corners: list[tuple[int, int]]) -> Iterator:
        patches = (picture[y:y + self._patch, x:x + self._patch] for y, x in corners)
        while chunk := list(islice(patches, self._batch_size)):
            yield from self._run(np.stack(chunk).astype(np.float32))


def _starts(side: int, patch: int) -> list[int]:
    """Where patches begin along an axis: every half patch, the last one at the end."""
    step = patch // 2
    return sorted({min(start, side - patch) for start in range(0, side - patch + step, step)})
