"""Finds 68 landmarks with FAN: pictures and boxes in, points out."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import cv2
import numpy as np
import tensorflow as tf

from core.geometry import compose_affine, invert_affine
from core.imaging.warp import shrink
from facelib.fan_sizes import CROP_SIZE, MAP_SIZE
from facelib.landmarks import FLIP_68, N_LANDMARKS
from facelib.networks.fan import FAN
from facelib.types import Face
from facelib.weights import load_weights
from leras.graph import compile as compile_graph

_REFERENCE = 195.0
_WINDOW = 200.0
"""A box with sides that add up to _REFERENCE has a window of _WINDOW pixels."""

_SHIFTS = ((0, 0), (-1, -1), (1, -1), (1, 1), (-1, 1))
"""Pixels of the image by which the windows of the samples are moved."""

_NEIGHBOURS = (0, -1, 1, -MAP_SIZE, MAP_SIZE)
"""Places of the peak, its left, right, upper and lower neighbour in a flat map."""


class _Window(NamedTuple):
    """A square of an image: its centre and side, pixels; whole coordinates are corners."""

    image: np.ndarray
    x: float
    y: float
    side: float


class FANLandmarks:
    """A `LandmarkExtractor`. All faces of all images go through the network together."""

    def __init__(
        self,
        network: FAN,
        *,
        samples: int = 1,
        mirror: bool = False,
        lift: float = 0.0,
        fit_peaks: bool = False,
        whole_pixels: bool = False,
        min_confidence: float = 0.0,
        batch_size: int = 16,
    ):
        """
        Args:
            network: With its parameters loaded.
            samples: 1 to 5 windows, moved by a pixel, whose landmarks are averaged.
            mirror: Adds the maps of the mirrored crop; twice the time, steadier landmarks.
            lift: Share of the box's height by which the window is moved up. 0 suits boxes that
                `S3FDDetector` has grown, 0.12 those that it has not.
            fit_peaks: Where a Gaussian through the peak and its neighbours has its top; without
                it, a quarter of a cell towards the higher neighbour, as the public code does.
            whole_pixels: Cuts windows at whole pixels and counts as the public code does; the
                landmarks tremble by a pixel then, and lie half a pixel to the lower right.
            min_confidence: A face whose peaks are lower on average gets no landmarks.
            batch_size: Most crops in the network at a time.

        Raises:
            ValueError: `samples` is out of range.
        """
        if not 1 <= samples <= len(_SHIFTS):
            raise ValueError(f"samples must be 1 to {len(_SHIFTS)}, not {samples}")
        self._shifts, self._lift = _SHIFTS[:samples], lift
        self._fit_peaks, self._cut = fit_peaks, _cut_whole if whole_pixels else _cut
        # Places in a window count from its corner; landmarks from the centre of the first pixel.
        self._origin = 0.0 if whole_pixels else 0.5
        self._min_confidence, self._batch_size = min_confidence, batch_size
        self._run = compile_graph(
            lambda crops: _peaks(_maps(network, crops, mirror)),
            tf.TensorSpec((None, CROP_SIZE, CROP_SIZE, 3), tf.uint8),
        )

    @classmethod
    def load(cls, name: str, **options) -> "FANLandmarks":
        """An extractor with the installed parameters of "2dfan" or "3dfan".

        The options are those of the constructor; what weights bring along goes before its values.

        Raises:
            WeightsMissing: There are no weights, or they are damaged.
        """
        weights = load_weights(name)
        network = FAN(width=float(weights.about.get("width", 1)),
                      n_stacks=int(weights.about.get("stacks", 4)))
        network.load_state(weights.state)
        fit_peaks = weights.about.get("peaks") == "gaussian"
        least = float(weights.about.get("min_confidence", 0))
        return cls(network, **{"fit_peaks": fit_peaks, "min_confidence": least, **options})

    @classmethod
    def load_2d(cls, **options) -> "FANLandmarks":
        """`load` of 2DFAN, whose jaw follows the visible outline."""
        return cls.load("2dfan", **options)

    @classmethod
    def load_3d(cls, **options) -> "FANLandmarks":
        """`load` of 3DFAN, whose jaw follows the head, also where it is hidden."""
        return cls.load("3dfan", **options)

    def extract(
        self, images: Sequence[np.ndarray], faces: Sequence[Sequence[Face]]
    ) -> list[np.ndarray]:
        """Finds the landmarks of each face.

        Args:
            images: (H, W, 3) uint8 BGR each, of any sizes.
            faces: The faces of each image.

        Returns:
            One (F, 68, 2) float32 array per image, pixels of that image, in the order of `faces`.
            A row of NaN says that the box lies outside of the image, or holds no face.
        """
        windows = [window for image, found in zip(images, faces, strict=True) for face in found
                   for window in self._windows(image, face)]
        places, peaks = self.locate(map(self._cut, windows))
        sides = np.array([(window.x, window.y, window.side) for window in windows]).reshape(-1, 3)
        points = (places - 0.5) * sides[:, np.newaxis, 2:] + sides[:, np.newaxis, :2]
        points -= self._origin
        n = len(self._shifts)
        points = points.reshape(-1, n, N_LANDMARKS, 2).mean(axis=1)
        outside = np.array([_misses(window) for window in windows[::n]], bool)
        unsure = peaks.reshape(-1, n * N_LANDMARKS).mean(axis=1) < self._min_confidence
        points[outside | unsure] = np.nan
        ends = np.cumsum([len(found) for found in faces])[:-1]
        return np.split(points.astype(np.float32), ends) if len(faces) else []

    def locate(self, crops: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Finds the landmarks of crops.

        Args:
            crops: (256, 256, 3) uint8 RGB each.

        Returns:
            (K, 68, 2) float64 places in the crop, 0 to 1, and (K, 68) heights of the peaks.
        """
        places, peaks = [np.empty((0, N_LANDMARKS, 2))], [np.empty((0, N_LANDMARKS))]
        remaining = iter(crops)
        while chunk := list(islice(remaining, self._batch_size)):
            cells, values = self._run(np.stack(chunk))
            places.append(_decode(cells, values, self._fit_peaks))
            peaks.append(values[..., 0])
        return np.concatenate(places), np.concatenate(peaks)

    def _windows(self, image: np.ndarray, face: Face) -> Iterator[_Window]:
        x1, y1, x2, y2 = np.asarray(face.box, np.float64)
        side = max((x2 - x1 + y2 - y1) * _WINDOW / _REFERENCE, 1.0)
        x, y = (x1 + x2) / 2, (y1 + y2) / 2 - self._lift * (y2 - y1)
        for right, down in self._shifts:
            yield _Window(image, x + right, y + down, side)


def _maps(network: FAN, crops: tf.Tensor, mirror: bool) -> tf.Tensor:
    """(N, 256, 256, 3) uint8 RGB -> (N, 64, 64, 68)."""
    crops = tf.cast(crops, tf.float32) / 255
    if not mirror:
        return network(crops)[-1]
    both = network(tf.concat([crops, crops[:, :, ::-1]], 0))[-1]
    straight, mirrored = tf.split(both, 2)
    return straight + tf.gather(mirrored[:, :, ::-1], FLIP_68, axis=-1)


def _peaks(maps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Of each map the cell of its peak, row by row, and the values around it.

    (N, 64, 64, 68) -> (N, 68) int64, (N, 68, 5) float32 in the order of _NEIGHBOURS.
    """
    flat = tf.transpose(tf.reshape(maps, (-1, MAP_SIZE**2, N_LANDMARKS)), (0, 2, 1))
    cells = tf.argmax(flat, -1)
    around = cells[..., tf.newaxis] + tf.constant(_NEIGHBOURS, tf.int64)
    around = tf.clip_by_value(around, 0, MAP_SIZE**2 - 1)
    return cells, tf.gather(flat, around, batch_dims=2)


def _decode(cells: np.ndarray, values: np.ndarray, fit: bool) -> np.ndarray:
    """(N, 68) cells and (N, 68, 5) values around -> (N, 68, 2) float64 places, 0 to 1.

    At the border of a map, where a neighbour is missing, the place is the centre of the cell.
    """
    places = np.stack([cells % MAP_SIZE, cells // MAP_SIZE], axis=-1)
    inside = ((places > 0) & (places < MAP_SIZE - 1)).all(axis=-1, keepdims=True)
    before, behind = values[..., 1::2].astype(np.float64), values[..., 2::2].astype(np.float64)
    if fit:
        shift = _gaussian_top(before, values[..., :1], behind)
    else:
        shift = 0.25 * np.sign(behind - before)
    return (places + np.where(inside, shift, 0) + 0.5) / MAP_SIZE


def _gaussian_top(before: np.ndarray, peak: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """Where a Gaussian through three neighbouring values has its top, -0.5 to 0.5 from the middle.

    The logarithms lie on a parabola, whose top follows from them.
    """
    least = 1e-6
    left, middle, right = (np.log(np.maximum(v, least)) for v in (before, peak, behind))
    curvature = np.maximum(2 * middle - left - right, 1e-9)
    return np.clip((right - left) / (2 * curvature), -0.5, 0.5)


def _corners(window: _Window) -> tuple[np.ndarray, np.ndarray]:
    """First and last pixel (not included) of a window cut at whole pixels, x and y.

    The public code maps the corners (1, 1) and (256, 256) of the crop and cuts off fractions.
    """
    centre = np.array([window.x, window.y])
    first = (1 / CROP_SIZE - 0.5) * window.side + centre
    return np.trunc(first).astype(int), np.trunc(0.5 * window.side + centre).astype(int)


def _misses(window: _Window) -> bool:
    """Whether no pixel of the image is in the window."""
    first, last = _corners(window)
    return bool((last <= 0).any() or (first >= window.image.shape[1::-1]).any())


def _cut_whole(window: _Window) -> np.ndarray:
    """The window's pixels, black outside of the image, as a (256, 256, 3) uint8 RGB crop."""
    first, last = _corners(window)
    width, height = np.maximum(last - first, 1)
    part = np.zeros((height, width, 3), np.uint8)
    low = np.maximum(first, 0)
    high = np.maximum(np.minimum(last, window.image.shape[1::-1]), low)
    x, y = low - first
    inside = window.image[low[1]:high[1], low[0]:high[0]]
    part[y:y + len(inside), x:x + inside.shape[1]] = inside
    crop = cv2.resize(part, (CROP_SIZE, CROP_SIZE), interpolation=cv2.INTER_LINEAR)
    return crop[..., ::-1]


def _cut(window: _Window) -> np.ndarray:
    """The window as a (256, 256, 3) uint8 RGB crop, black outside, exact to parts of a pixel."""
    height, width = window.image.shape[:2]
    reach = window.side / 2 + 2
    x1, y1 = np.clip(np.floor([window.x - reach, window.y - reach]).astype(int), 0,
                     (width - 1, height - 1))
    x2, y2 = np.clip(np.ceil([window.x + reach, window.y + reach]).astype(int), (x1 + 1, y1 + 1),
                     (width, height))
    scale = CROP_SIZE / window.side
    small, part_to_small = shrink(window.image[y1:y2, x1:x2], scale)
    # Pixel centres: crop = (image + 0.5 - (centre - side / 2)) * scale - 0.5.
    image_to_crop = np.array([
        (scale, 0, (0.5 - window.x + window.side / 2) * scale - 0.5),
        (0, scale, (0.5 - window.y + window.side / 2) * scale - 0.5)])
    part_to_image = np.array([(1.0, 0, x1), (0, 1.0, y1)])
    small_to_crop = compose_affine(invert_affine(part_to_small), part_to_image, image_to_crop)
    crop = cv2.warpAffine(small, small_to_crop, (CROP_SIZE, CROP_SIZE), flags=cv2.INTER_LINEAR)
    return crop[..., ::-1]
