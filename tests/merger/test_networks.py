"""Masks of a segmenter and faces of an enhancer, both real ones that need no weights."""

import cv2
import numpy as np
import pytest

from core.errors import OptionError
from facelib.align import face_transform
from facelib.face_type import FaceType
from facelib.types import SwapPrediction
from merger.masks import MASK_MODES, face_mask
from merger.networks import needed_networks, require_networks, with_networks
from merger.options import MergeOptions
from merger.paste import crop_for_prediction
from merger.pipeline import FaceToMerge, merge_frame

TYPE = FaceType.FULL
XSEG = [name for name in MASK_MODES if "XSeg" in name]


class Reddish:
    """A `FaceSegmenter` by colour: what has more red than blue is skin."""

    def segment(self, faces):
        difference = faces[..., 2:] - faces[..., :1]
        return np.clip(difference * 10, 0, 1).astype(np.float32)


class Unsharp:
    """A `FaceEnhancer` by unsharp masking."""

    def enhance(self, faces):
        return np.clip([2 * face - cv2.GaussianBlur(face, (0, 0), 2) for face in faces], 0, 1)

    def enlarge(self, face):
        large = cv2.resize(face, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
        return 2 * large - cv2.GaussianBlur(large, (0, 0), 4)


@pytest.fixture
def shot(landmarks_at):
    """A blue frame with a red disc on the face, and the face as predicted, half of it red."""
    frame = np.full((240, 320, 3), (150, 90, 60), np.uint8)
    cv2.circle(frame, (160, 120), 45, (60, 90, 150), -1, cv2.LINE_AA)
    landmarks = landmarks_at(160, 120, 80)
    predicted = np.full((64, 64, 3), (0.6, 0.4, 0.2), np.float32)
    predicted[:, 32:] = (0.2, 0.4, 0.6)
    learned = np.zeros((64, 64, 1), np.float32)
    learned[16:] = 1
    prediction = SwapPrediction(predicted, learned, np.ones_like(learned))
    return frame, FaceToMerge(landmarks, prediction,
                              crop_for_prediction(frame, landmarks, TYPE, 64))


def raw_mask(face, mask_mode):
    square = face_transform(face.landmarks, 1, TYPE)
    return face_mask(mask_mode, face, square, erode=0, blur=0)[..., 0]


@pytest.mark.parametrize("mask_mode", XSEG)
def test_masks_are_products_of_what_was_drawn(mask_mode, shot):
    frame, face = shot
    [done] = with_networks([face], MergeOptions(mask_mode=mask_mode), Reddish())
    found = raw_mask(done, mask_mode)
    y, x = np.mgrid[:256, :256] / 256
    frame_to_square = face_transform(face.landmarks, 1, TYPE)
    centre = frame_to_square @ (160, 120, 1)
    radius = 45 * np.sqrt(np.linalg.det(frame_to_square[:, :2]))
    # An edge lies between the last pixel of one side and the first of the other.
    parts = {"learned-prd": y >= 15.5 / 64, "learned-dst": x >= 0, "XSeg-prd": x >= 31.5 / 64,
             "XSeg-dst": np.hypot(x - centre[0], y - centre[1]) < radius}
    expected = np.all([parts[name] for name in mask_mode.split("*")], axis=0)
    shown = found > 0.5
    assert (shown & expected).sum() / (shown | expected).sum() > 0.96


def test_finer_dst_faces_give_finer_masks(shot):
    frame, face = shot
    options = MergeOptions(mask_mode="XSeg-dst")
    fine = crop_for_prediction(frame, face.landmarks, TYPE, 256)
    masks = [raw_mask(with_networks([face], options, Reddish(), dst_faces=faces)[0], "XSeg-dst")
             for faces in (None, [fine])]
    soft = [np.count_nonzero((mask > 0.05) & (mask < 0.95)) for mask in masks]
    assert soft[1] < 0.7 * soft[0]


def test_what_a_segmenter_is_not_sure_of_is_no_face(shot):
    unsure = np.full((32, 32, 1), 0.09, np.float32)
    unsure[:, 16:] = 0.11
    _, face = shot
    mask = raw_mask(FaceToMerge(face.landmarks, face.prediction, xseg_prd=unsure), "XSeg-prd")
    assert mask[:, :120].max() == 0 and mask[20:-20, 140:-20] == pytest.approx(0.11)


@pytest.mark.parametrize(("mask_mode", "instead"), [
    ("XSeg-prd", "learned-prd*learned-dst"), ("XSeg-dst", "learned-prd*learned-dst"),
    ("learned-prd*learned-dst*XSeg-prd*XSeg-dst", "learned-prd*learned-dst")])
def test_without_a_segmenter_the_next_step_is_told(mask_mode, instead, shot):
    _, face = shot
    options = MergeOptions(mask_mode=mask_mode)
    for call in (lambda: require_networks(options, None, None),
                 lambda: with_networks([face], options)):
        with pytest.raises(OptionError) as error:
            call()
        assert str(error.value) == (f"mask_mode {mask_mode} needs a segmenter, and there is none; "
                                    f"train or import XSeg, or use {instead} instead")
    with pytest.raises(ValueError, match="XSeg-.*was not made"):
        merge_frame(shot[0], [face], options, TYPE)


def test_without_an_enhancer_the_next_step_is_told(shot):
    frame, face = shot
    options = MergeOptions(mask_mode="full", super_resolution_power=40)
    with pytest.raises(OptionError, match="power 40 needs an enhancer.*set it to 0"):
        require_networks(options, Reddish(), None)
    with pytest.raises(ValueError, match="super_resolution_power needs"):
        merge_frame(frame, [face], options, TYPE)


def test_only_what_is_needed_is_asked_for():
    assert needed_networks(MergeOptions()) == (False, False, False)
    assert needed_networks(MergeOptions(mask_mode="XSeg-prd")) == (True, False, False)
    assert needed_networks(MergeOptions(mask_mode="XSeg-dst")) == (False, True, False)
    powerful = {"super_resolution_power": 10}
    assert needed_networks(MergeOptions(**powerful)) == (False, False, True)
    assert needed_networks(MergeOptions(mode="raw-rgb", **powerful)) == (False, False, False)
    require_networks(MergeOptions(), None, None)


def test_faces_of_many_frames_keep_their_order_and_no_faces_are_none(shot):
    _, face = shot
    other = FaceToMerge(face.landmarks, face.prediction, 1 - face.crop)
    options = MergeOptions(mask_mode="XSeg-dst")
    together = with_networks([face, other], options, Reddish())
    alone = [with_networks([x], options, Reddish())[0] for x in (face, other)]
    for a, b in zip(together, alone, strict=True):
        np.testing.assert_array_equal(a.xseg_dst, b.xseg_dst)
    assert np.abs(together[0].xseg_dst - together[1].xseg_dst).max() > 0.5
    assert with_networks([], options, Reddish()) == []


@pytest.mark.parametrize("power", [0, 30, 100])
def test_super_resolution_mixes_in_the_enhanced_face(power, smooth_frame, landmarks_at):
    frame, landmarks = smooth_frame(240, 320), landmarks_at(160, 120, 80)
    stripes = np.float32(0.5 + 0.2 * np.sin(np.arange(64) / 1.5))
    picture = np.repeat(np.tile(stripes, (64, 1))[..., np.newaxis], 3, axis=2)
    face = FaceToMerge(landmarks, SwapPrediction(picture, None, None),
                       crop_for_prediction(frame, landmarks, TYPE, 64))
    options = MergeOptions(mask_mode="full", color_transfer="none", super_resolution_power=power,
                           color_smoothing=0)
    [done] = with_networks([face], options, None, Unsharp())
    image = merge_frame(frame, [done], options, TYPE).image
    middle = image[110:130, 140:180].astype(float)
    plain = merge_frame(frame, [face], MergeOptions(mask_mode="full", color_transfer="none"), TYPE)
    gain = middle.std() / plain.image[110:130, 140:180].std()
    # An unsharp mask of a wave of 2 pi 1.5 pixels: 2 - exp(-(sigma / 1.5)^2 / 2), sigma in pixels.
    expected = 1 + power / 100 * (1 - np.exp(-0.5 * (1 / 1.5) ** 2))
    assert gain == pytest.approx(expected, rel=0.04)
