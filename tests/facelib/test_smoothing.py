"""Smoothing against the truth: heads that move as we say, photographed with noise."""

from pathlib import Path

import numpy as np
import pytest
from scipy.interpolate import interp1d
from scipy.signal import savgol_filter

from core.video import read_frames
from facelib.detect import find_faces
from facelib.landmarks import MODEL_3D
from facelib.smoothing import Run, eye_distances, jitter, smooth

DEMO = Path(__file__).parents[2] / "demo"
SIZE, NOISE, TURN = 1.2, 0.35, 60
N_FRAMES = 120
TIMES = np.arange(N_FRAMES)


def heads(yaw=0.0, x=0.0, opening=0.0):
    """(T, 68, 2) true landmarks: turned by yaw (radians), moved by x pixels, lids or lips moved."""
    yaw, x, opening = (np.broadcast_to(value, N_FRAMES) for value in (yaw, x, opening))
    model_x, model_y, model_z = MODEL_3D.astype(np.float64).T
    points_x = np.outer(np.cos(yaw), model_x) + np.outer(np.sin(yaw), model_z)
    points = np.stack([points_x, np.broadcast_to(model_y, points_x.shape)], axis=-1) * SIZE + 300
    points[..., 0] += x[:, np.newaxis]
    points[:, [37, 38, 43, 44], 1] += opening[:, np.newaxis]  # upper lids
    return points


def photographed(truth, seed=0):
    """With noise, half of it common to all landmarks of a frame, as networks have it."""
    rng = np.random.default_rng(seed)
    common, own = rng.normal(size=(len(truth), 1, 2)), rng.normal(size=truth.shape)
    return truth + NOISE * (common + own) / np.sqrt(2)


def run_of(landmarks):
    return Run(np.arange(len(landmarks)), landmarks)


def smoothed(landmarks, n_frames=3):
    return smooth(run_of(landmarks), n_frames)


def errors(landmarks, truth):
    """(T,) mean distance from the truth, pixels."""
    return np.linalg.norm(landmarks - truth, axis=-1).mean(axis=1)


def lag(landmarks, truth):
    """Frames by which the movement comes late: of the shift that fits it best."""
    shifts, middle = np.arange(-4, 4.05, 0.1), slice(TURN - 15, TURN + 15)
    moved = interp1d(TIMES, truth, axis=0, fill_value="extrapolate")
    return shifts[np.argmin([np.sum((moved(TIMES - shift) - landmarks)[middle] ** 2)
                             for shift in shifts])]


MOTIONS = {
    "rest": {},
    "slow turn": {"yaw": np.sin(TIMES / 20) * 0.5},
    "sharp turn of the head": {"yaw": np.radians(25 - np.abs(TIMES - TURN) * 1.5)},
    "sharp turn of the way": {"x": np.abs(TIMES - TURN) * 9.0},
    "sudden start": {"x": np.maximum(TIMES - TURN, 0) * 12.0},
    "sudden stop": {"x": np.minimum(TIMES - TURN, 0) * 12.0},
    "jump": {"x": np.where(TIMES < TURN, 0, 80.0)},
}


@pytest.mark.parametrize("n_frames", [2, 3, 6, 15])
@pytest.mark.parametrize("motion", MOTIONS)
def test_noise_is_halved_and_motion_stays(motion, n_frames):
    truth = heads(**MOTIONS[motion])
    noisy = photographed(truth)
    steady = smoothed(noisy, n_frames)
    assert jitter([run_of(steady)]) < 0.5 * jitter([run_of(noisy)])
    assert errors(steady, truth).mean() < 0.75 * errors(noisy, truth).mean()
    # Nowhere, and not at the sharp turn either, is it further off than twice the usual noise.
    assert errors(steady, truth).max() < 2.2 * errors(noisy, truth).mean()


@pytest.mark.parametrize("n_frames", [2, 6, 15])
@pytest.mark.parametrize("motion", [name for name in MOTIONS if "s" in name and name != "rest"])
def test_nothing_comes_late(motion, n_frames):
    truth = heads(**MOTIONS[motion])
    assert abs(lag(smoothed(photographed(truth), n_frames), truth)) <= 0.3


def test_a_plain_filter_of_that_length_would_cut_the_corner():
    """The same test with another tool, so that passing it means something."""
    truth = heads(**MOTIONS["sharp turn of the way"])
    plain = savgol_filter(photographed(truth), 13, 2, axis=0)
    assert errors(plain, truth)[TURN] > 8
    assert errors(smoothed(photographed(truth), 6), truth)[TURN] < 0.8


def test_past_and_future_count_alike():
    noisy = photographed(heads(**MOTIONS["slow turn"]))
    forwards, backwards = smoothed(noisy, 4), smoothed(noisy[::-1], 4)[::-1]
    np.testing.assert_allclose(forwards, backwards, atol=1e-6)


def test_a_blink_is_kept():
    closing = np.clip(6 - 3 * np.abs(TIMES % 40 - 20), 0, None)  # 5 frames, 6 pixels deep
    truth = heads(opening=closing)
    lids = [37, 38, 43, 44]
    depth = [landmarks[20::40, lids, 1].mean() - truth[0, lids, 1].mean() for landmarks in (
        truth, smoothed(photographed(truth), 6), savgol_filter(truth, 13, 2, axis=0))]
    assert depth[0] == pytest.approx(6) and depth[1] > 5.1 and depth[2] < 3


@pytest.mark.parametrize("length", [1, 2])
def test_frames_far_off_are_mended(length):
    truth = heads(**MOTIONS["slow turn"])
    noisy = photographed(truth)
    noisy[50 : 50 + length] += np.random.default_rng(1).normal(size=(length, 68, 2)) * 15 + 20
    steady = smoothed(noisy)
    assert errors(steady, truth).max() < 2.2 * NOISE * 1.25


def test_missing_frames_are_bridged():
    truth, seen = heads(**MOTIONS["slow turn"]), np.delete(TIMES, [10, 30, 31, 70, 71, 72, 73])
    steady = smooth(Run(seen + 1000, photographed(truth)[seen]), 4)
    assert steady.shape == (len(seen), 68, 2)
    assert errors(steady, truth[seen]).mean() < 0.7 * NOISE * 1.25


@pytest.mark.parametrize("count", [0, 1, 3])
def test_short_runs_stay_as_they_are(count):
    noisy = photographed(heads())[:count]
    np.testing.assert_array_equal(smoothed(noisy), noisy)


def test_short_runs_with_gaps_and_still_ones_work():
    noisy = photographed(heads())
    for frames in ([0, 1, 2, 3], [0, 3, 6, 9], [0, 1, 8, 9, 10]):
        steady = smooth(Run(np.array(frames), noisy[frames]), 5)
        assert np.abs(steady - noisy[frames]).max() < 4
    np.testing.assert_allclose(smoothed(heads()), heads(), atol=1e-9)


def test_no_smoothing_changes_nothing():
    noisy = photographed(heads())
    np.testing.assert_array_equal(smoothed(noisy, 0), noisy)


def test_jitter_of_known_noise():
    """White noise of so many pixels per axis, by eye distance; steady motion counts for nothing."""
    truth = heads(x=TIMES * 7.0)
    noisy = truth + np.random.default_rng(0).normal(size=truth.shape) * 0.5
    expected = 0.5 / eye_distances(truth)[0]
    assert jitter([run_of(noisy)]) == pytest.approx(expected, rel=0.02)
    assert jitter([run_of(truth)]) < 1e-9
    assert jitter([run_of(noisy[:60]), Run(TIMES[60:], noisy[60:])]) == pytest.approx(
        expected, rel=0.03)
    assert jitter([Run(TIMES * 2, noisy)]) is None and jitter([]) is None


def test_eye_distance_of_frontal_faces_and_profiles():
    centres = MODEL_3D[[*range(36, 42)], :2].mean(0), MODEL_3D[[*range(42, 48)], :2].mean(0)
    frontal = SIZE * np.linalg.norm(centres[0] - centres[1])
    assert eye_distances(heads())[0] == pytest.approx(frontal, rel=0.02)
    profile = eye_distances(heads(yaw=np.pi / 2))[0]
    assert 0.8 * frontal < profile < 1.25 * frontal


@pytest.mark.parametrize("clip", ["src_woman.mp4", "dst_man.mp4"])
def test_jitter_of_a_demo_clip_is_halved(networks, clip):
    """Over the whole clips it goes down to 0.34 and 0.39."""
    frames = [frame.image for frame in read_frames(DEMO / clip, indices=range(90, 120))]
    found = find_faces(frames, *networks)
    noisy = np.array([face.landmarks for (face,) in found])
    before = jitter([run_of(noisy)])
    assert 0.001 < before < 0.008
    assert jitter([run_of(smoothed(noisy, 3))]) < 0.5 * before
