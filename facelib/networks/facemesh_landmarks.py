"""Finds 68 landmarks with FaceMesh: pictures and boxes in, points out."""

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import cv2
import numpy as np
import tensorflow as tf

from core.geometry import compose_affine, invert_affine, transform_points
from core.imaging.warp import shrink
from facelib.landmarks import N_LANDMARKS
from facelib.mesh_landmarks import MeshToLandmarks
from facelib.networks.facemesh import CROP_SIZE, FaceMesh, load_facemesh
from facelib.networks.facemesh_regions import Mesh, Region, region_of_face, region_of_mesh
from facelib.types import Face
from leras.graph import compile as compile_graph

_SHIFTS_AND_SCALES = (
    (0.0, 0.0, 1.0),
    (0.02, 0.02, 1.02),
    (-0.02, 0.02, 0.98),
    (0.02, -0.02, 0.98),
    (-0.02, -0.02, 1.02),
)
"""Crops that are averaged: shift in x and y as a share of the region's side, and its scale."""

_REACH = 0.8
"""Half the diagonal of a region, in sides, with room for the shifts and scales above."""

_DOUBTFUL_LOGIT = 16.0
"""A mesh below it may be upside down: those reach 14, upright and unoccluded ones 15 to 38."""

_SETTLED_RADIANS = np.radians(8)
"""The network levels its mesh by its expectation, so a crop with more roll needs another look."""

_MAX_LOOKS = 4


class _View(NamedTuple):
    """One region of one image."""

    image: np.ndarray
    region: Region


class FaceMeshLandmarks:
    """A `LandmarkExtractor`.

    A first mesh from the detector's box and eye points shows the exact place and roll of the face;
    the landmarks come from one more mesh of that region. Where the first mesh is doubtful, the
    face is also looked at from the other three sides, since detectors take faces that lie or stand
    on their head for upright ones. All faces of all images go through the network together.
    """

    def __init__(
        self,
        network: FaceMesh,
        to_landmarks: MeshToLandmarks,
        *,
        samples: int = 5,
        min_confidence: float = 0.8,
        batch_size: int = 16,
    ):
        """
        Args:
            network: With its parameters loaded.
            to_landmarks: Picks the 68 landmarks out of a mesh.
            samples: 1 to 5 slightly different crops, whose meshes are averaged in the last pass;
                5 take away a quarter to a third of the jitter from frame to frame.
            min_confidence: A face that the mesh is less sure of gets no landmarks.
            batch_size: Most crops in the network at a time.

        Raises:
            ValueError: `samples` is out of range.
        """
        if not 1 <= samples <= len(_SHIFTS_AND_SCALES):
            raise ValueError(f"samples must be 1 to {len(_SHIFTS_AND_SCALES)}, not {samples}")
        self._to_landmarks = to_landmarks
        self._samples = samples
        self._min_confidence = min_confidence
        self._batch_size = batch_size
        self._run = compile_graph(
            lambda crops: _mesh_and_flag(network, crops),
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
        views = [
            _View(image, region_of_face(face))
            for image, found in zip(images, faces, strict=True)
            for face in found
        ]
        first = self._choose_upright(views, self._look(views))
        settled = self._settle(views, first)
        final = iter(self._look(_views_of(views, settled), self._samples))
        return [[next(final) for _ in found] for found in faces]

    def _landmarks(self, mesh: Mesh) -> np.ndarray:
        if mesh.confidence < self._min_confidence:
            return np.full((N_LANDMARKS, 2), np.nan)
        return self._to_landmarks(mesh.vertices)

    def _choose_upright(self, views: Sequence[_View], meshes: Sequence[Mesh]) -> list[Mesh]:
        """For each doubtful mesh the surest of four, one from each side of its region."""
        best = list(meshes)
        doubtful = [i for i, mesh in enumerate(meshes) if mesh.logit < _DOUBTFUL_LOGIT]
        for quarters in (1, 2, 3):
            turned = [_View(views[i].image, views[i].region.turned(quarters)) for i in doubtful]
            for i, mesh in zip(doubtful, self._look(turned)):
                best[i] = max(best[i], mesh, key=lambda one: one.logit)
        return best

    def _settle(self, views: Sequence[_View], meshes: Sequence[Mesh]) -> list[Mesh]:
        """Looks again at faces whose roll is still changing from one look to the next."""
        settled = list(meshes)
        angles = [view.region.angle for view in views]
        for _ in range(_MAX_LOOKS):
            moving = [
                i
                for i, mesh in enumerate(settled)
                if _angle_between(mesh.angle, angles[i]) > _SETTLED_RADIANS
            ]
            again = self._look(_views_of([views[i] for i in moving], [settled[i] for i in moving]))
            for i, mesh in zip(moving, again):
                angles[i], settled[i] = settled[i].angle, mesh
        return settled

    def _look(self, views: Sequence[_View], n_samples: int = 1) -> list[Mesh]:
        """One mesh for each view, the mean over the samples."""
        samples = _SHIFTS_AND_SCALES[:n_samples]
        matrices = [view.region.image_to_crop(*sample) for view in views for sample in samples]
        crops = (crop for view in views for crop in _cut(view, samples))
        vertices, logits = [], []
        while chunk := list(islice(crops, self._batch_size)):
            mesh, flag = self._run(np.stack(chunk))
            vertices.extend(mesh.astype(np.float64))
            logits.extend(flag)
        placed = [transform_points(v, invert_affine(m)) for v, m in zip(vertices, matrices)]
        return [
            Mesh(
                np.mean(placed[i : i + n_samples], axis=0),
                float(np.mean(logits[i : i + n_samples])),
            )
            for i in range(0, len(placed), n_samples)
        ]


def _views_of(views: Sequence[_View], meshes: Sequence[Mesh]) -> list[_View]:
    """The same images, looked at where their meshes are."""
    return [_View(view.image, region_of_mesh(mesh)) for view, mesh in zip(views, meshes)]


def _angle_between(a: float, b: float) -> float:
    """Smallest turn from one direction to the other, 0 to pi radians."""
    return abs((a - b + np.pi) % (2 * np.pi) - np.pi)


def _cut(view: _View, samples: Sequence[tuple[float, float, float]]) -> list[np.ndarray]:
    """The view's crops, (192, 192, 3) uint8 RGB each."""
    image, image_to_small = _shrink_to_crop_size(view)
    small_to_image = invert_affine(image_to_small)
    crops = []
    for sample in samples:
        small_to_crop = compose_affine(small_to_image, view.region.image_to_crop(*sample))
        crop = cv2.warpAffine(image, small_to_crop, (CROP_SIZE, CROP_SIZE))  # black outside
        crops.append(cv2.cvtColor(crop, cv2.COLOR_BGR2RGB))
    return crops


def _shrink_to_crop_size(view: _View) -> tuple[np.ndarray, np.ndarray]:
    """The part of the image around the region, shrunk once for all samples; image_to_small."""
    height, width = view.image.shape[:2]
    centre, reach = np.array(view.region.centre), _REACH * view.region.side
    x1, y1 = np.clip(np.floor(centre - reach).astype(int), 0, (width - 1, height - 1))
    x2, y2 = np.clip(np.ceil(centre + reach).astype(int), (x1 + 1, y1 + 1), (width, height))
    small, part_to_small = shrink(view.image[y1:y2, x1:x2], CROP_SIZE / view.region.side)
    return small, compose_affine(np.array([(1, 0, -x1), (0, 1, -y1)]), part_to_small)


def _mesh_and_flag(network: FaceMesh, crops: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """(N, 192, 192, 3) uint8 RGB -> (N, 468, 2) crop pixels, (N,) logit."""
    mesh, flag = network(tf.cast(crops, tf.float32) / 255)
    return mesh[..., :2], flag
