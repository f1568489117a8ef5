"""Decoded faces at about the size that samples need."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np

from core import jpeg
from core.geometry import affine_scale, compose_affine, invert_affine, transform_points
from core.imaging.io import decode_jpeg_small
from core.imaging.warp import OVERSAMPLING, shrink
from core.polygons import polygon_mask
from facelib.align import face_transform
from facelib.masks import eyes_mouth_mask, hull_mask
from samplelib.face_image import info_of
from samplelib.face_info import FaceInfo
from samplelib.face_labels import decode_mask
from samplelib.faceset import AlignedFace
from samplelib.recipe import OUTPUTS, SampleRecipe, covers

MARGIN = 0.25
"""What is kept of a wider face around the crop, in sides: turned samples look beyond it."""

_MASK_SCALE = 2  # hulls are drawn larger and averaged, for a smooth edge


@dataclass(frozen=True, eq=False)
class Canvas:
    """A face at the size it is stored.

    Attributes:
        image: (h, w, 3) uint8 BGR.
        info: What is known about the face.
        width: Side of the aligned picture.
        aligned_to_source: (2, 3) float64, from its pixels to those of `image`.
    """

    image: np.ndarray
    info: FaceInfo
    width: int
    aligned_to_source: np.ndarray

    @property
    def landmarks(self) -> np.ndarray:
        """(68, 2) float64, in pixels of `image`."""
        return transform_points(self.info.landmarks, self.aligned_to_source)

    @property
    def side(self) -> float:
        """Of the whole aligned picture, in pixels of `image`."""
        return self.width * affine_scale(self.aligned_to_source)

    @functools.cached_property
    def hull(self) -> np.ndarray:
        """(h, w, 1) uint8 mask of the face; more than one plane may need it."""
        height, width = self.image.shape[:2]
        # (coordinate + 0.5) * scale - 0.5: corners lie at -0.5 in both.
        landmarks = (self.landmarks + 0.5) * _MASK_SCALE - 0.5
        mask = hull_mask((_MASK_SCALE * height, _MASK_SCALE * width), landmarks,
                         self.info.eyebrows_expand_mod)
        return _to_uint8(cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA))

    def shown(self, mask: np.ndarray) -> np.ndarray:
        """A mask of the whole aligned picture, as far as `image` shows it.

        Args:
            mask: (R, R, 1) float32 in [0, 1], of any side.

        Returns:
            (h, w, 1) uint8.
        """
        # Face squares of any size share their first pixel.
        mask_to_aligned = np.eye(2, 3) * (self.width / mask.shape[0])
        mask_to_source = compose_affine(mask_to_aligned, self.aligned_to_source)
        small, mask_to_small = shrink(mask, affine_scale(mask_to_source))
        height, width = self.image.shape[:2]
        shown = cv2.warpAffine(
            small, compose_affine(invert_affine(mask_to_small), mask_to_source), (width, height),
            flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT)
        return _to_uint8(np.clip(shown, 0, 1))

    @functools.cached_property
    def face_mask(self) -> np.ndarray:
        """(h, w, 1) uint8: what a segmenter made of the face, or the hull."""
        return self.hull if self.info.xseg_mask is None else _stored(self)


@dataclass(frozen=True)
class Plane:
    """One picture of a face.

    Attributes:
        draw: Makes it; (h, w, C) uint8.
        interpolation: How it is resampled, an OpenCV constant.
        border: What lies outside, an OpenCV constant.
    """

    draw: Callable[[Canvas], np.ndarray]
    interpolation: int
    border: int


def _eyes_mouth(canvas: Canvas) -> np.ndarray:
    """Eyes and mouth as far as they lie inside the face mask."""
    mask = _to_uint8(eyes_mouth_mask(canvas.image.shape[:2], canvas.landmarks, canvas.side))
    return np.where(canvas.face_mask > 0, mask, np.uint8(0))


def _drawn(canvas: Canvas) -> np.ndarray:
    """What the polygons of the face enclose; nothing if there are none."""
    return canvas.shown(polygon_mask((canvas.width, canvas.width), canvas.info.polygons))


def _stored(canvas: Canvas) -> np.ndarray:
    """What a segmenter made of the face; nothing if none did."""
    if canvas.info.xseg_mask is None:
        return np.zeros_like(canvas.hull)
    return canvas.shown(decode_mask(canvas.info.xseg_mask))


def _to_uint8(mask: np.ndarray) -> np.ndarray:
    """(h, w[, 1]) in [0, 1] -> (h, w, 1) uint8."""
    return cv2.convertScaleAbs(mask, alpha=255).reshape(*mask.shape[:2], 1)


_MASK = (cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)
PLANES = MappingProxyType({
    "image": Plane(lambda canvas: canvas.image, cv2.INTER_CUBIC, cv2.BORDER_REPLICATE),
    "face_mask": Plane(lambda canvas: canvas.face_mask, *_MASK),
    "eyes_mouth": Plane(_eyes_mouth, *_MASK),
    "hull": Plane(lambda canvas: canvas.hull, *_MASK),
    "stored": Plane(_stored, *_MASK),
    "drawn": Plane(_drawn, *_MASK),
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
    """Decodes a face at about the recipe's size and draws its masks there.

    Raises:
        CorruptFaceImage: The file carries no readable face data.
        ImageError: The picture is damaged or cut short.
        OSError: The file cannot be read.
        ValueError: The landmarks do not allow the crop, or the face has become too narrow for it.
    """
    data = face.path.read_bytes()
    info = info_of(data, face.path)
    if not covers(info.face_type, recipe.face_type):
        raise ValueError(f"{face.path}: now {info.face_type.label}, too narrow for the samples")
    width = jpeg.picture_size(data)[1]
    aligned_to_picture = _aligned_to_picture(info, width, recipe)
    image, aligned_to_source = _stored_image(data, face, width, aligned_to_picture,
                                             recipe.resolution)
    canvas = Canvas(image, info, width, aligned_to_source)
    wanted = {OUTPUTS[output].plane for output in recipe.outputs}
    return PreparedFace({name: PLANES[name].draw(canvas) for name in wanted},
                        compose_affine(invert_affine(aligned_to_picture), aligned_to_source))


def _aligned_to_picture(info: FaceInfo, width: int, recipe: SampleRecipe) -> np.ndarray:
    """(2, 3) map from the aligned picture to the unchanged sample."""
    if info.face_type == recipe.face_type:
        # As crops of the same face in two sizes relate: both span 0 to their side.
        return np.eye(2, 3) * (recipe.resolution / width)
    return face_transform(info.landmarks, recipe.resolution, recipe.face_type)


def _stored_image(data: bytes, face: AlignedFace, width: int, aligned_to_picture: np.ndarray,
                  resolution: int) -> tuple[np.ndarray, np.ndarray]:
    """What samples may show of the aligned picture, and the (2, 3) map from this to that."""
    scale = affine_scale(aligned_to_picture)
    wanted = min(scale * OVERSAMPLING, 1.0)
    image, decoded = decode_jpeg_small(data, str(face.path), math.ceil(width * wanted))
    aligned_to_decoded = [[decoded, 0, (decoded - 1) / 2], [0, decoded, (decoded - 1) / 2]]
    picture_to_decoded = compose_affine(invert_affine(aligned_to_picture), aligned_to_decoded)
    rows, columns = _region(image.shape[:2], picture_to_decoded, resolution)
    small, region_to_source = shrink(image[rows, columns], scale / decoded)
    decoded_to_region = [[1, 0, -columns.start], [0, 1, -rows.start]]
    # A view would keep the whole picture alive.
    return np.ascontiguousarray(small), compose_affine(
        aligned_to_decoded, decoded_to_region, region_to_source)


def _region(shape: tuple[int, int], picture_to_decoded: np.ndarray,
            resolution: int) -> tuple[slice, slice]:
    """Rows and columns of the decoded picture that samples may show."""
    low, high = -MARGIN * resolution, (1 + MARGIN) * resolution
    corners = np.array([(low, low), (high, low), (high, high), (low, high)])
    outline = transform_points(corners, picture_to_decoded)[:, ::-1]  # (4, 2) as (row, column)
    starts = np.clip(np.floor(outline.min(axis=0)), 0, None).astype(int)
    ends = np.clip(np.ceil(outline.max(axis=0)) + 1, None, shape).astype(int)
    if (starts >= ends).any():
        raise ValueError("the landmarks lie outside the picture; extract the face again")
    return slice(starts[0], ends[0]), slice(starts[1], ends[1])
