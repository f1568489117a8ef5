"""Finds faces with RetinaFace: pictures in, boxes and five points out."""

from collections.abc import Sequence

import cv2
import numpy as np
import tensorflow as tf

from facelib.boxes import by_shape, require_pictures, suppress
from facelib.networks.retinaface import ANCHORS, HEAD, STRIDES, RetinaFace
from facelib.types import Face
from facelib.weights import load_weights
from leras.graph import compile as compile_graph

_VARIANCES = (0.1, 0.2)
"""Of a box's place and size, in anchors."""


class RetinaFaceDetector:
    """A `FaceDetector`.

    Images that reach the network with the same size go through it together.
    """

    def __init__(
        self,
        network: RetinaFace,
        *,
        max_side: int = 640,
        score_threshold: float = 0.6,
        overlap_threshold: float = 0.4,
        min_face_size: float = 0.0,
        batch_size: int = 8,
    ):
        """
        Args:
            network: With its parameters loaded.
            max_side: Larger images are shrunk until their longer side is this, pixels.
            score_threshold: Lowest probability of a face.
            overlap_threshold: Of two boxes that overlap more, the less probable one is dropped.
            min_face_size: Shortest side of a box in the image, pixels.
            batch_size: Most images in the network at a time.
        """
        self._max_side = max_side
        self._score_threshold, self._overlap_threshold = score_threshold, overlap_threshold
        self._min_face_size, self._batch_size = min_face_size, batch_size
        self._run = compile_graph(
            lambda images: network(tf.cast(images, tf.float32)),
            tf.TensorSpec((None, None, None, 3), tf.uint8),
        )

    @classmethod
    def load(cls, **options) -> "RetinaFaceDetector":
        """A detector with the installed parameters; the options are those of the constructor.

        Raises:
            WeightsMissing: There are no weights, or they are damaged.
        """
        network = RetinaFace()
        network.load_state(load_weights("retinaface").state)
        return cls(network, **options)

    def detect(self, images: Sequence[np.ndarray]) -> list[list[Face]]:
        """Finds the faces of each image.

        Args:
            images: (H, W, 3) uint8 BGR each, of any sizes.

        Returns:
            One list per image, largest face first; float32 boxes and points in pixels of that
            image, which may reach over its border.

        Raises:
            ValueError: An image has another shape or type.
        """
        require_pictures(images)
        return by_shape(images, self._batch_size, self._detect_alike)

    def _detect_alike(self, images: list[np.ndarray]) -> list[list[Face]]:
        """`detect` for images of one size."""
        height, width = images[0].shape[:2]
        shrink = min(self._max_side / max(height, width), 1.0)
        small = max(round(height * shrink), 1), max(round(width * shrink), 1)
        if shrink < 1:
            images = [cv2.resize(image, small[::-1], interpolation=cv2.INTER_AREA)
                      for image in images]
        levels = [_decode(level, stride, anchors, self._score_threshold) for level, stride, anchors
                  in zip(self._run(np.stack(images)), STRIDES, ANCHORS)]
        numbers, scores, boxes, points = (np.concatenate(parts) for parts in zip(*levels))
        scale = np.array([width / small[1], height / small[0]], np.float32)
        return [self._pick(scores[of], boxes[of] * np.tile(scale, 2), points[of] * scale)
                for of in (numbers == i for i in range(len(images)))]

    def _pick(self, scores: np.ndarray, boxes: np.ndarray, points: np.ndarray) -> list[Face]:
        """The faces of one image out of its candidates."""
        kept = suppress(boxes, scores, self._overlap_threshold)
        faces = [Face(boxes[i], float(scores[i]), points[i]) for i in kept
                 if (boxes[i, 2:] - boxes[i, :2]).min() >= self._min_face_size]
        return sorted(faces, key=lambda face: face.area, reverse=True)


def _decode(
    cells: np.ndarray, stride: int, anchors: Sequence[int], score_threshold: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The candidates of one level.

    Args:
        cells: (N, H, W, anchors * 16) output of the network.
        stride: Pixels between cells.
        anchors: Sides of the anchors, pixels.
        score_threshold: Candidates are surer than this.

    Returns:
        For K candidates: (K,) number of the image, (K,) probability, (K, 4) box and (K, 5, 2)
        points in pixels of the network's input, all but the first float32.
    """
    ends = np.cumsum(HEAD[:-1]) * len(anchors)
    logits, boxes, points = (part.reshape(*cells.shape[:3], len(anchors), -1)
                             for part in np.split(cells, ends, axis=-1))
    scores = 1 / (1 + np.exp(logits[..., 0] - logits[..., 1]))
    numbers, rows, columns, which = np.nonzero(scores > score_threshold)
    chosen = numbers, rows, columns, which
    side = np.float32(anchors)[which, np.newaxis]  # (K, 1)
    place = (np.stack([columns, rows], axis=1).astype(np.float32) + 0.5) * stride
    centre = place + _VARIANCES[0] * side * boxes[chosen][:, :2]
    half = side / 2 * np.exp(np.minimum(_VARIANCES[1] * boxes[chosen][:, 2:], 20.0))
    offsets = points[chosen].reshape(-1, 5, 2)
    found = place[:, np.newaxis] + _VARIANCES[0] * side[:, np.newaxis] * offsets
    return numbers, scores[chosen], np.hstack([centre - half, centre + half]), found
