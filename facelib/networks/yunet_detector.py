"""Finds faces with YuNet: pictures in, boxes out."""

from collections.abc import Sequence

import cv2
import numpy as np
import tensorflow as tf

from facelib.boxes import by_shape, require_pictures
from facelib.networks.yunet import STRIDES, YuNet, load_yunet
from facelib.types import Face
from leras.graph import compile as compile_graph

_SIZE_MULTIPLE = 32
"""The coarsest level has one cell for so many pixels."""


class YuNetDetector:
    """A `FaceDetector`.

    Sizes may differ from image to image; those that reach the network with the same size go
    through it together.
    """

    def __init__(
        self,
        network: YuNet,
        *,
        max_side: int = 640,
        score_threshold: float = 0.6,
        overlap_threshold: float = 0.3,
        min_face_size: float = 0.0,
        batch_size: int = 8,
    ):
        """
        Args:
            network: With its parameters loaded.
            max_side: Larger images are shrunk until their longer side is this, pixels. Faces
                below about 10 pixels then are not found.
            score_threshold: Lowest confidence of a face, 0 to 1.
            overlap_threshold: Of two boxes that overlap more (intersection over union), the less
                certain one is dropped.
            min_face_size: Shortest side of a box in the image, pixels.
            batch_size: Most images in the network at a time.
        """
        self._max_side = max_side
        self._score_threshold = score_threshold
        self._overlap_threshold = overlap_threshold
        self._min_face_size = min_face_size
        self._batch_size = batch_size
        self._run = compile_graph(
            lambda images: network(tf.cast(images, tf.float32)),
            tf.TensorSpec((None, None, None, 3), tf.uint8),
        )

    @classmethod
    def load(cls, **options) -> "YuNetDetector":
        """A detector with the released parameters; the options are those of the constructor.

        Raises:
            WeightsMissing: The weight file is absent or damaged.
        """
        return cls(load_yunet(), **options)

    def detect(self, images: Sequence[np.ndarray]) -> list[list[Face]]:
        """Finds the faces of each image.

        Args:
            images: (H, W, 3) uint8 BGR each, of any sizes.

        Returns:
            One list per image, largest face first. Boxes and points are float32 pixels of that
            image; they may reach over its border.

        Raises:
            ValueError: An image has another shape or type.
        """
        require_pictures(images)
        return by_shape(images, self._batch_size, self._detect_alike)

    def _detect_alike(self, images: list[np.ndarray]) -> list[list[Face]]:
        """`detect` for images of one size."""
        height, width = images[0].shape[:2]
        shrink = min(self._max_side / max(height, width), 1.0)
        small_height, small_width = max(round(height * shrink), 1), max(round(width * shrink), 1)
        batch = np.zeros(
            (len(images), _round_up(small_height), _round_up(small_width), 3), np.uint8
        )
        for image, place in zip(images, batch):
            if shrink < 1:
                image = cv2.resize(image, (small_width, small_height), interpolation=cv2.INTER_AREA)
            place[:small_height, :small_width] = image
        scale = np.array([width / small_width, height / small_height], np.float32)
        levels = [_decode(y, s, self._score_threshold) for y, s in zip(self._run(batch), STRIDES)]
        numbers, scores, boxes, points = (np.concatenate(parts) for parts in zip(*levels))
        boxes, points = boxes * np.tile(scale, 2), points * scale
        return [
            self._pick(scores[numbers == i], boxes[numbers == i], points[numbers == i])
            for i in range(len(images))
        ]

    def _pick(self, scores: np.ndarray, boxes: np.ndarray, points: np.ndarray) -> list[Face]:
        """The faces of one image out of its candidates: large enough, one of each overlap."""
        sizes = boxes[:, 2:] - boxes[:, :2]
        corner_and_size = np.hstack([boxes[:, :2], sizes])
        kept = [
            index
            for index in cv2.dnn.NMSBoxes(
                corner_and_size, scores, self._score_threshold, self._overlap_threshold
            )
            if sizes[index].min() >= self._min_face_size
        ]
        faces = [Face(boxes[index], float(scores[index]), points[index]) for index in kept]
        return sorted(faces, key=lambda face: face.area, reverse=True)


def _round_up(n_pixels: int) -> int:
    return -(-n_pixels // _SIZE_MULTIPLE) * _SIZE_MULTIPLE


def _decode(
    cells: np.ndarray, stride: int, score_threshold: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The candidates of one level.

    Args:
        cells: (N, H, W, 16) output of the network.
        stride: Pixels between cells.
        score_threshold: Lowest score of a candidate.

    Returns:
        For K candidates: (K,) number of the image, (K,) score, (K, 4) box x1, y1, x2, y2 and
        (K, 5, 2) points in pixels of the network's input, all float32.
    """
    scores = np.sqrt(np.clip(cells[..., 0], 0, 1) * np.clip(cells[..., 1], 0, 1))
    numbers, rows, columns = np.nonzero(scores >= score_threshold)
    chosen = cells[numbers, rows, columns]  # (K, 16)
    cell = np.stack([columns, rows], axis=1).astype(np.float32)  # (K, 2)
    centre = (cell + chosen[:, 2:4]) * stride
    half_size = np.exp(chosen[:, 4:6]) * stride / 2
    points = (chosen[:, 6:].reshape(-1, 5, 2) + cell[:, np.newaxis]) * stride
    boxes = np.hstack([centre - half_size, centre + half_size])
    return numbers, scores[numbers, rows, columns], boxes, points
