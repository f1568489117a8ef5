"""Finds faces with S3FD: pictures in, boxes out."""

from collections.abc import Sequence

import cv2
import numpy as np
import tensorflow as tf

from facelib.anchors import ANCHOR, STRIDES, VARIANCES
from facelib.boxes import by_shape, require_pictures, suppress
from facelib.networks.s3fd import S3FD
from facelib.types import Face
from facelib.weights import load_weights
from leras.graph import compile as compile_graph

_CANDIDATE = 0.05
"""Probability from which on a box takes part in the choice."""

_LEAST_SIDE = 64
"""The network's input has at least so many pixels along each side."""

_TUNED = "max_side", "score_threshold", "overlap_of_smaller", "least_overlap"
"""Options of `S3FDDetector` that weights may bring along: they were chosen for these weights."""


class S3FDDetector:
    """A `FaceDetector`.

    Images that reach the network with the same size go through it together.
    """

    def __init__(
        self,
        network: S3FD,
        *,
        halve: bool = True,
        max_side: int = 640,
        score_threshold: float = 0.5,
        overlap_threshold: float = 0.3,
        overlap_of_smaller: float = 1.0,
        least_overlap: float = 0.0,
        grow_bottom: float = 0.1,
        min_face_size: float = 0.0,
        whole_pixels: bool = False,
        channels: str = "bgr",
        batch_size: int = 8,
    ):
        """
        Args:
            network: With its parameters loaded.
            halve: Look at half the pixels along each side, which takes a quarter of the time and
                misses faces below some 10 pixels.
            max_side: The network's input is not larger than this, pixels.
            score_threshold: Lowest probability of a face.
            overlap_threshold: Of two boxes that overlap more, the less probable one is dropped.
            overlap_of_smaller: The same for the overlap as a share of the smaller box, 0 to 1: a
                box inside of another one, or moved from it by half a face. 1 drops none.
            least_overlap: A box is dropped that cannot overlap its anchor by more than this,
                because one of them has less than this share of the other's area; 0 to 1.
            grow_bottom: Share of its height by which a box is moved down at its lower edge, so
                that it holds the chin. FAN was trained with such boxes.
            min_face_size: Shortest side of a box in the image before it grows, pixels. 40 gives
                what DeepFaceLab finds.
            whole_pixels: Cuts coordinates down to whole pixels of the network's input and of the
                image, as DeepFaceLab does; they tremble by up to `max_side` / 320 pixels then.
            channels: Order in which the network wants the colours, "bgr" or "rgb".
            batch_size: Most images in the network at a time.
        """
        self._halve, self._max_side = halve, max_side
        self._score_threshold, self._overlap_threshold = score_threshold, overlap_threshold
        self._overlap_of_smaller, self._least_overlap = overlap_of_smaller, least_overlap
        self._grow_bottom, self._min_face_size = grow_bottom, min_face_size
        self._whole_pixels, self._batch_size = whole_pixels, batch_size
        self._run = compile_graph(
            lambda images: _probable(network, images, channels),
            tf.TensorSpec((None, None, None, 3), tf.uint8),
        )

    @classmethod
    def load(cls, **options) -> "S3FDDetector":
        """A detector with the installed parameters; the options are those of the constructor.

        What weights bring along goes before the constructor's values, options before both.

        Raises:
            WeightsMissing: There are no weights, or they are damaged.
        """
        weights = load_weights("s3fd")
        network = S3FD(width=float(weights.about.get("width", 1)))
        network.load_state(weights.state)
        tuned = {name: float(weights.about[name]) for name in _TUNED if name in weights.about}
        return cls(network, **{"channels": weights.about.get("channels", "bgr"), **tuned,
                               **options})

    def detect(self, images: Sequence[np.ndarray]) -> list[list[Face]]:
        """Finds the faces of each image.

        Args:
            images: (H, W, 3) uint8 BGR each, of any sizes.

        Returns:
            One list per image, largest face first; float32 boxes in pixels of that image, which
            may reach over its border.

        Raises:
            ValueError: An image has another shape or type.
        """
        require_pictures(images)
        return by_shape(images, self._batch_size, self._detect_alike)

    def _detect_alike(self, images: list[np.ndarray]) -> list[list[Face]]:
        """`detect` for images of one size."""
        height, width = images[0].shape[:2]
        shrink = self._shrink(height, width)
        small = max(int(height / shrink), 1), max(int(width / shrink), 1)
        batch = np.zeros((len(images), *(max(side, _LEAST_SIDE) for side in small), 3), np.uint8)
        for image, place in zip(images, batch):
            if shrink > 1:
                image = cv2.resize(image, small[::-1], interpolation=cv2.INTER_AREA)
            place[: small[0], : small[1]] = image
        levels = [_decode(level, stride, self._least_overlap)
                  for level, stride in zip(self._run(batch), STRIDES)]
        numbers, scores, boxes = (np.concatenate(parts) for parts in zip(*levels))
        # A side is cut to whole pixels, so the two axes shrink a little differently.
        scale = np.array([width / small[1], height / small[0]] * 2, np.float32)
        scale = np.float32(shrink) if self._whole_pixels else scale
        return [self._pick(scores[numbers == i], boxes[numbers == i], scale)
                for i in range(len(images))]

    def _shrink(self, height: int, width: int) -> float:
        """Pixels of the image for one of the network's input."""
        long, short = max(height, width), min(height, width)
        shrink = max(long / self._max_side, 2.0 if self._halve else 1.0)
        return min(shrink, max(short / _LEAST_SIDE, 1.0))

    def _pick(self, scores: np.ndarray, boxes: np.ndarray, scale: np.ndarray) -> list[Face]:
        """The faces of one image out of its candidates."""
        kept = suppress(boxes, scores, self._overlap_threshold, extra=1.0)
        kept = kept[scores[kept] >= self._score_threshold]
        kept = kept[suppress(boxes[kept], scores[kept], self._overlap_of_smaller, extra=1.0,
                             of_smaller=True)]
        boxes, scores = boxes[kept], scores[kept]
        boxes = (np.trunc(boxes) if self._whole_pixels else boxes) * scale
        sides = boxes[:, 2:] - boxes[:, :2]
        boxes[:, 3] += self._grow_bottom * sides[:, 1]
        boxes = np.trunc(boxes) if self._whole_pixels else boxes
        large = sides.min(axis=1) >= self._min_face_size
        faces = [Face(box.astype(np.float32), float(score))
                 for box, score in zip(boxes[large], scores[large])]
        return sorted(faces, key=lambda face: face.area, reverse=True)


def _probable(network: S3FD, images: tf.Tensor, channels: str) -> list[tf.Tensor]:
    """(N, H, W, 3) uint8 BGR -> of each level (N, H', W', 5): probability of a face, offsets."""
    images = tf.cast(images, tf.float32)
    levels = network(images if channels == "bgr" else images[..., ::-1])
    return [tf.concat([tf.sigmoid(y[..., 1:2] - y[..., :1]), y[..., 2:]], -1) for y in levels]


def _decode(cells: np.ndarray, stride: int, least_overlap: float
            ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The candidates of one level.

    Args:
        cells: (N, H, W, 5) output of the network.
        stride: Pixels between cells.
        least_overlap: As of `S3FDDetector`.

    Returns:
        For K candidates: (K,) number of the image, (K,) probability and (K, 4) box in pixels of
        the network's input.
    """
    # The offsets' sum is the logarithm of the box's area by the anchor's.
    growth = np.abs(VARIANCES[1] * (cells[..., 3] + cells[..., 4]))
    most = -np.log(least_overlap) if least_overlap else np.inf
    numbers, rows, columns = np.nonzero((cells[..., 0] > _CANDIDATE) & (growth <= most))
    chosen = cells[numbers, rows, columns]  # (K, 5)
    centre = (np.stack([columns, rows], axis=1) + 0.5) * stride
    half = ANCHOR * stride / 2
    boxes = decoded(np.hstack([centre - half, centre + half]), chosen[:, 1:])
    return numbers, chosen[:, 0], boxes


def decoded(anchors: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """The boxes that anchors become; the inverse of `facelib.anchors.encode`.

    Args:
        anchors, offsets: (K, 4) float.

    Returns:
        (K, 4) float32, x1, y1, x2, y2.
    """
    sides = anchors[:, 2:] - anchors[:, :2]
    centre = (anchors[:, :2] + anchors[:, 2:]) / 2 + VARIANCES[0] * sides * offsets[:, :2]
    # Untrained weights may ask for boxes beyond all numbers.
    half = sides / 2 * np.exp(np.minimum(VARIANCES[1] * offsets[:, 2:], 20.0))
    return np.hstack([centre - half, centre + half]).astype(np.float32)
