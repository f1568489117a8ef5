"""Finds faces with MTCNN: pictures in, boxes and five points out."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
import tensorflow as tf

from facelib.boxes import by_shape, require_pictures, suppress
from facelib.networks.mtcnn import ONet, PNet, RNet
from facelib.types import Face
from facelib.weights import load_weights
from leras.graph import compile as compile_graph
from leras.module import Module

_CELL, _STRIDE = 12, 2
"""Side of a proposed square and their distance, pixels of the shrunk picture."""

_OVERLAP_IN_SCALE, _OVERLAP = 0.5, 0.7
_MOST_CROPS = 512
"""In a network at a time."""


class _Boxes(NamedTuple):
    """Boxes of one image while they become fewer.

    `boxes` (K, 4) pixels, `scores` (K,), `offsets` (K, 4) sides, `points` (K, 10) sides or empty.
    """

    boxes: np.ndarray
    scores: np.ndarray
    offsets: np.ndarray
    points: np.ndarray

    def only(self, index: np.ndarray) -> "_Boxes":
        return _Boxes(*(part[index] for part in self))


class MTCNNDetector:
    """A `FaceDetector`. Squares of all images of one size go through the networks together."""

    def __init__(
        self,
        networks: tuple[PNet, RNet, ONet],
        *,
        thresholds: tuple[float, float, float] = (0.6, 0.7, 0.7),
        factor: float = 0.709,
        min_face_size: float = 20.0,
        batch_size: int = 8,
    ):
        """
        Args:
            networks: With their parameters loaded.
            thresholds: Lowest probability of a face for each network.
            factor: Ratio of one size at which is looked to the one before.
            min_face_size: Smallest face to look for, pixels; half of it takes four times the time.
            batch_size: Most images in the first network at a time.
        """
        self._thresholds, self._factor = thresholds, factor
        self._min_face_size, self._batch_size = min_face_size, batch_size
        propose, refine, finish = networks
        self._propose = _graph(propose, None)
        self._refine = _graph(refine, 24)
        self._finish = _graph(finish, 48)

    @classmethod
    def load(cls, **options) -> "MTCNNDetector":
        """A detector with the installed parameters; the options are those of the constructor.

        Raises:
            WeightsMissing: There are no weights, or they are damaged.
        """
        networks = PNet(), RNet(), ONet()
        for network, name in zip(networks, ("mtcnn_pnet", "mtcnn_rnet", "mtcnn_onet")):
            network.load_state(load_weights(name).state)
        return cls(networks, **options)

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
        sums = [cv2.integral(image[..., ::-1]) for image in images]
        boxes = self._proposed(images[0].shape[:2], sums)
        boxes = self._judged(boxes, sums, self._refine, 24, self._thresholds[1])
        for number, found in enumerate(boxes):
            found = found.only(suppress(found.boxes, found.scores, _OVERLAP))
            boxes[number] = found._replace(boxes=_square(_moved(found, 1.0)))
        boxes = self._judged(boxes, sums, self._finish, 48, self._thresholds[2])
        return [_faces(found) for found in boxes]

    def _proposed(self, shape: tuple[int, int], sums: list[np.ndarray]) -> list[_Boxes]:
        """The squares of each image that the first network takes for faces."""
        height, width = shape
        parts: list[list[_Boxes]] = [[_NOTHING] for _ in sums]
        scale = _CELL / self._min_face_size
        while min(height, width) * scale >= _CELL:
            size = int(height * scale + 1), int(width * scale + 1)
            scores, offsets = self._propose(np.stack([
                _resized(one, _windows(0, height, size[0]), _windows(0, width, size[1]))
                for one in sums]))
            for number, part in enumerate(parts):
                part.append(self._chosen(scores[number], offsets[number], scale))
            scale *= self._factor
        together = [_Boxes(*map(np.concatenate, zip(*part))) for part in parts]
        together = [found.only(suppress(found.boxes, found.scores, _OVERLAP))
                    for found in together]
        return [found._replace(boxes=_square(_moved(found, 0.0))) for found in together]

    def _chosen(self, scores: np.ndarray, offsets: np.ndarray, scale: float) -> _Boxes:
        """The squares of one image at one scale: (H, W) and (H, W, 4) -> boxes in the image."""
        rows, columns = np.nonzero(scores >= self._thresholds[0])
        corner = _STRIDE * np.stack([columns, rows], axis=1) + 1
        # In float32 as the published code does it: the floor of an exact whole could be either.
        boxes = np.floor(np.hstack([corner, corner + _CELL - 1]).astype(np.float32)
                         / np.float32(scale))
        found = _Boxes(boxes, scores[rows, columns], offsets[rows, columns],
                       np.empty((len(rows), 10), np.float32))
        return found.only(suppress(boxes, found.scores, _OVERLAP_IN_SCALE))

    def _judged(self, boxes: list[_Boxes], sums: list[np.ndarray], run: Callable, side: int,
                threshold: float) -> list[_Boxes]:
        """The boxes that a network takes for faces, with what it says of them."""
        boxes = [found.only(_visible(found.boxes, one)) for found, one in zip(boxes, sums)]
        crops = np.concatenate([_crops(one, found.boxes, side)
                                for one, found in zip(sums, boxes)])
        outputs = [run(crops[at:at + _MOST_CROPS]) for at in range(0, len(crops), _MOST_CROPS)]
        if not outputs:
            return boxes
        scores, offsets, *points = (np.concatenate(parts) for parts in zip(*outputs))
        ends = np.cumsum([len(found.boxes) for found in boxes])[:-1]
        said = zip(*(np.split(part, ends) for part in (scores, offsets, *points)))
        judged = []
        for found, (score, offset, *point) in zip(boxes, said):
            found = _Boxes(found.boxes, score, offset, point[0] if point else found.points)
            judged.append(found.only(np.nonzero(score > threshold)[0]))
        return judged


_NOTHING = _Boxes(np.empty((0, 4), np.float32), np.empty(0, np.float32),
                  np.empty((0, 4), np.float32), np.empty((0, 10), np.float32))


def _graph(network: Module, side: int | None) -> Callable:
    """The network from values of 0 to 255."""
    return compile_graph(
        lambda images: network((images - 127.5) / 128.0),
        tf.TensorSpec((None, side, side, 3), tf.float32),
    )


def _faces(found: _Boxes) -> list[Face]:
    """The last choice among the boxes of one image, with their points."""
    sides = found.boxes[:, 2:] - found.boxes[:, :2] + 1
    places = found.points.reshape(-1, 2, 5).transpose(0, 2, 1)  # five x, then five y
    points = places * sides[:, np.newaxis] + found.boxes[:, np.newaxis, :2] - 1
    boxes = _moved(found, 1.0)
    kept = suppress(boxes, found.scores, _OVERLAP, extra=1.0, of_smaller=True)
    faces = [Face(boxes[i].astype(np.float32), float(found.scores[i]),
                  points[i].astype(np.float32)) for i in kept]
    return sorted(faces, key=lambda face: face.area, reverse=True)


def _moved(found: _Boxes, extra: float) -> np.ndarray:
    """(K, 4) boxes moved by their offsets; `extra` is added to the sides that these count."""
    sides = found.boxes[:, 2:] - found.boxes[:, :2] + np.float32(extra)
    return found.boxes + found.offsets * np.tile(sides, 2)


def _square(boxes: np.ndarray) -> np.ndarray:
    """(K, 4) -> squares around the same centres, as large as the longer sides."""
    sides = boxes[:, 2:] - boxes[:, :2]
    longer = sides.max(axis=1, keepdims=True)
    corner = boxes[:, :2] + (sides - longer) * np.float32(0.5)
    return np.hstack([corner, corner + longer])


def _spans(boxes: np.ndarray, sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(K, 2) first and last pixel (not included) of each box inside its image, x and y."""
    size = np.array(sums.shape[1::-1]) - 1
    whole = np.trunc(np.clip(boxes, -2**30, 2**30)).astype(np.int64)
    return np.maximum(whole[:, :2], 1) - 1, np.minimum(whole[:, 2:], size)


def _visible(boxes: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """Indices of the boxes that have a pixel inside the image."""
    first, last = _spans(boxes, sums)
    return np.nonzero((last > first).all(axis=1))[0]


def _crops(sums: np.ndarray, boxes: np.ndarray, side: int) -> np.ndarray:
    """What is inside of each box: (K, side, side, 3) float32."""
    first, last = _spans(boxes, sums)
    crops = [_resized(sums, _windows(y1, y2, side), _windows(x1, x2, side))
             for (x1, y1), (x2, y2) in zip(first, last)]
    return np.array(crops, np.float32).reshape(-1, side, side, 3)


def _windows(first: int, last: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """First and last pixel (not included) of `side` windows that cover a span without gaps."""
    steps, length = np.arange(side), last - first
    return first + steps * length // side, first - -(steps + 1) * length // side


def _resized(sums: np.ndarray, rows: tuple[np.ndarray, np.ndarray],
             columns: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Means over windows, from the sums over all rectangles from the corner.

    Args:
        sums: (H + 1, W + 1, 3) of an (H, W, 3) image.
        rows, columns: Their beginnings and ends.

    Returns:
        (h, w, 3) float32 for h and w windows.
    """
    (top, bottom), (left, right) = rows, columns
    low, high = sums[bottom], sums[top]
    inside = low[:, right] - low[:, left] - high[:, right] + high[:, left]
    areas = np.outer(bottom - top, right - left)[..., np.newaxis]
    return (inside / areas).astype(np.float32)
