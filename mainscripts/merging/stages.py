"""The way of a frame: read, predict, merge and write, each in threads of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from core.frames import Frame, Load
from core.pipeline import FRAME_ERRORS, Failed, Stage
from facelib.types import Predictor
from mainscripts.merging.dst_faces import DstFace, FacesByStem
from mainscripts.merging.write import FrameWriter
from merger.modes import RAW_PREDICT
from merger.options import MergeOptions, needed_masks
from merger.paste import crop_for_prediction
from merger.pipeline import (
    FaceToMerge,
    MergedFrame,
    merge_frame,
    prediction_of,
    raw_prediction,
)

BATCH = 8
"""Frames in a network at a time."""


class ReadFrame(NamedTuple):
    """A frame with its picture, (H, W, 3) uint8 BGR, its faces and what the model sees of them."""

    frame: Frame
    image: np.ndarray
    faces: Sequence[DstFace]
    crops: list[np.ndarray]


@dataclass(frozen=True, eq=False)
class Merger:
    """Merges frames with one model.

    Attributes:
        predictor: The swap.
        faces: Of the frames.
    """

    predictor: Predictor
    faces: FacesByStem

    def read(self, item: tuple[Frame, Load]) -> ReadFrame:
        """Decodes a frame and cuts out its faces."""
        frame, load = item
        image, faces = load(), self.faces.get(frame.stem, ())
        crops = [crop_for_prediction(image, face.landmarks, self.predictor.face_type,
                                     self.predictor.resolution) for face in faces]
        return ReadFrame(frame, image, faces, crops)

    def predict(self, frames: Sequence[ReadFrame], options: MergeOptions
                ) -> list[list[FaceToMerge]]:
        """Swaps all faces of some frames in one batch.

        Args:
            frames: From `read`.
            options: Which masks are wanted.
        """
        crops = [crop for frame in frames for crop in frame.crops]
        if not crops:
            return [[] for _ in frames]
        face_mask, dst_mask = needed_masks(options)
        predictions = self.predictor(np.stack(crops), face_mask=face_mask, dst_mask=dst_mask)
        numbers = iter(range(len(crops)))
        return [[FaceToMerge(face.landmarks, prediction_of(predictions, next(numbers)), crop)
                 for face, crop in zip(frame.faces, frame.crops, strict=True)]
                for frame in frames]

    def merge(self, frame: ReadFrame, faces: Sequence[FaceToMerge], options: MergeOptions
              ) -> MergedFrame:
        """What is written for a frame."""
        if options.mode == RAW_PREDICT:
            return raw_prediction(faces, options, self.predictor.face_type,
                                  self.predictor.resolution)
        return merge_frame(frame.image, faces, options, self.predictor.face_type)


def merge_stages(merger: Merger, options: MergeOptions, writer: FrameWriter) -> list[Stage]:
    """The stages from (`Frame`, `Load`) to the number of faces merged.

    A frame whose faces cannot be merged is written as it came, and fails.
    """
    def predict(frames: Sequence[ReadFrame]) -> list[tuple[ReadFrame, list[FaceToMerge]]]:
        try:
            return list(zip(frames, merger.predict(frames, options), strict=True))
        except FRAME_ERRORS:
            if len(frames) == 1:
                _write_as_it_came(frames[0], writer)
            raise  # of several, each comes again alone

    def finish(item: tuple[ReadFrame, list[FaceToMerge]]) -> int | Failed:
        frame, faces = item
        try:
            merged = merger.merge(frame, faces, options)
        except FRAME_ERRORS:
            _write_as_it_came(frame, writer)
            raise
        is_changed = bool(faces) and not np.array_equal(merged.image, frame.image)
        writer.write(frame.frame.stem, merged, is_changed=is_changed)
        return len(faces)

    return [Stage("read", merger.read, workers=2), Stage("predict", predict, batch=BATCH),
            Stage("merge and write", finish, workers=2)]


def _write_as_it_came(frame: ReadFrame, writer: FrameWriter) -> None:
    empty = np.zeros((*frame.image.shape[:2], 1), frame.image.dtype)
    writer.write(frame.frame.stem, MergedFrame(frame.image, empty), is_changed=False)
