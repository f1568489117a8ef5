"""What FAN trains on: crops of faces, and where their landmarks are."""

from dataclasses import dataclass

import numpy as np

from facelib.fan_sizes import CROP_SIZE, MAP_SIZE
from models.fan.options import FANOptions
from models.photo_data import PhotoData
from samplelib.batch_stream import Sample
from samplelib.photo_crop import make_crop
from samplelib.photo_looks import random_look
from samplelib.photo_source import PhotoSource


@dataclass(frozen=True)
class FANData(PhotoData):
    """Samples: `crop` (256, 256, 3) uint8 RGB, `points` (68, 2) float32, cells of the heat maps;
    whole numbers are centres of cells."""

    options: FANOptions

    def sample(self, source: PhotoSource, number: int, rng: np.random.Generator) -> Sample:
        crop = make_crop(source, number, CROP_SIZE, rng)
        points = (crop.landmarks + 0.5) * (MAP_SIZE / CROP_SIZE) - 0.5
        image = random_look(crop.image, rng)[..., ::-1]
        return {"crop": np.ascontiguousarray(image), "points": points.astype(np.float32)}
