"""Faces with known landmarks, made from the mean faces; the networks, built once."""

import cv2
import numpy as np
import pytest

from facelib.landmarks import MODEL_3D, TEMPLATE_51
from facelib.registry import DETECTORS, LANDMARKERS


@pytest.fixture
def template_landmarks():
    """(68, 2) float64: the 2-D template x 100 at (300, 200), with all jaw points there."""
    landmarks = np.zeros((68, 2)) + (300, 200)
    landmarks[17:] += TEMPLATE_51 * 100
    return landmarks


@pytest.fixture(scope="session")
def project_face():
    """A function (rotation vector, image size) -> (68, 2): the 3-D mean face, photographed."""

    def project(rotation, size):
        camera = np.array([[size, 0, size / 2], [0, size, size / 2], [0, 0, 1.0]])
        model, place = MODEL_3D.astype(np.float64), np.float64((0, 0, 250))
        points, _ = cv2.projectPoints(model, np.float64(rotation), place, camera, None)
        return points[:, 0]

    return project


@pytest.fixture(scope="session")
def networks():
    """(detector, landmark extractor) by default."""
    return DETECTORS.load("yunet")(), LANDMARKERS.load("facemesh")()
