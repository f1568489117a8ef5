"""8 and 16 bits: what goes in comes out, rounded once."""

import dataclasses

import cv2
import numpy as np
import pytest

from facelib.face_type import FaceType
from facelib.types import SwapPrediction
from merger.modes import MODES
from merger.options import MergeOptions
from merger.paste import crop_for_prediction
from merger.pipeline import FaceToMerge, merge_frame, raw_prediction

TYPE = FaceType.FULL
GREY_LEVEL = 257  # of 16 bits


@pytest.fixture(scope="module")
def deep_frame():
    """(260, 340, 3) uint16 whose values lie between the levels of 8 bits."""
    y, x = np.mgrid[:260, :340]
    waves = [np.sin(x / 60 + channel) * np.cos(y / 50 - channel) for channel in range(3)]
    return np.rint(30000 + 20000 * np.stack(waves, axis=-1)).astype(np.uint16)


def face_in(frame, landmarks, round_mask, change=lambda crop: crop):
    crop = crop_for_prediction(frame, landmarks, TYPE, 128)
    mask = round_mask(128)
    return FaceToMerge(landmarks, SwapPrediction(np.float32(change(crop)), mask, mask), crop)


@pytest.mark.parametrize("mode", MODES)
def test_a_deep_face_predicted_as_itself_gives_the_deep_frame(
    mode, deep_frame, landmarks_at, round_mask
):
    face = face_in(deep_frame, landmarks_at(170, 130, 85, 20), round_mask)
    merged = merge_frame(deep_frame, [face], MergeOptions(mode=mode), TYPE)
    assert merged.image.dtype == merged.mask.dtype == np.uint16
    assert merged.mask.max() == 65535
    errors = np.abs(merged.image.astype(int) - deep_frame)
    assert errors.max() <= GREY_LEVEL and errors.mean() < GREY_LEVEL / 12
    inside = merged.mask[..., 0] == 65535
    # Rounded to 8 bits on the way, all would be multiples of 257.
    assert len(np.unique(merged.image[inside] % GREY_LEVEL)) > 200


@pytest.mark.parametrize("mode", MODES)
def test_both_depths_agree_to_half_a_level(mode, deep_frame, landmarks_at, round_mask):
    shallow = np.rint(deep_frame / GREY_LEVEL).astype(np.uint8)
    deep = shallow.astype(np.uint16) * GREY_LEVEL
    landmarks, options = landmarks_at(170, 130, 85), MergeOptions(mode=mode)
    merged = [merge_frame(frame, [face_in(frame, landmarks, round_mask,
                                          lambda crop: crop * 0.7 + 0.1)], options, TYPE)
              for frame in (shallow, deep)]
    for small, large in zip(dataclasses.astuple(merged[0]), dataclasses.astuple(merged[1]),
                            strict=True):
        assert small.dtype == np.uint8 and large.dtype == np.uint16
        assert np.abs(small - large / GREY_LEVEL).max() <= 0.502


def test_the_crop_of_a_deep_frame_is_as_fine(deep_frame, landmarks_at):
    landmarks = landmarks_at(170, 130, 85)
    crop = crop_for_prediction(deep_frame, landmarks, TYPE, 64)
    shallow = np.rint(deep_frame / GREY_LEVEL).astype(np.uint8)
    np.testing.assert_allclose(crop, crop_for_prediction(shallow, landmarks, TYPE, 64),
                               atol=0.6 / 255)
    assert crop.dtype == np.float32 and 0 < crop.min() and crop.max() < 1


def test_raw_predictions_have_the_depth_that_is_wanted(deep_frame, landmarks_at, round_mask):
    face = face_in(deep_frame, landmarks_at(170, 130, 85), round_mask, lambda crop: 0.37 + 0 * crop)
    raw = raw_prediction([face], MergeOptions(mode="raw-predict"), TYPE, 128, np.uint16)
    assert raw.image.dtype == raw.mask.dtype == np.uint16
    assert (raw.image == 24248).all()  # 0.37 * 65535 = 24247.95


def test_overlapping_faces_are_rounded_once(smooth_frame, landmarks_at, round_mask):
    frame = np.full((240, 320, 3), 100, np.uint8)
    options = MergeOptions(mask_mode="full", erode_mask=0, blur_mask=40, color_transfer="none")
    faces = [face_in(frame, landmarks_at(x, 120, 80), round_mask, lambda crop: level + 0 * crop)
             for x, level in ((150, 0.3), (175, 0.7), (160, 0.5))]
    masks = [merge_frame(frame.astype(np.uint16), [face], options, TYPE).mask / 65535
             for face in faces]
    expected = frame / 255
    for mask, face in zip(masks, faces, strict=True):
        expected = expected * (1 - mask) + face.prediction.face[0, 0] * mask
    found = merge_frame(frame, faces, options, TYPE).image
    np.testing.assert_allclose(found, expected * 255, atol=0.51)


def test_faces_far_apart_are_merged_as_if_alone(smooth_frame, landmarks_at, round_mask):
    frame = smooth_frame(240, 420)
    faces = [face_in(frame, landmarks_at(x, 120, 50), round_mask, lambda crop: crop**2)
             for x in (90, 330)]
    left, right = (merge_frame(frame, [face], MergeOptions(), TYPE) for face in faces)
    both = merge_frame(frame, faces, MergeOptions(), TYPE)
    for part in ("image", "mask"):
        expected = getattr(left, part).copy()
        expected[:, 210:] = getattr(right, part)[:, 210:]
        np.testing.assert_array_equal(getattr(both, part), expected)


@pytest.mark.parametrize("scale", [-25, 0, 30])
@pytest.mark.parametrize("mode", ["overlay", "hist-match", "raw-rgb"])
def test_a_face_predicted_as_itself_is_the_frame_scaled_about_its_middle(
    mode, scale, smooth_frame, landmarks_at, round_mask
):
    frame = smooth_frame(300, 400)
    landmarks = landmarks_at(200, 150, 80)
    face = face_in(frame, landmarks, round_mask)
    options = MergeOptions(mode=mode, output_face_scale=scale, mask_mode="learned-prd")
    merged = merge_frame(frame, [face], options, TYPE)
    x, y = landmarks[17:].mean(axis=0)
    grow = 1 + scale / 100
    matrix = np.array([(grow, 0, x - grow * x), (0, grow, y - grow * y)])
    scaled = cv2.warpAffine(frame.astype(np.float32), matrix, (400, 300), flags=cv2.INTER_CUBIC)
    inside = cv2.erode((merged.mask == 255).astype(np.uint8), np.ones((5, 5))) > 0
    assert inside.sum() > 1500
    assert np.abs(merged.image[inside] - np.rint(scaled[inside])).max() <= 1
