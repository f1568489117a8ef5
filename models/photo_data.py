"""Photographs with labelled faces: what networks that find faces train on."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from facelib.detect import FaceFinder
from facelib.registry import DETECTORS, LANDMARKERS
from models.options import TrainingOptions
from models.training_data import (
    Folders,
    SampleSource,
    Share,
    TrainingData,
    fingerprint,
    stream_settings,
)
from samplelib.batch_stream import Batch, BatchStream, Sample, put_sample
from samplelib.face_source import Problems
from samplelib.order import Shuffled, Stream, sample_rng
from samplelib.photo_source import PhotoSource
from samplelib.photographs import (
    Photographs,
    label_photographs,
    load_photographs,
    unlabelled,
)

if TYPE_CHECKING:
    from models.base import TrainedModel

TEACHERS = "yunet", "facemesh"
"""Detector and landmark extractor that label photographs without labels."""

PHOTOS = "photos"
PREVIEW_SAMPLES = 6


@dataclass(frozen=True)
class PhotoData(TrainingData):
    """Photographs, of which a subclass makes samples.

    Where a photograph has no labels, FaceLab's own detector and landmark extractor make them before
    the training, and they stay beside it.

    Attributes:
        options: Of the model.
        photographs: What there is to train on.
    """

    names: ClassVar[tuple[str, ...]] = (PHOTOS,)
    folders: ClassVar[tuple[str, ...]] = ("data_dir",)

    options: TrainingOptions
    photographs: Photographs

    @classmethod
    def load(cls, folders: Folders, options: TrainingOptions,
             warn: Callable[[str], None]) -> Self:
        photos = unlabelled(folders.data_dir)
        if photos:
            detector, landmarker = TEACHERS
            finder = FaceFinder(DETECTORS.load(detector)(), LANDMARKERS.load(landmarker)())
            label_photographs(photos, finder, ", ".join(TEACHERS), warn)
        photographs = load_photographs(folders.data_dir)
        for path, reason in photographs.skipped:
            warn(f"{path.name}: {reason}")
        return cls(options, photographs)

    @abstractmethod
    def sample(self, source: PhotoSource, number: int, rng: np.random.Generator) -> Sample:
        """One sample.

        Args:
            source: Of the photographs.
            number: Of the photograph that it has to show.
            rng: Of all chance.
        """

    def counts(self) -> dict[str, int]:
        faces, plain = self.photographs.faces, self.photographs.plain
        return {"photographs": len(faces) + len(plain),
                "faces": sum(len(photo.landmarks) for photo in faces)}

    def fingerprints(self) -> dict[str, str]:
        photos = (*self.photographs.faces, *self.photographs.plain)
        return {PHOTOS: fingerprint([photo.path for photo in photos], "photographs")}

    def sources(self, model: "TrainedModel", share: Share) -> dict[str, SampleSource]:
        problems = Problems()
        source = PhotoSource(self.photographs, problems)
        order = Shuffled(self.options.seed, source.n_faces)

        def make(position: int) -> Sample:
            number = next(order.candidates(position))
            return self.sample(source, number, sample_rng(self.options.seed, position))

        stream = BatchStream(make, self.options.batch_size, problems=problems,
                             **stream_settings(share, PHOTOS, self.options, model))
        return {PHOTOS: stream}

    def preview_batches(self, model: "TrainedModel") -> dict[str, Batch]:
        """Samples of photographs spread over the folder."""
        source = PhotoSource(self.photographs, Problems(), n_bytes=0)
        numbers = np.linspace(0, source.n_faces - 1, PREVIEW_SAMPLES).round().astype(int)
        batch: Batch = {}
        for row, number in enumerate(numbers.tolist()):
            rng = sample_rng(self.options.seed, row, Stream.REFERENCES)
            put_sample(batch, self.sample(source, number, rng), row, len(numbers))
        return {PHOTOS: batch}
