"""What sets the blending modes apart, and the seed of all chance."""

import cv2
import numpy as np
import pytest

from facelib.face_type import FaceType
from facelib.types import SwapPrediction
from merger.color_transfer import COLOR_TRANSFERS
from merger.modes import HIST_MATCH_MODES, MODES, is_raw
from merger.options import MergeOptions
from merger.paste import crop_for_prediction
from merger.pipeline import FaceToMerge, merge_frame
from merger.steps import blend_by_bands

TYPE = FaceType.FULL


def merged(mode, frame, landmarks, picture, mask, seed=0, **options):
    face = FaceToMerge(landmarks, SwapPrediction(np.float32(picture), mask, mask),
                       crop_for_prediction(frame, landmarks, TYPE, len(picture)))
    options = MergeOptions(mode=mode, mask_mode="learned-prd", **options)
    return merge_frame(frame, [face], options, TYPE, seed)


def width_of_fade(row, low, high):
    """Pixels along a rising row between 10 and 90 % of its way."""
    share = (row.astype(float) - low) / (high - low)
    return np.count_nonzero((share > 0.1) & (share < 0.9))


def test_laplacian_fades_light_over_more_and_detail_over_less_than_overlay(
    landmarks_at, round_mask
):
    frame = np.full((400, 500, 3), 100, np.uint8)
    landmarks = landmarks_at(250, 200, 150)
    stripes = 0.1 * (-1.0) ** np.arange(192)[np.newaxis, :, np.newaxis]
    flat = np.full((192, 192, 3), 0.6)
    lights, details = [], []
    for mode in ("overlay", "laplacian"):
        light, striped = (
            merged(mode, frame, landmarks, picture, round_mask(192), color_transfer="none",
                   blur_mask=20).image for picture in (flat, flat + stripes))
        row = light[200, :250, 0]
        lights.append(width_of_fade(row, 100, row.max()))
        contrast = np.abs(striped.astype(float) - light)[200, :250, 0]
        contrast = cv2.blur(contrast[np.newaxis], (9, 1))[0]
        details.append(width_of_fade(contrast, 0, contrast[230:].mean()))
    assert lights[1] > 1.3 * lights[0] and details[1] < 0.8 * details[0]


@pytest.mark.parametrize("mode", ["overlay", "laplacian"])
def test_nothing_of_the_square_outside_of_the_mask_shines_in(mode, landmarks_at, round_mask):
    """Outside of its mask no model is trained: there the prediction may hold anything."""
    frame = np.full((240, 320, 3), 100, np.uint8)
    landmarks, disc = landmarks_at(160, 120, 80), round_mask(96)
    wide = cv2.dilate(disc, np.ones((9, 9)))[..., np.newaxis]
    images = [merged(mode, frame, landmarks, np.where(wide > 0, 0.5, level) * np.ones(3), disc,
                     color_transfer="none").image for level in (0.0, 1.0)]
    assert np.abs(images[0].astype(int) - images[1]).max() <= 2


def test_seamless_hist_match_has_the_detail_of_seamless_and_the_frames_values(
    smooth_frame, landmarks_at, round_mask
):
    frame, landmarks = smooth_frame(240, 320), landmarks_at(160, 120, 80)
    ripple = 0.08 * np.sin(np.arange(96) / 3)[np.newaxis, :, np.newaxis]
    images = {mode: merged(mode, frame, landmarks, 0.4 + ripple * np.ones((96, 1, 3)),
                           round_mask(96), color_transfer="none")
              for mode in ("seamless", "seamless-hist-match")}
    inside = images["seamless"].mask[..., 0] == 255
    shares = np.linspace(0.05, 0.95, 10)
    wanted = np.quantile(frame[inside], shares, axis=0)
    errors = {mode: np.abs(np.quantile(image.image[inside], shares, axis=0) - wanted).mean()
              for mode, image in images.items()}
    assert errors["seamless-hist-match"] < 3 and errors["seamless"] > 2 * errors[
        "seamless-hist-match"]
    ranks = [np.argsort(np.argsort(image.image[inside][:, 1].astype(float)))
             for image in images.values()]
    assert np.corrcoef(*ranks)[0, 1] > 0.95  # a rising map keeps the order of values


@pytest.mark.parametrize("color_transfer", ["idt", "idt-m", "sot-m", "mix-m"])
def test_the_same_seed_gives_the_same_frame(
    color_transfer, smooth_frame, landmarks_at, round_mask
):
    frame, landmarks = smooth_frame(240, 320), landmarks_at(160, 120, 80)
    picture = np.random.default_rng(1).random((96, 96, 3))
    first, again, other = (
        merged("overlay", frame, landmarks, picture, round_mask(96), seed,
               color_transfer=color_transfer).image for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_modes_are_named_for_what_they_do():
    assert HIST_MATCH_MODES == ("hist-match", "seamless-hist-match")
    assert [name for name in (*MODES, "raw-predict") if is_raw(name)] == ["raw-rgb", "raw-predict"]
    assert {name for name, transfer in COLOR_TRANSFERS.items() if transfer.masked} == {
        "rct", "mkl-m", "idt-m", "sot-m", "mix-m"}


def test_laplacian_changes_evenly_while_a_face_grows(round_mask):
    """Bands are halvings, so their number jumps with the size of the face; the picture must not."""
    previous, changes = None, []
    for size in np.arange(118, 140):  # 128 = 8 * 2 ** 4
        y, x = np.mgrid[:size, :size] / (size - 1) - 0.5
        mask = np.float32(np.clip((0.4 - np.hypot(x, y)) * 8, 0, 1))[..., np.newaxis]
        upper = np.float32(0.7 + 0.2 * x)[..., np.newaxis] * np.ones(3, np.float32)
        blended = blend_by_bands(np.full_like(upper, 0.3), upper, mask)
        row = blended[size // 2, :, 0]
        profile = np.interp(np.linspace(0, 1, 100), np.linspace(0, 1, size), row)
        if previous is not None:
            changes.append(np.abs(profile - previous).max())
        previous = profile
    assert max(changes) < 4 * np.median(changes)
