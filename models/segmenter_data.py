"""What segmenters train on: labelled faces of both sides together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from core.errors import UsageError
from facelib.face_type import FaceType
from models.options import TrainingOptions
from models.segmenter_options import SegmenterOptions
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
from samplelib.face_source import Problems
from samplelib.faceset import Faceset
from samplelib.labelled_faces import LabelledFaces, Labels, find_labelled
from samplelib.recipe import require_coverage
from samplelib.segmentation_sampler import (
    SegmentationSamples,
    Variety,
    WarpedFaces,
    plain_faces,
)

if TYPE_CHECKING:
    from models.base import TrainedModel

SOURCE = "faces"
PREVIEW_FACES = 4


@dataclass(frozen=True)
class SegmenterData(TrainingData):
    """Labelled faces; while pretraining, any faces.

    Attributes:
        options: Of the model.
        facesets: "src", "dst" or both, for the previews; while pretraining "pretraining".
        labelled: None while pretraining.
    """

    names: ClassVar[tuple[str, ...]] = (SOURCE,)
    folders: ClassVar[tuple[str, ...]] = ("src_dir", "dst_dir")

    options: SegmenterOptions
    facesets: Mapping[str, Faceset]
    labelled: LabelledFaces | None

    @classmethod
    def needed(cls, options: TrainingOptions) -> tuple[str, ...]:
        """Of src and dst, one is enough."""
        return ("pretrain_dir",) if options.pretrain else ()

    @classmethod
    def load(cls, folders: Folders, options: SegmenterOptions, warn: Callable[[str], None]) -> Self:
        """
        Raises:
            UsageError: No folder is named.
        """
        face_type = FaceType.parse(options.face_type)
        if options.pretrain:
            faceset = load_reported(folders.pretrain_dir, warn)
            require_coverage(faceset, face_type)
            return cls(options, {"pretraining": faceset}, None)
        named = {"src": folders.src_dir, "dst": folders.dst_dir}
        facesets = {side: load_reported(folder, warn) for side, folder in named.items() if folder}
        if not facesets:
            raise UsageError("there are no faces to train on; give --src-dir, --dst-dir or both")
        labels = None if options.labels == "auto" else Labels(options.labels)
        return cls(options, facesets,
                   find_labelled(list(facesets.values()), face_type, labels, warn))

    def counts(self) -> dict[str, int]:
        if self.labelled is None:
            return {"pretraining": len(self.facesets["pretraining"].faces)}
        return {f"labelled ({self.labelled.labels})": len(self.labelled.faces)}

    def fingerprints(self) -> dict[str, str]:
        faces = (self.facesets["pretraining"] if self.labelled is None else self.labelled).faces
        return {SOURCE: fingerprint([face.path for face in faces])}

    def sources(self, model: "TrainedModel", share: Share) -> dict[str, SampleSource]:
        problems = Problems()
        samples = self._samples(problems, self.options.occluders)
        return {SOURCE: BatchStream(samples.make, self.options.batch_size, problems=problems,
                                    **stream_settings(share, SOURCE, self.options, model))}

    def preview_batches(self, model: "TrainedModel") -> dict[str, Batch]:
        """Samples as they are trained on, and faces of each folder as they are."""
        samples, trained = self._samples(Problems(), self.options.occluders), {}
        for row in range(PREVIEW_FACES):
            put_sample(trained, samples.make(row), row, PREVIEW_FACES)
        face_type = FaceType.parse(self.options.face_type)
        shown = {name: faceset for name, faceset in self.facesets.items()
                 if self.labelled is not None and _all_cover(faceset, face_type)}
        return {SOURCE: trained} | {
            name: plain_faces(faceset, self.options.resolution, face_type,
                              _spread(len(faceset.faces)))
            for name, faceset in shown.items()}

    def _samples(self, problems: Problems,
                 occluders: float) -> SegmentationSamples | WarpedFaces:
        options = self.options
        known = (options.resolution, FaceType.parse(options.face_type), options.seed)
        if self.labelled is None:
            return WarpedFaces(self.facesets["pretraining"], *known, problems)
        return SegmentationSamples(self.labelled, *known,
                                   Variety(options.background_mix, occluders, options.filters),
                                   problems)


def _all_cover(faceset: Faceset, face_type: FaceType) -> bool:
    shown = {FaceType(value) for value in np.unique(faceset.faces.column("face_type")).tolist()}
    return all(known == FaceType.MARK_ONLY or known.padding >= face_type.padding
               for known in shown)


def _spread(n_faces: int) -> np.ndarray:
    """Places of faces spread over a faceset."""
    middles = np.linspace(0, 1, PREVIEW_FACES + 2)[1:-1]
    return np.round(middles * (n_faces - 1)).astype(int)
