"""Where in an image FaceMesh looks for a face, and what it sees there."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from facelib.mesh_landmarks import upright_axes
from facelib.networks.facemesh import CROP_SIZE
from facelib.types import Face

_REGION_SCALE = 1.5
"""Side of the region in longer sides of the face's box."""


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

    def turned(self, quarters: int) -> "Region":
        """The same square, turned clockwise by so many right angles."""
        return dataclasses.replace(self, angle=self.angle + quarters * np.pi / 2)

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
        logit: How sure the network is of a face: 12 to 38 for upright ones, below 0 for others.
    """

    vertices: np.ndarray
    logit: float

    @property
    def confidence(self) -> float:
        """The same as a probability, 0 to 1."""
        return float(1 / (1 + np.exp(-self.logit)))

    @property
    def angle(self) -> float:
        """Of the eye line against the image's rows, clockwise radians."""
        (cosine, _), (sine, _) = upright_axes(self.vertices)
        return float(np.arctan2(sine, cosine))


def region_of_face(face: Face) -> Region:
    """Around a detector's box, turned so that its eye points are level."""
    x1, y1, x2, y2 = np.asarray(face.box, np.float64)
    angle = 0.0
    if face.points is not None:
        eye_line = np.subtract(face.points[1], face.points[0])
        angle = float(np.arctan2(eye_line[1], eye_line[0]))
    side = _REGION_SCALE * max(x2 - x1, y2 - y1, 1.0)
    return Region(((x1 + x2) / 2, (y1 + y2) / 2), side, angle)


def region_of_mesh(mesh: Mesh) -> Region:
    """Around a mesh, turned so that its eyes are level."""
    axes = upright_axes(mesh.vertices)
    level = mesh.vertices @ axes
    low, high = level.min(axis=0), level.max(axis=0)
    centre_x, centre_y = axes @ (low + high) / 2
    return Region((centre_x, centre_y), _REGION_SCALE * max(*(high - low), 1.0), mesh.angle)
