"""What FaceEnhancer trains on: the faces of src."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from models.face_enhancer.options import FaceEnhancerOptions
from models.training_data import (
    Folders,
    SampleSource,
    Share,
    TrainingData,
    fingerprint,
    load_reported,
    stream_settings,
)
from samplelib.batch_stream import Batch, BatchStream, put_sample
from samplelib.enhancer_samples import EnhancerSamples
from samplelib.face_source import Problems
from samplelib.faceset import Faceset

if TYPE_CHECKING:
    from models.base import TrainedModel

SOURCE = "faces"
PREVIEW_FACES = 4


@dataclass(frozen=True)
class EnhancerData(TrainingData):
    """Faces of one person.

    Attributes:
        options: Of the model.
        faceset: The faces.
    """

    names: ClassVar[tuple[str, ...]] = (SOURCE,)
    folders: ClassVar[tuple[str, ...]] = ("src_dir",)

    options: FaceEnhancerOptions
    faceset: Faceset

    @classmethod
    def load(cls, folders: Folders, options: FaceEnhancerOptions,
             warn: Callable[[str], None]) -> Self:
        return cls(options, load_reported(folders.src_dir, warn))

    def counts(self) -> dict[str, int]:
        return {SOURCE: len(self.faceset.faces)}

    def fingerprints(self) -> dict[str, str]:
        return {SOURCE: fingerprint([face.path for face in self.faceset.faces])}

    def sources(self, model: "TrainedModel", share: Share) -> dict[str, SampleSource]:
        problems = Problems()
        samples = self._samples(self.options.seed, problems)
        return {SOURCE: BatchStream(samples.make, self.options.batch_size, problems=problems,
                                    **stream_settings(share, SOURCE, self.options, model))}

    def preview_batches(self, model: "TrainedModel") -> dict[str, Batch]:
        batch: Batch = {}
        samples = self._samples(self.options.seed + 1, Problems())
        for row in range(PREVIEW_FACES):
            put_sample(batch, samples.make(row), row, PREVIEW_FACES)
        return {SOURCE: batch}

    def _samples(self, seed: int, problems: Problems) -> EnhancerSamples:
        options = self.options
        return EnhancerSamples(self.faceset, options.patch, options.softness, seed, problems)
