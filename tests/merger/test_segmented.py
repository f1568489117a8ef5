"""Masks of a segmenter that knows another crop than the swap model."""

import cv2
import numpy as np
import pytest

from facelib.align import face_transform
from facelib.face_type import FaceType
from facelib.types import SwapPrediction
from merger.faces import FaceToMerge
from merger.options import MergeOptions
from merger.segmented import with_square_masks

SIDE = 256
RED, BLUE = (20, 30, 220), (220, 30, 20)


class Colored:
    """Masks what is of a colour."""

    def __init__(self, face_type, channel):
        self.face_type, self._channel, self.shown = face_type, channel, None

    def segment(self, faces):
        self.shown = faces
        others = [c for c in (0, 2) if c != self._channel]
        return (faces[..., [self._channel]] > faces[..., others] + 0.3).astype(np.float32)


@pytest.fixture
def shot(landmarks_at):
    """(frame with a red disc on the face, its face with a blue prediction)."""
    frame = np.full((360, 480, 3), 90, np.uint8)
    points = landmarks_at(240, 180, 110, 15)
    x, y = points[17:].mean(axis=0)
    cv2.circle(frame, (round(x), round(y)), 30, RED, -1)
    predicted = np.full((64, 64, 3), np.float32(BLUE) / 255)
    return frame, FaceToMerge(points, SwapPrediction(predicted, None, None))


def disc_in_square(frame, face, face_type):
    """The red disc by a plain warp of the frame."""
    matrix = face_transform(face.landmarks, SIDE, face_type)
    warped = cv2.warpAffine(frame, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    return warped[..., 2].astype(int) > warped[..., 0].astype(int) + 76


@pytest.mark.parametrize("own", [FaceType.WHOLE_FACE, FaceType.HEAD, FaceType.HALF])
def test_masks_of_dst_lie_where_they_would_in_the_swap_models_crop(shot, own):
    frame, face = shot
    segmenter = Colored(own, 2)
    [done] = with_square_masks([frame], [face], MergeOptions(mask_mode="XSeg-dst"), segmenter,
                               FaceType.FULL)
    wanted = disc_in_square(frame, face, FaceType.FULL)
    got = done.xseg_dst[..., 0] > 0.5
    assert (got & wanted).sum() / (got | wanted).sum() > 0.95 and done.xseg_prd is None


def test_the_predicted_face_is_shown_in_its_place_within_the_frame(shot):
    frame, face = shot
    segmenter = Colored(FaceType.WHOLE_FACE, 0)
    [done] = with_square_masks([frame], [face], MergeOptions(mask_mode="XSeg-prd"), segmenter,
                               FaceType.FULL)
    inner = done.xseg_prd[8:-8, 8:-8, 0]
    assert inner.min() == 1.0  # the whole swap square is predicted
    blue = segmenter.shown[0, ..., 0] > 0.7
    share = (FaceType.FULL.coverage / FaceType.WHOLE_FACE.coverage) ** 2
    assert blue.mean() == pytest.approx(share, rel=0.05)
    assert segmenter.shown[0][~blue].mean() == pytest.approx(90 / 255, abs=0.02)


def test_a_segmenter_of_the_same_crop_or_of_none_is_left_to_the_usual_way(shot):
    frame, face = shot
    options = MergeOptions(mask_mode="XSeg-dst")
    same = Colored(FaceType.FULL, 2)
    assert with_square_masks([frame], [face], options, same, FaceType.FULL) == [face]
    del same.face_type
    assert with_square_masks([frame], [face], options, same, FaceType.FULL) == [face]
    other = Colored(FaceType.HEAD, 2)
    assert with_square_masks([frame], [face], MergeOptions(mask_mode="dst"), other,
                             FaceType.FULL) == [face]
