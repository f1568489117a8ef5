"""Cuts: made ones among pans, flashes and fades, and the real ones of the clips."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.shots import LOOKAHEAD, SIGNATURE_SHAPE, change, mark_cuts, signature
from core.video import read_frames

ROOT = Path(__file__).parents[2]


def scene(seed):
    """A 90 x 480 picture with large soft shapes; 160 columns of it fill a frame."""
    noise = np.random.default_rng(seed).integers(0, 256, (6, 30, 3), np.uint8)
    return cv2.resize(noise, (480, 90), interpolation=cv2.INTER_CUBIC)


def view(seed, x=0, gain=1.0, offset=0):
    frame = scene(seed)[:, x : x + 160].astype(float) * gain + offset
    shaken = frame + np.random.default_rng(x).normal(size=frame.shape) * 3
    return np.clip(shaken, 0, 255).astype(np.uint8)


def cuts(frames):
    return [index for index, (_, is_cut) in enumerate(mark_cuts(
        frames, lambda frame: None if frame is None else signature(frame))) if is_cut]


def test_a_signature_is_the_mean_over_tiles():
    picture = np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8)
    tiles = picture.reshape(9, 10, 16, 10, 3).mean(axis=(1, 3))
    assert signature(picture).shape == SIGNATURE_SHAPE
    np.testing.assert_allclose(signature(picture), tiles, atol=0.51)


def test_change_does_not_see_brightness_and_contrast():
    a, b = signature(view(1)), signature(view(2))
    darker = signature(view(1, gain=0.5, offset=20))
    assert change(a, darker) < 0.06 < 0.6 < change(a, b)
    assert change(a, a) == 0 and change(a, b) == pytest.approx(change(b, a))


def test_cuts_between_still_shots():
    assert cuts([view(1)] * 10 + [view(2)] * 10 + [view(3)] * 7) == [10, 20]


def test_a_cut_close_to_another_and_to_the_ends():
    assert cuts([view(1)] + [view(2)] * 3 + [view(3)] * 2 + [view(4)]) == [1, 4, 6]


def test_a_pan_has_no_cut_wherever_it_begins():
    still, pan = [view(1)] * 8, [view(1, x) for x in range(0, 100, 5)]
    assert cuts(still + pan + [pan[-1]] * 8) == []
    assert cuts(still + pan + [view(5)] * 8) == [28]
    whip = [view(1, x) for x in range(0, 320, 16)]
    assert change(signature(whip[3]), signature(whip[4])) > 0.3
    assert cuts(still + whip + [whip[-1]] * 8) == []


def test_a_flash_and_a_passing_object_are_no_cut():
    white = np.full((90, 160, 3), 250, np.uint8)
    for n in (1, 2, 3):
        assert cuts([view(1)] * 8 + [white] * n + [view(1)] * 8) == []
        assert cuts([view(1)] * 8 + [view(9)] * n + [view(1)] * 8) == []


def test_a_longer_insert_is_a_shot_of_its_own():
    assert cuts([view(1)] * 8 + [view(9)] * 5 + [view(1)] * 8) == [8, 13]


def test_a_fade_and_a_lamp_are_no_cut():
    fade = [view(1, gain=1 - step / 12) for step in range(11)]
    assert cuts(fade + fade[::-1] + [view(1, gain=0.6, offset=60)] * 5) == []


def test_frames_that_cannot_be_read_are_passed_over():
    assert cuts([view(1)] * 6 + [None] * 9 + [view(1)] * 6 + [view(2), None, view(2)]) == [21]
    assert cuts([None] * 3) == []


def test_only_so_many_frames_are_held():
    taken = 0

    def frames():
        nonlocal taken
        for _ in range(50):
            taken += 1
            yield view(1)

    for given, _ in enumerate(mark_cuts(frames(), signature), 1):
        assert taken - given <= LOOKAHEAD


@pytest.mark.parametrize("clip, expected", [
    ("demo/src_woman.mp4", {236}), ("demo/dst_man.mp4", set()),
    ("tests/data/face_then_noface.mp4", {30, 31})])  # 30 is one black frame
def test_cuts_of_the_clips(clip, expected):
    assert set(cuts(frame.image for frame in read_frames(ROOT / clip))) == expected
