"""The way of a frame: read, predict, merge and write, each in threads of its own."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from core.frames import Frame, Load
from core.pipeline import FRAME_ERRORS, Stage
from facelib.types import Predictor, SwapPrediction
from mainscripts.merging.dst_faces import DstFace, FacesByStem
from mainscripts.merging.frame_settings import FrameSettings
from mainscripts.merging.write import Output
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
"""Frames whose faces are swapped together, and faces in the network at a time."""


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

    def look(self, frame: Frame, image: np.ndarray) -> ReadFrame:
        """Cuts the faces out of a frame."""
        faces = self.faces.get(frame.stem, ())
        crops = [crop_for_prediction(image, face.landmarks, self.predictor.face_type,
                                     self.predictor.resolution) for face in faces]
        return ReadFrame(frame, image, faces, crops)

    def predict(self, frames: Sequence[ReadFrame], options: Sequence[MergeOptions]
                ) -> list[list[FaceToMerge]]:
        """Swaps all faces of some frames, whatever frames they are among with the same result.

        Args:
            frames: From `look`.
            options: Of each; they say which masks are wanted.
        """
        crops = [crop for frame in frames for crop in frame.crops]
        face_mask, dst_mask = map(any, zip(*map(needed_masks, options)))
        predictions = self._predictions(crops, face_mask, dst_mask)
        return [[FaceToMerge(face.landmarks, next(predictions), crop)
                 for face, crop in zip(frame.faces, frame.crops, strict=True)]
                for frame in frames]

    def _predictions(self, crops: Sequence[np.ndarray], face_mask: bool, dst_mask: bool
                     ) -> Iterator[SwapPrediction]:
        # Batches are always full: with another size the last bit of a result may differ, and a
        # merge that went on after a crash would not give the very same pixels.
        for start in range(0, len(crops), BATCH):
            batch = crops[start: start + BATCH]
            full = [*batch, *[batch[-1]] * (BATCH - len(batch))]
            swapped = self.predictor(np.stack(full), face_mask=face_mask, dst_mask=dst_mask)
            for number in range(len(batch)):
                yield prediction_of(swapped, number)

    def merge(self, frame: ReadFrame, faces: Sequence[FaceToMerge], options: MergeOptions
              ) -> MergedFrame:
        """What is written for a frame."""
        if options.mode == RAW_PREDICT:
            return raw_prediction(faces, options, self.predictor.face_type,
                                  self.predictor.resolution)
        return merge_frame(frame.image, faces, options, self.predictor.face_type)


def merge_stages(merger: Merger, settings: FrameSettings, output: Output) -> list[Stage]:
    """The stages from (`Frame`, `Load`) to the number of faces merged.

    A frame whose faces cannot be merged is written as it came, and fails.
    """
    def read(item: tuple[Frame, Load]) -> ReadFrame:
        frame, load = item
        image = load()
        with _written_if_it_fails(frame, image, output):
            return merger.look(frame, image)

    def predict(frames: Sequence[ReadFrame]) -> list[tuple[ReadFrame, list[FaceToMerge]]]:
        options = [settings.of(frame.frame) for frame in frames]
        if len(frames) > 1:  # if one fails, each comes again alone
            return list(zip(frames, merger.predict(frames, options), strict=True))
        with _written_if_it_fails(frames[0].frame, frames[0].image, output):
            return [(frames[0], merger.predict(frames, options)[0])]

    def finish(item: tuple[ReadFrame, list[FaceToMerge]]) -> int:
        frame, faces = item
        with _written_if_it_fails(frame.frame, frame.image, output):
            merged = merger.merge(frame, faces, settings.of(frame.frame))
        is_changed = bool(faces) and not np.array_equal(merged.image, frame.image)
        output.write(frame.frame, merged, is_changed=is_changed)
        return len(faces)

    return [Stage("read", read, workers=2), Stage("predict", predict, batch=BATCH),
            Stage("merge and write", finish, workers=2)]


@contextlib.contextmanager
def _written_if_it_fails(frame: Frame, image: np.ndarray, output: Output) -> Iterator[None]:
    """Writes the frame as it came where the block fails, so that the sequence has no hole."""
    try:
        yield
    except FRAME_ERRORS:
        empty = np.zeros((*image.shape[:2], 1), image.dtype)
        output.write(frame, MergedFrame(image, empty), is_changed=False)
        raise
