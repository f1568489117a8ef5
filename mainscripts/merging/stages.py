"""The way of a frame: read, predict, merge and write, each in threads of its own."""

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

import numpy as np

from core.frames import Frame, FrameSource, Load
from core.pipeline import FRAME_ERRORS, SOURCE, Failed, Pipeline, Stage
from facelib.protocols import FaceEnhancer, FaceSegmenter
from facelib.types import Predictor
from mainscripts.merging.compositor import PatchWriter
from mainscripts.merging.dst_faces import DstFace, FacesByStem
from mainscripts.merging.frame_settings import FrameSettings
from mainscripts.merging.steady import ReadFrame, SwappedFrame, reach_of, steadied, views
from mainscripts.merging.stored import stored_mask_of, uses_stored_masks
from mainscripts.merging.write import Output
from merger.color_memory import FaceColors, measure_colors
from merger.modes import RAW_PREDICT
from merger.networks import SEGMENTER_SIDE, needed_networks, needed_of_faces, with_networks
from merger.options import MergeOptions, needed_masks
from merger.paste import crop_for_prediction
from merger.patches import FacePatch, face_patch
from merger.pipeline import (
    FaceToMerge,
    MergedFrame,
    merge_frame,
    prediction_of,
    raw_prediction,
)
from merger.segmented import with_square_masks

BATCH = 8
"""Frames whose faces are swapped together, and faces in the network at a time."""

T = TypeVar("T")


class MergeNetworks(NamedTuple):
    """The swap, and what else the options need: a segmenter and an enhancer, or None."""

    predictor: Predictor
    segmenter: FaceSegmenter | None = None
    enhancer: FaceEnhancer | None = None


@dataclass(frozen=True, eq=False)
class Merger:
    """Merges frames with one model.

    Attributes:
        networks: What it asks.
        faces: Of the frames.
    """

    networks: MergeNetworks
    faces: FacesByStem

    @property
    def predictor(self) -> Predictor:
        """The swap."""
        return self.networks.predictor

    def look(self, frame: Frame, image: np.ndarray) -> ReadFrame:
        """Cuts the faces out of a frame."""
        faces = self.faces.get(frame.stem, ())
        crops = [crop_for_prediction(image, face.landmarks, self.predictor.face_type,
                                     self.predictor.resolution) for face in faces]
        return ReadFrame(frame, image, faces, crops)

    def predict(self, frames: Sequence[ReadFrame], options: Sequence[Sequence[MergeOptions]]
                ) -> list[list[FaceToMerge]]:
        """Swaps all faces of some frames, whatever frames they are among with the same result.

        Args:
            frames: From `look`.
            options: All that each will be looked at with; they say what is wanted beside the face.
        """
        asked = [_Asked(frame, face, crop, own) for frame, own in zip(frames, options, strict=True)
                 for face, crop in zip(frame.faces, frame.crops, strict=True)]
        # Batches are always full: with another size the last bit of a result may differ, and a
        # merge that went on after a crash would not give the very same pixels.
        answers = iter([answer for start in range(0, len(asked), BATCH)
                        for answer in self._answered(asked[start: start + BATCH])])
        return [[next(answers) for _ in frame.faces] for frame in frames]

    def _answered(self, asked: Sequence["_Asked"]) -> list[FaceToMerge]:
        """What the networks say of at most BATCH faces."""
        face_mask, dst_mask = map(any, zip(*(needed_masks(options) for one in asked
                                             for options in one.options)))
        swapped = self.predictor(np.stack([one.crop for one in _filled(asked)]),
                                 face_mask=face_mask, dst_mask=dst_mask)
        faces = [FaceToMerge(one.face.landmarks, prediction_of(swapped, number), one.crop,
                             stored_mask=stored_mask_of(one.face)
                             if any(map(uses_stored_masks, one.options)) else None,
                             eyebrows_expand=one.face.eyebrows_expand, motion=one.face.motion)
                 for number, one in enumerate(asked)]
        for options in {options for one in asked for options in one.options
                        if any(needed_networks(options))}:
            places = [place for place, one in enumerate(asked) if options in one.options]
            for place, face in zip(places, self._completed(
                    [asked[place] for place in places], [faces[place] for place in places],
                    options)):
                faces[place] = face
        return faces

    def _completed(self, asked: Sequence["_Asked"], faces: Sequence[FaceToMerge],
                   options: MergeOptions) -> list[FaceToMerge]:
        """Faces of the same options with what the segmenter and the enhancer say."""
        batch, frames = _filled(faces), _filled([one.frame.image for one in asked])
        face_type, dst_faces = self.predictor.face_type, None
        if needed_networks(options).xseg_dst:
            dst_faces = [crop_for_prediction(frame, face.landmarks, face_type, SEGMENTER_SIDE)
                         for frame, face in zip(frames, batch)]
        batch = with_square_masks(frames, batch, options, self.networks.segmenter, face_type)
        return with_networks(batch, options, self.networks.segmenter, self.networks.enhancer,
                             dst_faces)[: len(faces)]

    def colors(self, frame: ReadFrame, faces: Sequence[FaceToMerge], view: MergeOptions
               ) -> list[FaceColors | None]:
        """The colours of a frame's faces, in a view of `steady.views`."""
        return [measure_colors(frame.image, face, view, self.predictor.face_type)
                for face in faces]

    def merge(self, frame: ReadFrame, faces: Sequence[FaceToMerge], options: MergeOptions
              ) -> MergedFrame:
        """What is written for a frame."""
        if options.mode == RAW_PREDICT:
            return raw_prediction(faces, options, self.predictor.face_type,
                                  self.predictor.resolution, frame.image.dtype)
        return merge_frame(frame.image, faces, options, self.predictor.face_type)

    def patches(self, frame: ReadFrame, faces: Sequence[FaceToMerge], options: MergeOptions
                ) -> list[FacePatch]:
        """The new faces of a frame by themselves."""
        return [face_patch(frame.image, face, options, self.predictor.face_type) for face in faces]


class _Asked(NamedTuple):
    """One face that the networks are asked about."""

    frame: ReadFrame
    face: DstFace
    crop: np.ndarray
    options: Sequence[MergeOptions]


def is_changed(frame: ReadFrame, merged: MergedFrame) -> bool:
    """Whether a result shows something else than the frame did."""
    if merged.image.shape != frame.image.shape:  # the prediction alone, black without a face
        return bool(merged.image.any())
    return not np.array_equal(merged.image, frame.image)


def _filled(batch: Sequence[T]) -> list[T]:
    """A batch of BATCH items; the last one is there as often as needed."""
    return [*batch, *[batch[-1]] * (BATCH - len(batch))]


@dataclass(frozen=True, eq=False)
class MergeWork:
    """All that is done to frames, as stages of pipelines.

    Attributes:
        merger: Knows the networks.
        settings: How each frame is merged.
        output: Where they go.
        written: Names of the frames that are to be written; others are only looked at.
        patches: Takes the new faces by themselves, if they are wanted.
        views: Frame index -> how those to be written look at its colours.
    """

    merger: Merger
    settings: FrameSettings
    output: Output
    written: Collection[str]
    patches: PatchWriter | None = None
    views: Mapping[int, Collection[MergeOptions]] = field(default_factory=dict)

    def pipeline(self, source: FrameSource, frames: Sequence[Frame]) -> "MergePipeline":
        """Merges frames; gives (frame name, number of faces or `Failed`) of those to be written.

        Args:
            source: Reads them.
            frames: In order: those to be written, and around them what their colours depend on.
        """
        written = [frame for frame in frames if frame.name in self.written]
        wanted = views(written, self.merger.faces, self.settings)
        return MergePipeline(replace(self, views=wanted), source, frames)

    def read(self, item: tuple[Frame, Load]) -> ReadFrame:
        """The first stage."""
        frame, load = item
        image = load()
        with self._written_if_it_fails(frame, image):
            return self.merger.look(frame, image)

    def predict(self, frames: Sequence[ReadFrame]) -> list[SwappedFrame]:
        """The second stage."""
        options = [self._looked_at_with(frame.frame) for frame in frames]
        if len(frames) > 1:  # if one fails, each comes again alone
            return list(map(SwappedFrame, frames, self.merger.predict(frames, options)))
        with self._written_if_it_fails(frames[0].frame, frames[0].image):
            return [SwappedFrame(frames[0], self.merger.predict(frames, options)[0])]

    def measure(self, swapped: SwappedFrame) -> SwappedFrame:
        """The third stage: the colours that steady those of the frames around."""
        frame = swapped.frame
        with self._written_if_it_fails(frame.frame, frame.image):
            return swapped._replace(colors={
                view: self.merger.colors(frame, swapped.faces, view)
                for view in self.views.get(frame.frame.index, ())})

    def finish(self, swapped: SwappedFrame) -> int:
        """The last stage."""
        frame, faces = swapped.frame, swapped.faces
        if frame.frame.name not in self.written:
            return len(faces)
        options = self.settings.of(frame.frame)
        with self._written_if_it_fails(frame.frame, frame.image):
            merged = self.merger.merge(frame, faces, options)
            if self.patches is not None:
                self.patches.write(frame.frame, frame.image.shape[:2],
                                   self.merger.patches(frame, faces, options))
        self.output.write(frame.frame, merged, is_changed=is_changed(frame, merged))
        return len(faces)

    def _looked_at_with(self, frame: Frame) -> list[MergeOptions]:
        """A frame's own options, and the views that need masks which these do not."""
        own = self.settings.of(frame)
        return [own, *(view for view in self.views.get(frame.index, ())
                       if not needed_of_faces(view) <= needed_of_faces(own))]

    @contextlib.contextmanager
    def _written_if_it_fails(self, frame: Frame, image: np.ndarray) -> Iterator[None]:
        """Writes the frame as it came where the block fails, so that the sequence has no hole."""
        try:
            yield
        except FRAME_ERRORS:
            if frame.name in self.written:
                empty = np.zeros((*image.shape[:2], 1), image.dtype)
                self.output.write(frame, MergedFrame(image, empty), is_changed=False)
            raise


class MergePipeline:
    """Iterate over it to merge; see `MergeWork.pipeline`."""

    def __init__(self, work: MergeWork, source: FrameSource, frames: Sequence[Frame]):
        self._work, reach = work, _reach(work.settings, frames)
        self._looking = Pipeline(source.read(frames), [
            Stage("read", work.read, workers=2), Stage("predict", work.predict, batch=BATCH),
            *[Stage("measure colours", work.measure, workers=2)] * (reach > 0)])
        self._writing = Pipeline(
            steadied(self._looking, work.settings, reach),
            [Stage("merge and write", work.finish, workers=2)])

    def __iter__(self) -> Iterator[tuple[str, int | Failed]]:
        return (item for item in self._writing if item[0] in self._work.written)

    @property
    def stats(self) -> dict[str, dict[str, float]]:
        """Stage -> busy seconds and items, as of `core.pipeline.Pipeline`."""
        writing = {name: figures for name, figures in self._writing.stats.items()
                   if name != SOURCE}
        return {**self._looking.stats, **writing}


def _reach(settings: FrameSettings, frames: Sequence[Frame]) -> int:
    return max((reach_of(settings.of(frame)) for frame in frames), default=0)
