"""What S3FD trains on: pictures made of photographs, and what each anchor should say of them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from facelib.anchors import anchors
from models.photo_data import PhotoData
from models.s3fd.matching import match
from models.s3fd.options import S3FDOptions
from samplelib.batch_stream import Sample
from samplelib.face_outline import outline_of
from samplelib.photo_looks import random_look
from samplelib.photo_scene import SceneSizes, make_scene
from samplelib.photo_source import PhotoSource


@dataclass(frozen=True)
class S3FDData(PhotoData):
    """Samples: `image` (S, S, 3) uint8 BGR, `classes` (A,) int8, `offsets` (A, 4) float32; see
    `models.s3fd.matching.Targets`."""

    options: S3FDOptions

    def sample(self, source: PhotoSource, number: int, rng: np.random.Generator) -> Sample:
        scene = make_scene(source, number, SceneSizes(self.options.scene_side), rng)
        targets = match(_boxes(scene.faces), _boxes(scene.doubtful), self._anchors)
        return {"image": random_look(scene.image, rng), **targets._asdict()}

    @cached_property
    def _anchors(self) -> np.ndarray:
        return anchors(self.options.scene_side, self.options.scene_side)


def _boxes(faces: np.ndarray) -> np.ndarray:
    """(F, 68, 2) landmarks -> (F, 4) boxes."""
    return np.array([outline_of(landmarks).box for landmarks in faces]).reshape(-1, 4)
