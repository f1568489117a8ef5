"""Decoded faces, kept at about the size samples need."""

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np

from core.geometry import affine_scale, compose_affine
from facelib.align import crop_face, face_transform
from facelib.masks import eyes_mouth_mask, hull_mask
from samplelib.face_image import read_picture
from samplelib.face_info import FaceInfo
from samplelib.faceset import AlignedFace
from samplelib.recipe import OUTPUTS, SampleRecipe

OVERSAMPLING = 1.5
"""Stored pixels per sample pixel: enough that rotating and scaling does not blur the sample."""

MARGIN = 0.25
"""Border kept around a crop out of a wider face, in sides: rotated samples look beyond it."""


@dataclass(frozen=True)
class Plane:
    """One picture of a face.

    Attributes:
        draw: Makes it from the aligned picture (H, W, 3) uint8 BGR and its data; (H, W, C) uint8.
        interpolation: How it is resampled, an OpenCV constant.
        border: What lies outside, an OpenCV constant.
        crop: The same two as words of `facelib.align.crop_face`.
    """

    draw: Callable[[np.ndarray, FaceInfo], np.ndarray]
    interpolation: int
    border: int
    crop: tuple[str, str]


def _face_mask(image: np.ndarray, info: FaceInfo) -> np.ndarray:
    mask = hull_mask(image.shape[:2], info.landmarks, info.eyebrows_expand_mod)
    return _to_uint8(mask)


def _eyes_mouth(image: np.ndarray, info: FaceInfo) -> np.ndarray:
    """Eyes and mouth as far as they lie inside the face mask."""
    return np.where(_face_mask(image, info) > 0,
                    _to_uint8(eyes_mouth_mask(image.shape[:2], info.landmarks)), np.uint8(0))


def _to_uint8(mask: np.ndarray) -> np.ndarray:
    return np.rint(mask * 255).astype(np.uint8)


_MASK = (cv2.INTER_LINEAR, cv2.BORDER_CONSTANT, ("linear", "black"))
PLANES = MappingProxyType({
    "image": Plane(lambda image, info: image, cv2.INTER_CUBIC, cv2.BORDER_REPLICATE,
                   ("cubic", "replicate")),
    "face_mask": Plane(_face_mask, *_MASK),
    "eyes_mouth": Plane(_eyes_mouth, *_MASK),
})


@dataclass(frozen=True, eq=False)
class PreparedFace:
    """What samples of one face are read from.

    Attributes:
        planes: Name of PLANES -> (C, C, channels) uint8.
        picture_to_source: (2, 3) float64, from the unchanged sample to pixels of the planes.
    """

    planes: dict[str, np.ndarray]
    picture_to_source: np.ndarray

    @property
    def n_bytes(self) -> int:
        return sum(plane.nbytes for plane in self.planes.values())


def prepare_face(face: AlignedFace, recipe: SampleRecipe) -> PreparedFace:
    """Decodes a face, draws its masks and brings all to about the recipe's size.

    Raises:
        ImageError: The picture is damaged or cut short.
        OSError: The file cannot be read.
        ValueError: The landmarks do not allow the crop.
    """
    image = read_picture(face.path)
    face_to_picture = _face_to_picture(face.info, image.shape[1], recipe)
    picture_to_source, size = _source_space(face.info, affine_scale(face_to_picture), recipe)
    face_to_source = compose_affine(face_to_picture, picture_to_source)
    planes = {}
    for name in {OUTPUTS[output].plane for output in recipe.outputs}:
        plane = PLANES[name]
        interpolation, border = plane.crop
        planes[name] = crop_face(plane.draw(image, face.info), face_to_source, size,
                                 interpolation=interpolation, border=border)
    return PreparedFace(planes, picture_to_source)


def _face_to_picture(info: FaceInfo, width: int, recipe: SampleRecipe) -> np.ndarray:
    """(2, 3) map from the aligned picture to the unchanged sample."""
    if info.face_type == recipe.face_type:
        # As crops of the same face in two sizes relate: both span 0 to their side.
        return np.eye(2, 3) * (recipe.resolution / width)
    return face_transform(info.landmarks, recipe.resolution, recipe.face_type)


def _source_space(info: FaceInfo, face_scale: float,
                  recipe: SampleRecipe) -> tuple[np.ndarray, int]:
    """Chooses density and border of the stored planes.

    Returns:
        picture_to_source (2, 3), and the planes' side in pixels.
    """
    margin = 0.0 if info.face_type == recipe.face_type else MARGIN
    density = min(OVERSAMPLING, 1 / face_scale)  # never more pixels than the file has
    side = recipe.resolution * density
    offset = margin * side
    matrix = np.array([[density, 0, offset], [0, density, offset]])
    return matrix, math.ceil(side * (1 + 2 * margin) - 1e-6)


class FaceCache:
    """Prepared faces of a faceset, kept in memory up to a limit.

    When the limit is reached the faces already there stay. Samples go through the whole faceset
    in a new order each epoch, so throwing out the longest unused face, as usual, would throw out
    the ones needed next.
    """

    def __init__(self, faces: Sequence[AlignedFace], recipe: SampleRecipe, n_bytes: int):
        self._faces = faces
        self._recipe = recipe
        self._free_bytes = n_bytes
        self._prepared: dict[int, PreparedFace] = {}
        self._lock = threading.Lock()

    def get(self, index: int) -> PreparedFace:
        """Gives a face of the faceset by its index; may be called from several threads.

        Raises:
            As `prepare_face`.
        """
        prepared = self._prepared.get(index)
        if prepared is not None:
            return prepared
        prepared = prepare_face(self._faces[index], self._recipe)
        with self._lock:
            if index not in self._prepared and prepared.n_bytes <= self._free_bytes:
                self._free_bytes -= prepared.n_bytes
                self._prepared[index] = prepared
        return prepared
