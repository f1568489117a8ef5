"""Crops of single faces for landmark extractors to learn from."""

from typing import NamedTuple

import numpy as np

from samplelib.face_outline import FaceOutline, outline_of
from samplelib.photo_scene import cover_part, similarity, turned_view, viewed
from samplelib.photo_source import PhotoSource

UPRIGHT = 0.85
"""Share of the crops that are turned by some 20 degrees only; the others show any direction."""

_SCALE_SPREAD, _PLACE_SPREAD = 0.09, 0.035
_PER_SIDES = 200 / 195
"""Side of a window in half sums of the sides of its box, as FAN was made for."""

_GROWTH = 0.1
"""By which S3FD's boxes are longer below than the face."""


class Crop(NamedTuple):
    """A face in a square.

    Attributes:
        image: (side, side, 3) uint8 BGR.
        landmarks: (68, 2) float64, pixels of the crop; whole coordinates are pixel centres.
    """

    image: np.ndarray
    landmarks: np.ndarray


def make_crop(source: PhotoSource, number: int, side: int, rng: np.random.Generator) -> Crop:
    """One face as a detector would hand it on, turned, covered and out of place at random.

    Args:
        source: Of the photographs.
        number: Of the photograph; which of its faces is left to chance.
        side: Of the crop, pixels.
        rng: Of all chance.
    """
    image, photo = source.face_photo(number)
    landmarks = photo.landmarks[int(rng.integers(len(photo.landmarks)))].astype(np.float64)
    turn = (rng.normal(0, np.radians(20)) if rng.random() < UPRIGHT
            else rng.uniform(-np.pi, np.pi))
    mirrored = bool(rng.random() < 0.5)
    centre, window = _window(outline_of(landmarks), turn, mirrored)
    window *= np.exp(rng.normal(0, _SCALE_SPREAD))
    middle = (side - 1) / 2
    place = np.array([middle, middle]) + rng.normal(0, _PLACE_SPREAD * side, 2)
    image_to_crop = similarity(centre, place, side / window, turn, mirrored)
    background = (source.plain_patch(side, side, rng) if rng.random() < 0.5
                  else np.zeros((side, side, 3), np.uint8))
    crop = turned_view(image, image_to_crop, (side, side), background)
    points = viewed(landmarks, image_to_crop, mirrored)
    if rng.random() < 0.3:
        cover_part(crop, points, source, rng)
    return Crop(crop, points)


def _window(outline: FaceOutline, turn: float, mirrored: bool) -> tuple[np.ndarray, float]:
    """Where the window of a face is once the picture is turned: its centre there taken back to
    pixels of the picture, and its side."""
    picture_to_turned = similarity(outline.centre, outline.centre, 1.0, turn, mirrored)
    linear = picture_to_turned[:, :2]
    turned = outline._replace(across=linear @ outline.across, along=linear @ outline.along)
    x1, y1, x2, y2 = turned.box
    y2 += _GROWTH * (y2 - y1)
    shift = np.array([x1 + x2, y1 + y2]) / 2 - outline.centre
    return outline.centre + linear.T @ shift, (x2 - x1 + y2 - y1) * _PER_SIDES
