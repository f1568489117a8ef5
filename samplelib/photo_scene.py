"""Pictures for detectors to learn from: photographs turned, scaled, covered, side by side."""

from dataclasses import dataclass

import cv2
import numpy as np

from core.geometry import affine_scale, compose_affine, transform_points
from core.imaging.warp import shrink
from facelib.landmarks import FLIP_68
from samplelib.face_outline import FaceOutline, outline_of
from samplelib.photo_source import PhotoSource

UPRIGHT = 0.55
"""Share of the faces that are turned by some 15 degrees only; the others stand in any direction."""

VISIBLE = 0.55
"""Share of a face that has to be inside of its picture for it to count."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A made-up picture.

    Attributes:
        image: (H, W, 3) uint8 BGR.
        faces: (F, 68, 2) float64 landmarks of the faces to be found, pixels.
        doubtful: (G, 68, 2) those of faces that are cut off or too small: no answer is wrong.
    """

    image: np.ndarray
    faces: np.ndarray
    doubtful: np.ndarray


@dataclass(frozen=True)
class SceneSizes:
    """How large a scene and its faces are, pixels."""

    side: int
    least_face: float = 14.0
    largest_face: float = 150.0
    doubtful_face: float = 9.0


def make_scene(source: PhotoSource, number: int, sizes: SceneSizes,
               rng: np.random.Generator) -> Scene:
    """One scene, of one, two or four photographs and parts without faces.

    Args:
        source: Of the photographs.
        number: Of the first one.
        sizes: Of the scene.
        rng: Of all chance.
    """
    image = np.empty((sizes.side, sizes.side, 3), np.uint8)
    faces, doubtful = [], []
    for place, (x, y, width, height) in enumerate(_cells(sizes.side, rng)):
        if place and rng.random() < 0.4:
            image[y:y + height, x:x + width] = source.plain_patch(height, width, rng)
            continue
        chosen = number if place == 0 else int(rng.integers(source.n_faces))
        part, points = _view(source, chosen, (width, height), sizes, rng)
        image[y:y + height, x:x + width] = part
        for landmarks in points:
            outline = outline_of(landmarks)
            seen = _visible_share(outline, width, height)
            if seen > 0:
                sure = seen >= VISIBLE and outline.side >= sizes.doubtful_face
                (faces if sure else doubtful).append(landmarks + (x, y))
    for landmarks in faces:
        if rng.random() < 0.3:
            _cover(image, outline_of(landmarks), source, rng)
    return Scene(image, _stacked(faces), _stacked(doubtful))


def cover_part(image: np.ndarray, landmarks: np.ndarray, source: PhotoSource,
               rng: np.random.Generator) -> None:
    """Puts something in front of a part of a face, in place.

    Args:
        image: (H, W, 3) uint8 BGR.
        landmarks: (68, 2) of the face.
        source: Of what is put there.
        rng: Of all chance.
    """
    _cover(image, outline_of(landmarks), source, rng)


def turned_view(image: np.ndarray, image_to_view: np.ndarray, size: tuple[int, int],
                background: np.ndarray) -> np.ndarray:
    """A picture mapped into a view, in front of a background.

    Args:
        image: (H, W, 3) uint8 BGR.
        image_to_view: (2, 3) float, a similarity; whole coordinates are pixel centres.
        size: Width and height of the view.
        background: (height, width, 3) uint8 BGR, where the picture ends.
    """
    small, image_to_small = shrink(image, affine_scale(image_to_view))
    small_to_view = compose_affine(cv2.invertAffineTransform(image_to_small), image_to_view)
    return cv2.warpAffine(small, small_to_view, size, background.copy(), cv2.INTER_LINEAR,
                          cv2.BORDER_TRANSPARENT)


def similarity(centre: np.ndarray, place: np.ndarray, scale: float, turn: float,
               mirrored: bool) -> np.ndarray:
    """(2, 3) float64 map that takes `centre` to `place`, scaled, and turned clockwise by radians.

    A mirrored one swaps left and right first.
    """
    cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
    linear = np.array([(cosine, -sine), (sine, cosine)])
    if mirrored:
        linear[:, 0] *= -1
    return np.column_stack([linear, place - linear @ centre])


def viewed(landmarks: np.ndarray, image_to_view: np.ndarray, mirrored: bool) -> np.ndarray:
    """(..., 68, 2) landmarks of a picture as they are called in a view of it, float64."""
    points = transform_points(landmarks.astype(np.float64), image_to_view)
    return points[..., FLIP_68, :] if mirrored else points


def _cells(side: int, rng: np.random.Generator) -> list[tuple[int, int, int, int]]:
    """x, y, width and height of the parts that cover a scene, in random order."""
    kind = rng.random()
    x, y = (int(side * rng.uniform(0.35, 0.65)) for _ in range(2))
    if kind < 0.45:
        return [(0, 0, side, side)]
    if kind < 0.6:
        cells = [(0, 0, x, side), (x, 0, side - x, side)]
    elif kind < 0.75:
        cells = [(0, 0, side, y), (0, y, side, side - y)]
    else:
        cells = [(0, 0, x, y), (x, 0, side - x, y), (0, y, x, side - y),
                 (x, y, side - x, side - y)]
    return [cells[index] for index in rng.permutation(len(cells))]


def _view(source: PhotoSource, number: int, size: tuple[int, int], sizes: SceneSizes,
          rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A part of a photograph around one of its faces, and (F, 68, 2) landmarks in it."""
    image, photo = source.face_photo(number)
    outline = outline_of(photo.landmarks[int(rng.integers(len(photo.landmarks)))])
    largest = min(sizes.largest_face, 0.95 * min(size))
    wanted = np.exp(rng.uniform(np.log(sizes.least_face), np.log(largest)))
    turn = (rng.normal(0, np.radians(15)) if rng.random() < UPRIGHT
            else rng.uniform(-np.pi, np.pi))
    margin = np.minimum(wanted * 0.45, np.array(size) / 2)
    place = rng.uniform(margin, np.array(size) - margin)
    mirrored = bool(rng.random() < 0.5)
    image_to_view = similarity(outline.centre, place, wanted / outline.side, turn, mirrored)
    background = source.plain_patch(size[1], size[0], rng)
    view = turned_view(image, image_to_view, size, background)
    return view, viewed(photo.landmarks, image_to_view, mirrored)


def _visible_share(outline: FaceOutline, width: int, height: int) -> float:
    """Share of a face's box that lies inside of a picture."""
    low, high = outline.box[:2], outline.box[2:]
    inside = np.minimum(high, (width, height)) - np.maximum(low, 0)
    return float(np.prod(np.maximum(inside, 0)) / np.prod(high - low))


def _cover(image: np.ndarray, outline: FaceOutline, source: PhotoSource,
           rng: np.random.Generator) -> None:
    """A bar or an ellipse of something else over up to half of the face, from one side."""
    direction = rng.uniform(0, 2 * np.pi)
    away = np.cos(direction) * outline.across + np.sin(direction) * outline.along
    centre = outline.centre + away * rng.uniform(0.6, 1.1)
    axes = outline.side * rng.uniform(0.15, 0.4, 2)
    mask = np.zeros(image.shape[:2], np.uint8)
    angle = float(rng.uniform(0, 180))
    if rng.random() < 0.5:
        cv2.ellipse(mask, (centre.tolist(), (2 * axes).tolist(), angle), 1, -1)
    else:
        corners = cv2.boxPoints((centre.tolist(), (2 * axes).tolist(), angle))
        cv2.fillConvexPoly(mask, np.rint(corners).astype(np.int32), 1)
    thing = (source.plain_patch(*image.shape[:2], rng) if rng.random() < 0.6
             else np.full_like(image, rng.integers(0, 256, 3)))
    np.copyto(image, thing, where=mask[..., np.newaxis].astype(bool))


def _stacked(faces: list[np.ndarray]) -> np.ndarray:
    return np.array(faces, np.float64).reshape(-1, 68, 2)
