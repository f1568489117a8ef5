"""The finish: motion, sharpness, and the frame brought down to the face's detail."""

import dataclasses

import cv2
import numpy as np
import pytest
from scipy import ndimage

from facelib.face_type import FaceType
from facelib.types import SwapPrediction
from merger.color_transfer import COLOR_TRANSFERS
from merger.modes import MODES
from merger.options import MergeOptions
from merger.paste import crop_for_prediction
from merger.pipeline import FaceToMerge, merge_frame

TYPE = FaceType.FULL
PLAIN = MergeOptions(mask_mode="learned-prd", color_transfer="none", blur_mask=5)
PUT_IN = [name for name, mode in MODES.items() if not mode.raw and not mode.keeps_frame]


@pytest.fixture
def face_with(round_mask):
    """A function (frame, landmarks, picture of side R, **more) -> FaceToMerge."""

    def make(frame, landmarks, picture, **more):
        side = picture.shape[0]
        prediction = SwapPrediction(np.float32(picture), round_mask(side), round_mask(side))
        return FaceToMerge(landmarks, prediction,
                           crop_for_prediction(frame, landmarks, TYPE, side), **more)

    return make


def spot(side=128, deviation=3.0):
    y, x = np.mgrid[:side, :side] - side / 2
    bump = 0.2 + 0.6 * np.exp(-(x**2 + y**2) / (2 * deviation**2))
    return np.repeat(bump[..., np.newaxis], 3, axis=2)


def spread(image):
    """Variances along x and y of what is brighter than 0.2 of 16 bits, in square pixels."""
    weight = image[..., 0] / 65535 - 0.2
    y, x = np.mgrid[:image.shape[0], :image.shape[1]]
    middle = [(weight * axis).sum() / weight.sum() for axis in (x, y)]
    return [(weight * (axis - mean) ** 2).sum() / weight.sum()
            for axis, mean in zip((x, y), middle, strict=True)]


@pytest.mark.parametrize(("motion", "power"), [
    ((12, 0), 100), ((0, 12), 100), ((24, 0), 50), ((0, -16), 75), ((30, 0), 0)])
@pytest.mark.parametrize("turn", [0, 35])
def test_motion_blur_goes_along_the_motion_in_the_frame(
    motion, power, turn, landmarks_at, face_with
):
    frame = np.full((240, 320, 3), 13107, np.uint16)
    landmarks = landmarks_at(160, 120, 80, turn)
    options = dataclasses.replace(PLAIN, motion_blur_power=power)
    still, moving = (
        spread(merge_frame(frame, [face_with(frame, landmarks, spot(), motion=way)], options,
                           TYPE).image) for way in ((0, 0), motion))
    for before, after, step in zip(still, moving, motion, strict=True):
        # An even line of length L adds L^2 / 12 to the variance along it.
        assert after - before == pytest.approx((step * power / 100) ** 2 / 12, abs=0.6)


def test_very_fast_faces_are_blurred_over_half_of_the_square_at_most(landmarks_at, face_with):
    frame = np.full((240, 320, 3), 51, np.uint8)
    options = dataclasses.replace(PLAIN, motion_blur_power=100)
    images = [merge_frame(frame, [face_with(frame, landmarks_at(160, 120, 80), spot(),
                                            motion=(way, 0))], options, TYPE).image
              for way in (400, 4000)]
    np.testing.assert_array_equal(*images)


@pytest.mark.parametrize("mode", PUT_IN)
@pytest.mark.parametrize(("kind", "amount"), [("box", 60), ("gaussian", 80), ("box", -40)])
def test_sharpening_changes_detail_and_keeps_the_light(
    mode, kind, amount, smooth_frame, landmarks_at, face_with
):
    rng = np.random.default_rng(4)
    grain = cv2.GaussianBlur(rng.normal(0, 1, (96, 96, 1)), (0, 0), 1)[..., np.newaxis] * 0.03
    frame = smooth_frame(240, 320)
    landmarks = landmarks_at(160, 120, 80)
    crop = crop_for_prediction(frame, landmarks, TYPE, 96)
    face = face_with(frame, landmarks, np.clip(crop + grain, 0, 1))
    plain = dataclasses.replace(PLAIN, mode=mode)
    changed = dataclasses.replace(plain, sharpen_mode=kind, blursharpen_amount=amount / 100 *
                                  (10 if amount > 0 else 100))
    images = [merge_frame(frame, [face], options, TYPE) for options in (plain, changed)]
    inside = cv2.erode(np.uint8(images[0].mask == 255), np.ones((9, 9))) > 0
    details = [(image.image - cv2.GaussianBlur(image.image.astype(float), (0, 0), 3))[inside].std()
               for image in images]
    lights = [image.image[inside].mean() for image in images]
    assert details[1] > 1.5 * details[0] if amount > 0 else details[1] < 0.75 * details[0]
    assert abs(lights[1] - lights[0]) < 2


def test_a_filter_does_not_resample_the_face_again(landmarks_at, face_with):
    """Sharpened by next to nothing, the face keeps all of its detail."""
    rng = np.random.default_rng(7)
    frame, landmarks = np.full((240, 320, 3), 120, np.uint8), landmarks_at(160, 120, 80)
    face = face_with(frame, landmarks, rng.random((128, 128, 3)))
    plain = merge_frame(frame, [face], PLAIN, TYPE).image.astype(float)
    touched = merge_frame(frame, [face], dataclasses.replace(
        PLAIN, sharpen_mode="gaussian", blursharpen_amount=1e-6), TYPE).image
    assert np.abs(touched - plain).max() <= 1


def test_denoising_takes_medians_of_the_frame_and_leaves_the_face(landmarks_at, face_with):
    rng = np.random.default_rng(1)
    frame = rng.integers(60, 180, (200, 280, 3), dtype=np.uint8)
    face = face_with(frame, landmarks_at(140, 100, 60), np.full((64, 64, 3), 0.6))
    merged = merge_frame(frame, [face], dataclasses.replace(PLAIN, image_denoise_power=15), TYPE)
    once = ndimage.median_filter(frame.astype(float), (5, 5, 1), mode="nearest")
    expected = once * 0.5 + ndimage.median_filter(once, (5, 5, 1), mode="nearest") * 0.5
    outside, inside = (merged.mask[..., 0] == level for level in (0, 255))
    assert np.abs(merged.image - expected)[outside].max() <= 0.51
    assert (merged.image[inside] == 153).all()


def test_bicubic_degrading_takes_the_frames_detail_and_leaves_the_face(landmarks_at, face_with):
    rng = np.random.default_rng(1)
    frame = rng.integers(60, 180, (200, 280, 3), dtype=np.uint8)
    face = face_with(frame, landmarks_at(140, 100, 60), np.full((64, 64, 3), 0.6))
    merged = merge_frame(frame, [face], dataclasses.replace(PLAIN, bicubic_degrade_power=60), TYPE)
    small = int(280 * (1 - 60 / 101)), int(200 * (1 - 60 / 101))
    degraded = cv2.resize(cv2.resize(frame.astype(np.float32), small,
                                     interpolation=cv2.INTER_CUBIC), (280, 200),
                          interpolation=cv2.INTER_CUBIC)
    outside, inside = (merged.mask[..., 0] == level for level in (0, 255))
    # Where the mask is rounded to 0 the face may still count for a tenth of a level.
    assert np.abs(merged.image - np.clip(degraded, 0, 255))[outside].max() <= 0.6
    assert (merged.image[inside] == 153).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_colour_degrading_leaves_256_colours_in_the_whole_picture(
    dtype, landmarks_at, face_with
):
    y, x = np.mgrid[:200, :280]
    frame = np.uint8(np.dstack([x / 280, y / 200, (x + y) / 480]) * 255)
    frame = frame.astype(dtype) * (257 if dtype == np.uint16 else 1)
    face = face_with(frame, landmarks_at(140, 100, 60), spot(64))
    merged = merge_frame(frame, [face], dataclasses.replace(PLAIN, color_degrade_power=100), TYPE)
    assert 100 < len(np.unique(merged.image.reshape(-1, 3), axis=0)) <= 256
    assert merged.image.dtype == dtype


@pytest.mark.parametrize("filters", [{"image_denoise_power": 20}, {"bicubic_degrade_power": 40},
                                     {"color_degrade_power": 100}])
def test_frames_without_faces_get_the_look_of_the_others(filters, landmarks_at, face_with):
    rng = np.random.default_rng(3)
    frame = rng.integers(0, 255, (120, 160, 3), dtype=np.uint8)
    options = dataclasses.replace(PLAIN, **filters)
    empty = merge_frame(frame, [], options, TYPE)
    assert (empty.image != frame).mean() > 0.3 and not empty.mask.any()
    if "color_degrade_power" not in filters:  # whose colours are chosen anew for each picture
        face = face_with(frame, landmarks_at(80, 60, 30), spot(64))
        merged = merge_frame(frame, [face], options, TYPE)
        outside = merged.mask[..., 0] == 0
        assert np.abs(merged.image.astype(int) - empty.image)[outside].max() <= 1
        assert (merged.image != empty.image)[outside].mean() < 0.001


@pytest.mark.parametrize("mode", ["original", "raw-rgb"])
def test_modes_that_put_nothing_in_leave_the_frame_alone(mode, smooth_frame, landmarks_at,
                                                         face_with):
    frame = smooth_frame(240, 320)
    face = face_with(frame, landmarks_at(160, 120, 60), spot(), motion=(20, 0))
    filtered = MergeOptions(mode=mode, image_denoise_power=30, color_degrade_power=100,
                            motion_blur_power=100, sharpen_mode="box", blursharpen_amount=50)
    plain = MergeOptions(mode=mode)
    for part in ("image", "mask"):
        np.testing.assert_array_equal(*(getattr(merge_frame(frame, [face], options, TYPE), part)
                                        for options in (plain, filtered)))


@pytest.mark.parametrize(("threshold", "share"), [(255, 1.0), (204, 0.8)])
@pytest.mark.parametrize("mode", ["hist-match", "seamless-hist-match"])
def test_the_threshold_cuts_off_the_references_highlights(
    mode, threshold, share, smooth_frame, landmarks_at, face_with
):
    frame, landmarks = smooth_frame(240, 320), landmarks_at(160, 120, 80)
    crop = crop_for_prediction(frame, landmarks, TYPE, 96)
    face = face_with(frame, landmarks, crop**2 * 0.7)
    options = dataclasses.replace(PLAIN, mode=mode, hist_match_threshold=threshold, blur_mask=1)
    merged = merge_frame(frame, [face], options, TYPE)
    inside = merged.mask[..., 0] == 255
    for channel in range(3):
        got = np.quantile(merged.image[inside, channel], [0.1, 0.5, 0.9])
        wanted = np.quantile(frame[inside, channel], np.array([0.1, 0.5, 0.9]) * share)
        np.testing.assert_allclose(got, wanted, atol=5)


def test_histograms_are_of_the_mask_or_of_the_whole_square(landmarks_at, face_with):
    """Around a dark face the frame is bright: only the masked match does not see that."""
    frame = np.full((240, 320, 3), 220, np.uint8)
    y, x = np.mgrid[:240, :320]
    ramp = np.uint8(40 + (x + y) % 40)
    disc = np.hypot(x - 160, y - 120) < 50
    frame[disc] = ramp[disc][:, np.newaxis]
    rng = np.random.default_rng(2)
    face = face_with(frame, landmarks_at(160, 120, 80), rng.random((96, 96, 1)) * np.ones(3))
    means = []
    for masked in (True, False):
        options = dataclasses.replace(PLAIN, mode="hist-match", masked_hist_match=masked)
        merged = merge_frame(frame, [face], options, TYPE)
        means.append(merged.image[merged.mask[..., 0] == 255].mean())
    assert means[0] == pytest.approx(60, abs=4) and means[1] > 90


@pytest.mark.parametrize("color_transfer", [name for name in COLOR_TRANSFERS if name != "none"])
def test_the_black_outside_of_the_frame_has_no_say(
    color_transfer, smooth_frame, landmarks_at, face_with
):
    """Half of the square lies outside; the prediction is the dst face in other colours."""
    whole = smooth_frame(240, 400)
    landmarks = landmarks_at(205, 120, 80)
    predicted = crop_for_prediction(whole, landmarks, TYPE, 96) * 0.7 + np.float32([0, 0.1, 0.2])
    frame = whole[:, 200:]
    face = face_with(frame, landmarks - (200, 0), np.clip(predicted, 0, 1))
    options = MergeOptions(mask_mode="full", color_transfer=color_transfer)
    merged = merge_frame(frame, [face], options, TYPE)
    shown = merged.mask[..., 0] == 255
    before = np.abs(frame[shown] / 255 * 0.7 + (0, 0.1, 0.2) - frame[shown] / 255).mean() * 255
    after = np.abs(merged.image[shown].astype(float) - frame[shown]).mean()
    # idt goes 64 % of the way; where black counted, the others would end further away.
    assert after < (0.5 if "idt" in color_transfer else 0.3) * before
