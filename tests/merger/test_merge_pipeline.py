import dataclasses

import cv2
import numpy as np
import pytest
from scipy import ndimage

from facelib.align import face_transform
from facelib.face_type import FaceType
from facelib.types import SwapPrediction
from merger.color_transfer import COLOR_TRANSFERS
from merger.masks import MASK_MODES, face_mask
from merger.modes import MODES
from merger.options import MergeOptions
from merger.paste import crop_for_prediction
from merger.pipeline import FaceToMerge, merge_frame, prediction_of, raw_prediction

TYPE = FaceType.FULL
HARD = MergeOptions(mask_mode="full", erode_mask=0, blur_mask=0, color_transfer="none")


@pytest.fixture
def face_of(round_mask):
    """A function (frame, landmarks, resolution, change) -> FaceToMerge of the changed crop."""

    def make(frame, landmarks, resolution=96, change=lambda crop: crop, face_type=TYPE):
        crop = crop_for_prediction(frame, landmarks, face_type, resolution)
        mask = round_mask(resolution)
        changed = np.clip(np.float32(change(crop)), 0, 1)
        return FaceToMerge(landmarks, SwapPrediction(changed, mask, mask), crop)

    return make


def constant(level):
    return lambda crop: np.full_like(crop, level)


def difference(image, frame):
    return np.abs(image.astype(int) - frame.astype(int))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("color_transfer", COLOR_TRANSFERS)
@pytest.mark.parametrize(("shape", "turn"), [((301, 403), 0), ((300, 401), 33)])
def test_a_face_predicted_as_itself_gives_the_frame(
    mode, color_transfer, shape, turn, smooth_frame, landmarks_at, face_of
):
    frame = smooth_frame(*shape)
    face = face_of(frame, landmarks_at(200, 150, 95, turn), 128)
    options = MergeOptions(mode=mode, color_transfer=color_transfer)
    merged = merge_frame(frame, [face], options, TYPE)
    assert merged.image.shape == frame.shape and merged.image.dtype == np.uint8
    assert merged.mask.shape == (*shape, 1) and merged.mask.max() == 255
    assert difference(merged.image, frame).max() <= 1


@pytest.mark.parametrize("mask_mode", [name for name in MASK_MODES if "XSeg" not in name])
@pytest.mark.parametrize("face_type", [FaceType.HALF, FaceType.WHOLE_FACE, FaceType.HEAD])
def test_every_mask_mode_and_face_type_gives_the_frame_back(
    mask_mode, face_type, smooth_frame, landmarks_at, face_of
):
    frame = smooth_frame(301, 403)
    face = face_of(frame, landmarks_at(200, 150, 60, -15), 128, face_type=face_type)
    merged = merge_frame(frame, [face], MergeOptions(mask_mode=mask_mode), face_type)
    assert difference(merged.image, frame).max() <= 1 and merged.mask.max() == 255


def test_a_changed_face_is_shown_inside_the_mask_only(smooth_frame, landmarks_at, face_of):
    frame = smooth_frame(240, 320)
    face = face_of(frame, landmarks_at(160, 120, 80), change=constant(0.8))
    options = dataclasses.replace(HARD, mask_mode="learned-prd", blur_mask=6)
    merged = merge_frame(frame, [face], options, TYPE)
    mask = merged.mask[..., 0]
    assert (merged.image[mask == 255] == 204).all()
    np.testing.assert_array_equal(merged.image[mask == 0], frame[mask == 0])
    assert ((mask > 0) & (mask < 255)).sum() > 500


def test_result_is_the_rounded_blend_of_paper_equation_one(smooth_frame, landmarks_at, face_of):
    frame = smooth_frame(240, 320)
    face = face_of(frame, landmarks_at(160, 120, 80), change=constant(0.6))
    merged = merge_frame(frame, [face], dataclasses.replace(HARD, blur_mask=40), TYPE)
    mask = merged.mask.astype(float) / 255
    expected = frame * (1 - mask) + 0.6 * 255 * mask
    errors = (merged.image - expected)[merged.mask[..., 0] > 0]
    assert np.abs(errors).max() < 1.0  # half a level each for the image and for the mask
    assert abs(errors.mean()) < 0.02  # truncation would shift everything by half a level


def test_working_in_the_bounding_box_equals_working_on_the_whole_frame(
    smooth_frame, landmarks_at, face_of
):
    rng = np.random.default_rng(5)
    frame = smooth_frame(331, 429)
    landmarks = landmarks_at(250, 140, 90, 21)
    texture = cv2.GaussianBlur(rng.random((96, 96, 3)).astype(np.float32), (0, 0), 2)
    face = face_of(frame, landmarks, change=lambda crop: crop + texture - 0.5)
    options = MergeOptions(color_transfer="none", output_face_scale=0)
    merged = merge_frame(frame, [face], options, TYPE)

    square = face_transform(landmarks, 1, TYPE)
    mask = face_mask(options.mask_mode, face, square, erode=2.5, blur=10)
    backwards = cv2.WARP_INVERSE_MAP
    size = (429, 331)
    whole_mask = cv2.warpAffine(
        mask, face_transform(landmarks, 256, TYPE), size, flags=cv2.INTER_LINEAR | backwards
    )[..., np.newaxis]
    whole_face = cv2.warpAffine(
        face.prediction.face,
        face_transform(landmarks, 96, TYPE),
        size,
        flags=cv2.INTER_CUBIC | backwards,
    )
    expected = frame / 255 * (1 - whole_mask) + np.clip(whole_face, 0, 1) * whole_mask
    assert np.abs(merged.image - expected * 255).max() < 1.5
    assert np.abs(merged.image - expected * 255).mean() < 0.3
    assert np.abs(merged.mask / 255 - whole_mask).max() < 0.03


@pytest.mark.parametrize("mode", [name for name in MODES if name not in ("original", "raw-rgb")])
def test_no_rectangle_shows_even_with_a_full_mask(mode, smooth_frame, landmarks_at, face_of):
    frame = np.full((300, 400, 3), 100, np.uint8)
    face = face_of(frame, landmarks_at(200, 150, 90, 10), change=lambda crop: crop + 0.2)
    options = MergeOptions(mode=mode, mask_mode="full", color_transfer="none")
    merged = merge_frame(frame, [face], options, TYPE)
    steps = [np.abs(np.diff(merged.image.astype(int), axis=axis)).max() for axis in (0, 1)]
    assert max(steps) <= 9  # of a difference of 51 grey levels, in a square of 144 pixels
    mask_steps = [np.abs(np.diff(merged.mask.astype(int), axis=axis)).max() for axis in (0, 1)]
    assert max(mask_steps) < 46


def test_original_leaves_the_frame_and_shows_the_mask(smooth_frame, landmarks_at, face_of):
    frame = smooth_frame(240, 320)
    face = face_of(frame, landmarks_at(160, 120, 80), change=constant(1.0))
    merged = merge_frame(frame, [face], MergeOptions(mode="original"), TYPE)
    np.testing.assert_array_equal(merged.image, frame)
    overlay = merge_frame(frame, [face], MergeOptions(), TYPE)
    np.testing.assert_array_equal(merged.mask, overlay.mask)


def test_rct_takes_the_colour_shift_of_a_prediction_back(smooth_frame, landmarks_at, face_of):
    frame = smooth_frame(240, 320)
    shift = np.float32([0.12, -0.05, -0.1])
    face = face_of(frame, landmarks_at(160, 120, 80), change=lambda crop: crop * 0.8 + shift)
    shown = {
        transfer: difference(
            merge_frame(frame, [face], MergeOptions(color_transfer=transfer), TYPE).image, frame
        ).max()
        for transfer in COLOR_TRANSFERS
    }
    assert shown["none"] > 30 and shown["rct"] < shown["none"] / 3


def test_hist_match_gives_the_frames_distribution_inside_the_mask(
    smooth_frame, landmarks_at, face_of
):
    frame = smooth_frame(240, 320)
    face = face_of(frame, landmarks_at(160, 120, 80), change=lambda crop: crop**2 * 0.7)
    options = MergeOptions(mode="hist-match", color_transfer="none", blur_mask=1, erode_mask=1)
    merged = merge_frame(frame, [face], options, TYPE)
    inside = merged.mask[..., 0] == 255
    levels = np.linspace(0, 100, 21)
    for channel in range(3):
        got = np.percentile(merged.image[inside, channel], levels)
        wanted = np.percentile(frame[inside, channel], levels)
        np.testing.assert_allclose(got, wanted, atol=5)


def test_seamless_takes_over_the_light_and_keeps_the_detail(landmarks_at, face_of):
    y, x = np.mgrid[:240, :320]
    frame = np.repeat(np.uint8(60 + x * 0.4)[..., np.newaxis], 3, axis=2)
    ripple = np.float32(0.05 * np.sin(np.arange(96) / 3))[np.newaxis, :, np.newaxis]
    face = face_of(frame, landmarks_at(160, 120, 80), change=lambda crop: 0.75 + ripple + 0 * crop)
    options = MergeOptions(mode="seamless", color_transfer="none")
    merged = merge_frame(frame, [face], options, TYPE)
    inside = merged.mask[..., 0] == 255
    cloned = merged.image[inside].astype(float).mean()
    assert abs(cloned - frame[inside].mean()) < 12  # overlay would be 75 levels brighter
    assert 5 < merged.image[inside].std() < 25


def test_raw_rgb_pastes_the_whole_square_as_predicted_and_a_hard_mask(
    smooth_frame, landmarks_at, face_of
):
    frame, landmarks = smooth_frame(240, 320), landmarks_at(160, 120, 60, 20)
    texture = np.random.default_rng(3).random((6, 6, 3)).astype(np.float32)
    texture = cv2.resize(texture, (96, 96), interpolation=cv2.INTER_CUBIC)
    face = face_of(frame, landmarks, change=lambda crop: texture)
    options = MergeOptions(mode="raw-rgb", mask_mode="learned-prd", color_transfer="mkl-m")
    merged = merge_frame(frame, [face], options, TYPE)

    y, x = np.mgrid[:240, :320]
    square = face_transform(landmarks, 1, TYPE)
    u, v = np.tensordot(square, np.stack([x, y, np.ones_like(x)]), axes=1) * 96
    inside = (np.minimum(u, v) > 2) & (np.maximum(u, v) < 94)
    outside = (np.minimum(u, v) < -2) | (np.maximum(u, v) > 98)
    assert inside.sum() > 5000 and outside.sum() > 5000
    np.testing.assert_array_equal(merged.image[outside], frame[outside])
    predicted = np.clip(face.prediction.face, 0, 1).astype(np.float64) * 255
    for channel in range(3):
        expected = ndimage.map_coordinates(predicted[..., channel], (v[inside], u[inside]), order=3)
        found = merged.image[inside, channel]
        assert np.abs(found - np.clip(expected, 0, 255)).max() <= 3
    # Neither moved nor softened: a disc with a radius of 0.35 sides.
    radius = np.hypot(u - 47.5, v - 47.5) / 96
    assert (merged.mask[radius < 0.31] == 255).all() and (merged.mask[radius > 0.39] == 0).all()


@pytest.mark.parametrize("resolution", [64, 256, 640])
def test_raw_predict_is_the_prediction_itself_with_its_mask(
    resolution, smooth_frame, landmarks_at, face_of
):
    frame = smooth_frame(240, 320)
    first, second = (face_of(frame, landmarks_at(x, 120, 60), resolution, constant(level))
                     for x, level in ((100, 0.37), (200, 0.9)))
    options = MergeOptions(mode="raw-predict", mask_mode="learned-prd*learned-dst")
    raw = raw_prediction([first, second], options, TYPE, resolution)
    assert raw.image.shape == (resolution, resolution, 3) and raw.image.dtype == np.uint8
    assert raw.mask.shape == (resolution, resolution, 1) and raw.mask.dtype == np.uint8
    assert (raw.image == 94).all()  # 0.37 * 255 = 94.35
    np.testing.assert_allclose(
        raw.mask.mean() / 255, first.prediction.face_mask.mean(), atol=0.01)
    assert np.mean((raw.mask > 5) & (raw.mask < 250)) < 0.08


def test_raw_predict_of_no_face_is_black():
    raw = raw_prediction([], MergeOptions(mode="raw-predict"), TYPE, 80)
    assert raw.image.shape == (80, 80, 3) and raw.mask.shape == (80, 80, 1)
    assert not raw.image.any() and not raw.mask.any()


def test_raw_predict_reports_a_prediction_that_is_not_finite(smooth_frame, landmarks_at, face_of):
    face = face_of(smooth_frame(240, 320), landmarks_at(160, 120, 80), change=constant(np.nan))
    with pytest.raises(ValueError, match="not finite"):
        raw_prediction([face], MergeOptions(mode="raw-predict"), TYPE, 96)


def test_face_scale_enlarges_what_is_pasted(smooth_frame, landmarks_at, face_of):
    frame = smooth_frame(300, 400)
    face = face_of(frame, landmarks_at(200, 150, 80), change=constant(0.9))
    areas, centres = [], []
    for scale in (-20, 0, 20):
        options = dataclasses.replace(HARD, mask_mode="learned-prd", output_face_scale=scale)
        mask = merge_frame(frame, [face], options, TYPE).mask[..., 0] / 255
        areas.append(mask.sum())
        centres.append(np.array([(mask.sum(axis=0) * np.arange(400)).sum(), 0]) / mask.sum())
    assert areas[0] / areas[1] == pytest.approx(0.8**2, rel=0.02)
    assert areas[2] / areas[1] == pytest.approx(1.2**2, rel=0.02)
    assert np.ptp(centres, axis=0)[0] < 1.0


def test_later_faces_lie_on_top_of_earlier_ones_and_keep_them(
    smooth_frame, landmarks_at, face_of
):
    frame = smooth_frame(240, 400)
    dark = face_of(frame, landmarks_at(150, 120, 80), change=constant(0.0))
    light = face_of(frame, landmarks_at(210, 120, 80), change=constant(1.0))
    options = dataclasses.replace(HARD, mask_mode="learned-prd", blur_mask=10)
    merged = merge_frame(frame, [dark, light], options, TYPE)
    alone = [merge_frame(frame, [face], options, TYPE).mask[..., 0] / 255 for face in (dark, light)]
    assert (merged.image[alone[1] == 1] == 255).all()
    assert (merged.image[(alone[0] == 1) & (alone[1] == 0)] == 0).all()
    # In the fade of the upper face over the lower one, the lower face shows and not the frame.
    fade = (alone[0] == 1) & (alone[1] > 0.3) & (alone[1] < 0.7)
    assert fade.sum() > 50
    np.testing.assert_allclose(merged.image[fade][:, 0], alone[1][fade] * 255, atol=2)
    union = 1 - (1 - alone[0]) * (1 - alone[1])
    np.testing.assert_allclose(merged.mask[..., 0] / 255, union, atol=0.01)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("x", "y"), [(0, 0), (319, 120), (160, 239), (-40, 100), (300, -30)])
def test_faces_partly_outside_of_the_frame_are_merged(
    mode, x, y, smooth_frame, landmarks_at, face_of
):
    frame = smooth_frame(240, 320)
    face = face_of(frame, landmarks_at(x, y, 90, 12), change=lambda crop: crop + 0.1)
    options = MergeOptions(mode=mode, mask_mode="full")
    merged = merge_frame(frame, [face], options, TYPE)
    assert merged.image.shape == frame.shape and merged.mask.max() > 0
    if mode != "original":
        assert difference(merged.image, frame).max() <= 90


@pytest.mark.parametrize("where", [(-500, 100, 50), (160, 120, 1.5), (160, 120, 0.3)])
def test_tiny_faces_and_faces_out_of_sight_leave_the_frame(
    where, smooth_frame, landmarks_at, face_of
):
    frame = smooth_frame(240, 320)
    face = face_of(frame, landmarks_at(*where), change=constant(1.0))
    merged = merge_frame(frame, [face], MergeOptions(), TYPE)
    np.testing.assert_array_equal(merged.image, frame)
    assert merged.mask.max() == 0


def test_an_empty_mask_leaves_the_frame_in_every_mode_that_puts_in(smooth_frame, landmarks_at):
    frame, landmarks = smooth_frame(240, 320), landmarks_at(160, 120, 80)
    nothing = np.zeros((64, 64, 1), np.float32)
    face = FaceToMerge(
        landmarks, SwapPrediction(np.ones((64, 64, 3), np.float32), nothing, nothing)
    )
    for mode in set(MODES) - {"raw-rgb"}:
        merged = merge_frame(frame, [face], MergeOptions(mode=mode), TYPE)
        np.testing.assert_array_equal(merged.image, frame)


def test_no_faces_give_a_copy_of_the_frame(smooth_frame):
    frame = smooth_frame(31, 47)
    merged = merge_frame(frame, [], MergeOptions(), TYPE)
    np.testing.assert_array_equal(merged.image, frame)
    assert merged.image is not frame and merged.mask.shape == (31, 47, 1) and not merged.mask.any()


def test_the_given_frame_is_not_changed(smooth_frame, landmarks_at, face_of):
    frame = smooth_frame(240, 320)
    before = frame.copy()
    face = face_of(frame, landmarks_at(160, 120, 80), change=constant(1.0))
    for mode in MODES:
        merge_frame(frame, [face], MergeOptions(mode=mode), TYPE)
    np.testing.assert_array_equal(frame, before)


@pytest.mark.parametrize("mode", ["overlay", "hist-match", "seamless"])
def test_flat_predictions_and_flat_frames_stay_finite(mode, landmarks_at, face_of):
    for level in (0, 128, 255):
        frame = np.full((200, 200, 3), level, np.uint8)
        face = face_of(frame, landmarks_at(100, 100, 60), change=constant(0.5))
        merged = merge_frame(frame, [face], MergeOptions(mode=mode), TYPE)
        assert difference(merged.image, frame).max() <= 1  # all colour comes from the frame


def test_a_prediction_that_is_not_finite_is_reported(smooth_frame, landmarks_at, face_of):
    frame = smooth_frame(240, 320)
    face = face_of(frame, landmarks_at(160, 120, 80), change=constant(np.nan))
    with pytest.raises(ValueError, match="not finite"):
        merge_frame(frame, [face], MergeOptions(), TYPE)


def test_without_a_given_crop_it_is_cut_out_again(smooth_frame, landmarks_at, face_of):
    frame = smooth_frame(240, 320)
    face = face_of(frame, landmarks_at(160, 120, 80), change=lambda crop: crop**2)
    again = dataclasses.replace(face, crop=None)
    with_crop, without = (merge_frame(frame, [x], MergeOptions(), TYPE) for x in (face, again))
    np.testing.assert_array_equal(with_crop.image, without.image)


def test_one_face_of_a_batch_keeps_its_arrays():
    batch = SwapPrediction(
        np.arange(24, dtype=np.float32).reshape(2, 2, 2, 3),
        np.arange(8, dtype=np.float32).reshape(2, 2, 2, 1),
        None,
    )
    second = prediction_of(batch, 1)
    np.testing.assert_array_equal(second.face, batch.face[1])
    np.testing.assert_array_equal(second.face_mask, batch.face_mask[1])
    assert second.dst_mask is None


def test_a_face_that_moves_smoothly_does_not_jitter(landmarks_at, face_of):
    """The pasted square follows sub-pixel motion in every mode: steps all have the same size."""
    frame = np.full((240, 320, 3), 90, np.uint8)
    for mode in ("overlay", "seamless"):
        options = MergeOptions(mode=mode, color_transfer="none")
        centres = []
        for step in range(8):
            landmarks = landmarks_at(150 + step * 0.3, 120 + step * 0.2, 80, 9)
            face = face_of(frame, landmarks, change=bump)
            merged = merge_frame(frame, [face], options, TYPE)
            weight = np.abs(merged.image.astype(float) - 90)[..., 0]
            centres.append((weight.sum(axis=0) @ np.arange(320)) / weight.sum())
        steps = np.diff(centres)
        assert steps.mean() == pytest.approx(0.3, abs=0.05) and steps.std() < 0.08


def bump(crop):
    """A bright spot in the middle of the square."""
    y, x = np.mgrid[:96, :96] - 47.5
    spot = 0.4 * np.exp(-(x**2 + y**2) / 200)
    return crop + np.float32(spot)[..., np.newaxis]
