"""Finds 68 landmarks with FaceMesh: pictures and boxes in, points out."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import tensorflow as tf

from core.geometry import invert_affine, transform_points
from facelib.align import crop_face
from facelib.landmarks import N_LANDMARKS
from facelib.mesh_landmarks import MeshToLandmarks, upright_axes
from facelib.networks.facemesh import CROP_SIZE, FaceMesh, load_facemesh
from facelib.types import Face
from leras.graph import compile as compile_graph

_REGION_SCALE = 1.5
"""Side of the crop in longer sides of the face's box."""

_SHIFTS_AND_SCALES = (
    (0.0, 0.0, 1.0),
    (0.02, 0.02, 1.02),
    (-0.02, 0.02, 0.98),
    (0.02, -0.02, 0.98),
    (-0.02, -0.02, 1.02),
)
"""Crops that are averaged: shift in x and y as a share of the region's side, and its scale."""


@dataclass(frozen=True)
class Region:
    """A turned square of an image.

    Attributes:
        centre: (x, y), pixels.
        side: Pixels.
        angle: Of its upper edge against the image's, clockwise radians.
    """

    centre: tuple[float, float]
    side: float
    angle: float

    def image_to_crop(self, shift_x: float = 0, shift_y: float = 0, scale: float = 1) -> np.ndarray:
        """(2, 3) float64 to the pixels of a crop, moved by shares of the side and scaled."""
        zoom = CROP_SIZE / (self.side * scale)
        cosine, sine = zoom * np.cos(self.angle), zoom * np.sin(self.angle)
        linear = np.array([(cosine, sine), (-sine, cosine)])
        centre = np.array(self.centre) + np.array([shift_x, shift_y]) * self.side
        return np.column_stack([linear, CROP_SIZE / 2 - linear @ centre])


@dataclass(frozen=True, eq=False)
class Mesh:
    """The surface of one face.

    Attributes:
        vertices: (468, 2) float64, pixels of the image.
        confidence: That there is a face at all, 0 to 1.
    """

    vertices: np.ndarray
    confidence: float


class FaceMeshLandmarks:
    """A `LandmarkExtractor`.

    A first mesh from the detector's box and eye points shows the exact place and roll of the face;
    the landmarks come from a second mesh of that region. All faces of all images go through the
    network together.
    """

    def __init__(
        self,
        network: FaceMesh,
        to_landmarks: MeshToLandmarks,
        *,
        samples: int = 5,
        min_confidence: float = 0.5,
        batch_size: int = 32,
    ):
        """
        Args:
            network: With its parameters loaded.
            to_landmarks: Picks the 68 landmarks out of a mesh.
            samples: 1 to 5 slightly different crops, whose meshes are averaged in the second pass;
                5 halve the jitter from frame to frame.
            min_confidence: A face that the mesh is less sure of gets no landmarks.
            batch_size: Most crops in the network at a time.

        Raises:
            ValueError: `samples` is out of range.
        """
        if not 1 <= samples <= len(_SHIFTS_AND_SCALES):
            raise ValueError(f"samples must be 1 to {len(_SHIFTS_AND_SCALES)}, not {samples}")
        self._to_landmarks = to_landmarks
        self._samples = _SHIFTS_AND_SCALES[:samples]
        self._min_confidence = min_confidence
        self._batch_size = batch_size
        self._run = compile_graph(
            lambda crops: _mesh_and_confidence(network, crops),
            tf.TensorSpec((None, CROP_SIZE, CROP_SIZE, 3), tf.uint8),
        )

    @classmethod
    def load(cls, **options) -> "FaceMeshLandmarks":
        """An extractor with the released parameters; the options are those of the constructor.

        Raises:
            WeightsMissing: A weight file is absent or damaged.
        """
        return cls(load_facemesh(), MeshToLandmarks.load(), **options)

    def extract(
        self, images: Sequence[np.ndarray], faces: Sequence[Sequence[Face]]
    ) -> list[np.ndarray]:
        """Finds the landmarks of each face.

        Args:
            images: (H, W, 3) uint8 BGR each, of any sizes.
            faces: The faces of each image.

        Returns:
            One (F, 68, 2) float32 array per image, pixels of that image, in the order of `faces`.
            A row of NaN says that there is no face in that box.
        """
        return [
            np.array([self._landmarks(mesh) for mesh in meshes], np.float32).reshape(
                -1, N_LANDMARKS, 2
            )
            for meshes in self.meshes(images, faces)
        ]

    def meshes(
        self, images: Sequence[np.ndarray], faces: Sequence[Sequence[Face]]
    ) -> list[list[Mesh]]:
        """The whole meshes; arguments as in `extract`."""
        owners = [image for image, found in zip(images, faces, strict=True) for _ in found]
        regions = [region_of_face(face) for found in faces for face in found]
        first = self._measure(owners, regions, _SHIFTS_AND_SCALES[:1])
        second = self._measure(owners, [region_of_mesh(mesh) for mesh in first], self._samples)
        in_order = iter(second)
        return [[next(in_order) for _ in found] for found in faces]

    def _landmarks(self, mesh: Mesh) -> np.ndarray:
        if mesh.confidence < self._min_confidence:
            return np.full((N_LANDMARKS, 2), np.nan)
        return self._to_landmarks(mesh.vertices)

    def _measure(
        self,
        images: Sequence[np.ndarray],
        regions: Sequence[Region],
        samples: Sequence[tuple[float, float, float]],
    ) -> list[Mesh]:
        """One mesh for each image and region, the mean over the samples."""
        matrices = [region.image_to_crop(*sample) for region in regions for sample in samples]
        vertices, confidences = [], []
        for start in range(0, len(matrices), self._batch_size):
            numbers = range(start, min(start + self._batch_size, len(matrices)))
            crops = [_cut(images[i // len(samples)], matrices[i]) for i in numbers]
            mesh, confidence = self._run(np.stack(crops))
            vertices += [
                transform_points(points, invert_affine(matrices[i]))
                for points, i in zip(mesh.astype(np.float64), numbers)
            ]
            confidences += list(confidence)
        n = len(samples)
        return [
            Mesh(np.mean(vertices[i : i + n], axis=0), float(np.mean(confidences[i : i + n])))
            for i in range(0, len(matrices), n)
        ]


def region_of_face(face: Face) -> Region:
    """Where the first mesh is looked for: around the box, turned so that the eyes are level."""
    x1, y1, x2, y2 = np.asarray(face.box, np.float64)
    angle = 0.0
    if face.points is not None:
        eye_line = np.subtract(face.points[1], face.points[0])
        angle = float(np.arctan2(eye_line[1], eye_line[0]))
    side = _REGION_SCALE * max(x2 - x1, y2 - y1, 1.0)
    return Region(((x1 + x2) / 2, (y1 + y2) / 2), side, angle)


def region_of_mesh(mesh: Mesh) -> Region:
    """Where a mesh is looked for once more: around its extent along and across the eye line."""
    turn = upright_axes(mesh.vertices)
    level = mesh.vertices @ turn
    low, high = level.min(axis=0), level.max(axis=0)
    centre = turn @ (low + high) / 2
    angle = float(np.arctan2(turn[1, 0], turn[0, 0]))
    return Region(tuple(centre), _REGION_SCALE * max(*(high - low), 1.0), angle)


def _cut(image: np.ndarray, image_to_crop: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 BGR -> (192, 192, 3) uint8 RGB."""
    crop = crop_face(image, image_to_crop, CROP_SIZE, interpolation="linear")
    return cv2.cvtColor(crop, cv2.COLOR_BGR2RGB)


def _mesh_and_confidence(network: FaceMesh, crops: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """(N, 192, 192, 3) uint8 RGB -> (N, 468, 2) crop pixels, (N,) confidence 0 to 1."""
    mesh, flag = network(tf.cast(crops, tf.float32) / 255)
    return mesh[..., :2], tf.sigmoid(flag)
