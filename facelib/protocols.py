"""What a detector, landmark extractor, embedder, segmenter and enhancer must be able to do.

A user's own class only has to have the method; it need not inherit from anything here.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from facelib.types import Face


class FaceDetector(Protocol):
    """Finds faces."""

    def detect(self, images: Sequence[np.ndarray]) -> list[list[Face]]:
        """Finds the faces of each image.

        Args:
            images: (H, W, 3) uint8 BGR each, of any sizes.

        Returns:
            One list per image, largest face first; boxes in pixels of that image.
        """


class LandmarkExtractor(Protocol):
    """Finds the 68 landmarks of known faces."""

    def extract(
        self, images: Sequence[np.ndarray], faces: Sequence[Sequence[Face]]
    ) -> list[np.ndarray]:
        """Finds the landmarks of each face.

        Args:
            images: (H, W, 3) uint8 BGR each, of any sizes.
            faces: The faces of each image, as the detector gives them.

        Returns:
            One (F, 68, 2) float32 array per image, pixels of that image, in the order of `faces`.
            A row of NaN says that the extractor saw no face in that box.
        """


class FaceEmbedder(Protocol):
    """Describes faces so that those of one person are alike.

    Attributes:
        same_person: Cosine of two embeddings from which on they are of one person.
    """

    same_person: float

    def embed(
        self, images: Sequence[np.ndarray], landmarks: Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        """Describes each face.

        Args:
            images: (H, W, 3) uint8 BGR each, of any sizes.
            landmarks: (F, 68, 2) float32 of each image, its pixels.

        Returns:
            One (F, D) float32 array per image, in the order of `landmarks`.
        """


class FaceSegmenter(Protocol):
    """Masks the visible face."""

    def segment(self, faces: np.ndarray) -> np.ndarray:
        """(N, S, S, 3) float32 BGR [0, 1] -> (N, S, S, 1) float32 [0, 1], 1 on visible face."""


class FaceEnhancer(Protocol):
    """Restores detail."""

    def enhance(self, faces: np.ndarray) -> np.ndarray:
        """(N, S, S, 3) float32 BGR [0, 1] -> the same shape and range, sharper."""

    def enlarge(self, face: np.ndarray) -> np.ndarray:
        """(H, W, 3) float32 BGR [0, 1] -> (4 H, 4 W, 3) float32, about the same range."""
