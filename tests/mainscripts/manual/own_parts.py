"""A detector and a landmark extractor without networks, for tests of the command."""

import numpy as np

from facelib.types import Face
from tests.mainscripts.manual.faces import landmarks_in


class Middle:
    """Sees one face in wide frames that are not dark, none in others and in aligned faces."""

    def detect(self, images):
        return [[Face(np.float32([200, 60, 280, 140]), 0.9)]
                if image.mean() > 50 and image.shape[1] > image.shape[0] else []
                for image in images]


class Mean:
    """Puts the mean face into every box."""

    def extract(self, images, faces):
        return [np.array([landmarks_in(face.box) for face in found]).reshape(-1, 68, 2)
                for found in faces]
