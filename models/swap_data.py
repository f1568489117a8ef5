"""What a swap trains on: a faceset of each side."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from models.options import TrainingOptions, effective
from models.side import Side
from models.training_data import (
    Folders,
    SampleSource,
    Share,
    TrainingData,
    fingerprint,
    load_reported,
    stream_settings,
)
from samplelib.batch_stream import Batch
from samplelib.faceset import Faceset
from samplelib.sampler import BatchGenerator, preview_batch

if TYPE_CHECKING:
    from models.base import SwapModel

PREVIEW_FACES = 4


@dataclass(frozen=True)
class SwapData(TrainingData):
    """Both sides of a swap; while pretraining, they have the same faces.

    Attributes:
        options: Of the model.
        facesets: Side -> faces.
    """

    names: ClassVar[tuple[str, ...]] = tuple(side.value for side in Side)
    folders: ClassVar[tuple[str, ...]] = ("src_dir", "dst_dir")

    options: TrainingOptions
    facesets: Mapping[str, Faceset]

    @classmethod
    def load(cls, folders: Folders, options: TrainingOptions,
             warn: Callable[[str], None]) -> Self:
        if getattr(options, "pretrain", False):
            faces = load_reported(folders.pretrain_dir, warn)
            return cls(options, {side.value: faces for side in Side})
        return cls(options, {"src": load_reported(folders.src_dir, warn),
                             "dst": load_reported(folders.dst_dir, warn)})

    def counts(self) -> dict[str, int]:
        return {side: len(faceset.faces) for side, faceset in self.facesets.items()}

    def fingerprints(self) -> dict[str, str]:
        return {side: fingerprint([face.path for face in faceset.faces])
                for side, faceset in self.facesets.items()}

    def sources(self, model: "SwapModel", share: Share) -> dict[str, SampleSource]:
        used, sources = effective(self.options), {}
        for number, side in enumerate(Side):
            extra = {}
            if getattr(used, "uniform_yaw", False):
                extra["uniform_yaw"] = True
            if getattr(used, "ct_mode", "none") != "none" and side is Side.SRC:
                extra["transfer_from"] = self.facesets[Side.DST.value]
            sources[side.value] = BatchGenerator(
                self.facesets[side.value], model.recipe(side), used.batch_size,
                seed=2 * used.seed + number, **extra,
                **stream_settings(share, side.value, used, model))
        return sources

    def preview_batches(self, model: "SwapModel") -> dict[str, Batch]:
        """Faces spread over each faceset."""
        src, dst = (self.facesets[side.value] for side in Side)
        middles = np.linspace(0, 1, PREVIEW_FACES + 2)[1:-1]
        # While pretraining both sides have the same faces: others of them are shown as dst.
        places = {Side.SRC: middles,
                  Side.DST: middles - 0.5 / (PREVIEW_FACES + 1) * (src is dst)}
        return {side.value: preview_batch(
            faceset, model.recipe(side),
            np.round(places[side] * (len(faceset.faces) - 1)).astype(int))
            for side, faceset in zip(Side, (src, dst), strict=True)}
