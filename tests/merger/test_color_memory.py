"""What frames around say of a frame's colours, and how little the merged faces flicker."""

import dataclasses

import cv2
import numpy as np
import pytest

from core.geometry import invert_affine, transform_points
from core.imaging.color_statistics import ColorStatistics, map_statistics
from facelib.align import face_transform
from facelib.face_type import FaceType
from facelib.types import SwapPrediction
from merger.color_memory import FaceColors, measure_colors, needs_colors, steady_map
from merger.color_transfer import COLOR_TRANSFERS
from merger.options import MergeOptions
from merger.paste import crop_for_prediction
from merger.pipeline import FaceToMerge, merge_frame

TYPE = FaceType.FULL
SHAPE = np.array([(4, 1, 0), (1, 3, 1), (0, 1, 2)]) / 1000


def statistics(level, spread=1.0):
    return ColorStatistics(np.full(3, level, float), SHAPE * spread)


def shot(dst, predicted, spreads=None):
    """Colours of frames with these levels of grey; of dst also factors of the covariance."""
    spreads = spreads or [1.0] * len(dst)
    return [FaceColors(statistics(a, spread), statistics(b))
            for a, b, spread in zip(dst, predicted, spreads, strict=True)]


def level_after(around, own):
    """The grey that dst's colours of a frame go to."""
    return map_statistics(steady_map(around, own), around[own].dst).mean


def test_without_changes_colours_stay():
    around = shot([0.5] * 9, [0.3] * 9)
    expected = np.column_stack([np.eye(3), np.zeros(3)])
    np.testing.assert_allclose(steady_map(around, 4), expected, atol=1e-9)
    np.testing.assert_allclose(steady_map(around[4:5], 0), expected, atol=1e-9)


def test_a_slip_of_dst_alone_is_taken_back():
    around = shot([0.5] * 4 + [0.4] + [0.5] * 4, [0.3] * 9)
    for own in range(9):
        np.testing.assert_allclose(level_after(around, own), 0.5, atol=1e-9)


def test_light_that_both_faces_show_is_followed():
    lamp = [0.5] * 4 + [0.7] * 5
    around = shot(lamp, [level - 0.2 for level in lamp])
    for own in range(9):
        np.testing.assert_allclose(level_after(around, own), lamp[own], atol=1e-9)


def test_a_slip_of_the_prediction_alone_changes_nothing():
    around = shot([0.5] * 9, [0.3] * 4 + [0.6] + [0.3] * 4)
    np.testing.assert_allclose(level_after(around, 4), 0.5, atol=1e-9)


def test_a_slip_of_the_spread_is_taken_back_too():
    around = shot([0.5] * 9, [0.3] * 9, [1.0] * 4 + [2.0] + [1.0] * 4)
    after = map_statistics(steady_map(around, 4), around[4].dst).covariance
    ratio = np.diag(after) / np.diag(SHAPE)
    np.testing.assert_allclose(ratio, 1, atol=1e-9)


def test_frames_without_a_face_are_left_out():
    full = shot([0.5, 0.52, 0.4, 0.5, 0.5], [0.3] * 5)
    with_gaps = [full[0], None, full[2], None, full[4]]
    # Weights of 0.4, 0.5 and 0.5; the median lies between the middles of the first two.
    weights = np.exp(-0.5 * np.square([0, 2, 2]))
    weights /= weights.sum()
    share = (0.5 - weights[0] / 2) / (weights[0] / 2 + weights[1] / 2)
    np.testing.assert_allclose(level_after(with_gaps, 2), 0.4 + share * 0.1, atol=1e-9)
    assert steady_map(with_gaps, 1) is None


@pytest.mark.parametrize(("options", "needs"), [
    (MergeOptions(), True), (MergeOptions(color_smoothing=0), False),
    (MergeOptions(color_transfer="none"), False), (MergeOptions(mode="raw-rgb"), False),
    (MergeOptions(mode="hist-match", color_transfer="none"), True)])
def test_only_what_fits_colours_needs_the_frames_around(options, needs):
    assert needs_colors(options) is needs


def test_colours_are_measured_inside_of_the_mask_and_of_the_frame(landmarks_at):
    """Weighted means in float64; a quarter of the square lies outside of the frame."""
    rng = np.random.default_rng(2)
    frame = cv2.GaussianBlur(rng.integers(0, 255, (200, 200, 3), dtype=np.uint8), (0, 0), 3)
    landmarks = landmarks_at(20, 100, 60)
    crop = crop_for_prediction(frame, landmarks, TYPE, 256)
    soft = cv2.GaussianBlur(rng.random((256, 256)), (0, 0), 9).astype(np.float32)[..., np.newaxis]
    predicted = rng.random((256, 256, 3)).astype(np.float32)
    face = FaceToMerge(landmarks, SwapPrediction(predicted, soft, soft), crop)
    options = MergeOptions(mask_mode="learned-prd", erode_mask=0, blur_mask=0)
    found = measure_colors(frame, face, options, TYPE)
    weights = soft.astype(float)
    weights[[0, -1]] = weights[:, [0, -1]] = 0
    y, x = np.mgrid[:256, :256]
    square_to_frame = invert_affine(face_transform(landmarks, 256, TYPE))
    in_frame = transform_points(np.dstack([x, y]).reshape(-1, 2).astype(float), square_to_frame)
    inside = ((in_frame >= 0) & (in_frame <= 199)).all(axis=1).reshape(256, 256)
    weights = weights[inside].ravel()
    assert 0.2 < 1 - inside.mean() < 0.5
    for of_face, picture in ((found.dst, crop), (found.predicted, predicted)):
        pixels = picture[inside].astype(float)
        np.testing.assert_allclose(of_face.mean, np.average(pixels, axis=0, weights=weights),
                                   atol=2e-3)
        np.testing.assert_allclose(
            of_face.covariance, np.cov(pixels.T, aweights=weights, bias=True), atol=1e-3)


def test_nothing_to_see_gives_no_colours(landmarks_at):
    frame = np.full((100, 100, 3), 90, np.uint8)
    landmarks, nothing = landmarks_at(50, 50, 30), np.zeros((64, 64, 1), np.float32)
    white = np.ones((64, 64, 3), np.float32)
    face = FaceToMerge(landmarks, SwapPrediction(white, nothing, nothing))
    assert measure_colors(frame, face, MergeOptions(), TYPE) is None


def lit_room(number):
    """Skin, and a face of it before a bright wall in slowly rising light; (240, 320, 3) float64."""
    y, x = np.mgrid[:240, :320]
    skin = np.dstack([90 + 20 * np.sin(x / 25), 110 + 20 * np.cos(y / 20), 140 + (x - 160) * 0.15])
    on_face = np.hypot(x - 160, (y - 120) * 0.9) < 62
    return skin, np.where(on_face[..., np.newaxis], skin, 235) * (1 + 0.001 * number)


def make_shot(landmarks, slip, jitter):
    """15 frames and their faces.

    Args:
        landmarks: Of all frames.
        slip: Radius in 96ths that the mask has in every fifth frame; 42 in the others.
        jitter: Deviation of the camera's gain from frame to frame, which no model paints.
    """
    rng = np.random.default_rng(5)
    circle = np.hypot(*(np.mgrid[:96, :96] - 48))[..., np.newaxis]
    frames, faces = [], []
    for number in range(15):
        skin, lit = lit_room(number)
        lit = lit * (1 + rng.normal(0, jitter)) + rng.normal(0, 0.3, lit.shape)
        frames.append(np.clip(np.rint(lit), 0, 255).astype(np.uint8))
        mask = np.float32(circle < (42 if number % 5 else slip))
        # The model paints skin all over the square and no wall.
        skin_crop = crop_for_prediction(np.uint8(skin), landmarks, TYPE, 96)
        face = skin_crop * np.float32([0.7, 0.8, 0.9]) + np.float32(0.05)
        faces.append(FaceToMerge(landmarks, SwapPrediction(face, mask, mask),
                                 crop_for_prediction(frames[-1], landmarks, TYPE, 96)))
    return frames, faces


def change(images):
    """Mean change from frame to frame of mean and deviation of each channel, on the face."""
    y, x = np.mgrid[:240, :320]
    inside = np.hypot(x - 160, y - 120) < 40
    rows = [np.concatenate([image[inside].mean(0), image[inside].std(0)]) for image in images]
    return np.abs(np.diff(rows, axis=0)).mean()


def changes(frames, faces, options):
    """Of the merged frames: each merged alone, and with those around."""
    colors = [measure_colors(frame, face, options, TYPE)
              for frame, face in zip(frames, faces, strict=True)]
    n, steady = options.color_smoothing, []
    for place, face in enumerate(faces):
        first = max(place - n, 0)
        around = colors[first:place + n + 1]
        steady.append(dataclasses.replace(face, steady_map=steady_map(around, place - first)))
    return [change([merge_frame(frame, [face], options, TYPE).image
                    for frame, face in zip(frames, some, strict=True)]) for some in (faces, steady)]


@pytest.fixture(scope="module")
def slipping(landmarks_at):
    return make_shot(landmarks_at(160, 120, 80), slip=49, jitter=0)


@pytest.mark.parametrize("mode", ["overlay", "hist-match"])
@pytest.mark.parametrize("color_transfer", ["rct", "mkl-m", "idt-m", "sot-m", "mix-m"])
def test_slips_of_the_mask_show_less_in_the_colours(mode, color_transfer, slipping):
    options = MergeOptions(mode=mode, color_transfer=color_transfer)
    alone, together = changes(*slipping, options)
    by_moments = mode == "overlay" and COLOR_TRANSFERS[color_transfer].by_moments
    assert together < (0.4 if by_moments else 1.0) * alone


@pytest.fixture(scope="module")
def jittering(landmarks_at):
    return make_shot(landmarks_at(160, 120, 80), slip=42, jitter=0.004)


@pytest.mark.parametrize("mode", ["overlay", "seamless"])
@pytest.mark.parametrize("color_transfer", [name for name in COLOR_TRANSFERS if name != "none"])
def test_merged_faces_flicker_no_more_than_the_frames(mode, color_transfer, jittering):
    frames, faces = jittering
    options = MergeOptions(mode=mode, color_transfer=color_transfer, mask_mode="dst")
    alone, together = changes(frames, faces, options)
    assert together < 1.1 * change(frames) and together < 0.8 * alone
