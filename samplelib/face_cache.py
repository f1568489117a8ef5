"""Decoded faces, kept at about the size samples need."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np

from core.geometry import affine_scale, compose_affine, invert_affine, transform_points
from core.imaging.warp import shrink
from facelib.align import face_transform
from facelib.masks import eyes_mouth_mask, hull_mask
from samplelib.face_image import read_picture
from samplelib.face_info import FaceInfo
from samplelib.faceset import AlignedFace
from samplelib.recipe import OUTPUTS, SampleRecipe

MARGIN = 0.25
"""What is kept of a wider face around the crop, in sides: turned samples look beyond it."""


@dataclass(frozen=True)
class Plane:
    """One picture of a face.

    Attributes:
        draw: Makes it from the aligned picture (H, W, 3) uint8 BGR and its data; (H, W, C) uint8.
        interpolation: How it is resampled, an OpenCV constant.
        border: What lies outside, an OpenCV constant.
    """

    draw: Callable[[np.ndarray, FaceInfo], np.ndarray]
    interpolation: int
    border: int


def _face_mask(image: np.ndarray, info: FaceInfo) -> np.ndarray:
    mask = hull_mask(image.shape[:2], info.landmarks, info.eyebrows_expand_mod)
    return _to_uint8(mask)


def _eyes_mouth(image: np.ndarray, info: FaceInfo) -> np.ndarray:
    """Eyes and mouth as far as they lie inside the face mask."""
    return np.where(_face_mask(image, info) > 0,
                    _to_uint8(eyes_mouth_mask(image.shape[:2], info.landmarks)), np.uint8(0))


def _to_uint8(mask: np.ndarray) -> np.ndarray:
    return np.rint(mask * 255).astype(np.uint8)


_MASK = (cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)
PLANES = MappingProxyType({
    "image": Plane(lambda image, info: image, cv2.INTER_CUBIC, cv2.BORDER_REPLICATE),
    "face_mask": Plane(_face_mask, *_MASK),
    "eyes_mouth": Plane(_eyes_mouth, *_MASK),
})


@dataclass(frozen=True, eq=False)
class PreparedFace:
    """What samples of one face are read from.

    Attributes:
        planes: Name of PLANES -> (h, w, channels) uint8, all of one size.
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
    picture_to_face = invert_affine(face_to_picture)
    scale = affine_scale(face_to_picture)
    rows, columns = _region(image.shape[:2], picture_to_face, recipe.resolution)
    planes = {}
    for name in {OUTPUTS[output].plane for output in recipe.outputs}:
        drawn = PLANES[name].draw(image, face.info)[rows, columns]
        small, region_to_source = shrink(drawn, scale)  # one matrix, all being of one size
        planes[name] = np.ascontiguousarray(small)  # a view would keep the whole picture alive
    face_to_region = [[1, 0, -columns.start], [0, 1, -rows.start]]
    return PreparedFace(
        planes, compose_affine(picture_to_face, face_to_region, region_to_source))


def _face_to_picture(info: FaceInfo, width: int, recipe: SampleRecipe) -> np.ndarray:
    """(2, 3) map from the aligned picture to the unchanged sample."""
    if info.face_type == recipe.face_type:
        # As crops of the same face in two sizes relate: both span 0 to their side.
        return np.eye(2, 3) * (recipe.resolution / width)
    return face_transform(info.landmarks, recipe.resolution, recipe.face_type)


def _region(shape: tuple[int, int], picture_to_face: np.ndarray,
            resolution: int) -> tuple[slice, slice]:
    """Rows and columns of the aligned picture that samples may show."""
    low, high = -MARGIN * resolution, (1 + MARGIN) * resolution
    corners = np.array([(low, low), (high, low), (high, high), (low, high)])
    outline = transform_points(corners, picture_to_face)[:, ::-1]  # (4, 2) as (row, column)
    starts = np.clip(np.floor(outline.min(axis=0)), 0, None).astype(int)
    ends = np.clip(np.ceil(outline.max(axis=0)) + 1, None, shape).astype(int)
    if (starts >= ends).any():
        raise ValueError("the landmarks lie outside the picture; extract the face again")
    return slice(starts[0], ends[0]), slice(starts[1], ends[1])


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
