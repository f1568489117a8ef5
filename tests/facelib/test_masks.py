"""Masks from landmarks, against point-in-hull tests and areas."""

import numpy as np
import pytest
from scipy.spatial import ConvexHull, Delaunay

from facelib.landmarks import REGIONS, mirror_landmarks
from facelib.masks import expand_eyebrows, eyes_mask, eyes_mouth_mask, hull_mask, mouth_mask

SIZE = 256
SHAPE = (SIZE, SIZE)


@pytest.fixture(name="landmarks")
def fixture_landmarks(project_face):
    return project_face((0.05, 0.1, 0.02), SIZE)


def test_hull_contains_every_landmark_and_no_far_corner(landmarks):
    mask = hull_mask(SHAPE, landmarks)
    assert mask.shape == (SIZE, SIZE, 1) and mask.dtype == np.float32
    assert set(np.unique(mask)) == {0.0, 1.0}
    columns, rows = np.round(landmarks).astype(int).T
    assert mask[rows, columns].min() == 1
    assert mask[0].max() == mask[-1].max() == 0


def test_hull_stays_inside_the_convex_hull_of_the_raised_landmarks(landmarks):
    mask = hull_mask(SHAPE, landmarks)
    outer = Delaunay(expand_eyebrows(landmarks))
    grown = (np.argwhere(mask[..., 0])[:, ::-1] - SIZE / 2) * 0.98 + SIZE / 2  # a rim of a pixel
    assert (outer.find_simplex(grown) >= 0).mean() > 0.999
    assert 0.85 < mask.sum() / ConvexHull(outer.points).volume < 1.03


def test_brows_move_by_half_their_distance_to_the_eye_line():
    landmarks = np.zeros((68, 2))
    landmarks[17:27, 1] = 80  # brows
    landmarks[[0, 16], 1] = landmarks[36:48, 1] = 100  # eye line
    raised = expand_eyebrows(landmarks, 1.0)
    np.testing.assert_allclose(raised[17:27, 1], 70)
    np.testing.assert_allclose(expand_eyebrows(landmarks, 0.0), landmarks)
    np.testing.assert_allclose(raised[27:, 1], landmarks[27:, 1])


def test_more_expansion_reaches_higher(landmarks):
    tops = [np.argwhere(hull_mask(SHAPE, landmarks, e)[..., 0])[:, 0].min() for e in (0, 1, 2)]
    assert tops[0] > tops[1] > tops[2]


def test_mirrored_landmarks_give_the_mirrored_mask(landmarks):
    mask = hull_mask(SHAPE, landmarks)
    mirrored = hull_mask(SHAPE, mirror_landmarks(landmarks, SIZE))
    assert np.abs(mask - mirrored[:, ::-1]).mean() < 0.005


def test_eyes_mask_is_full_in_the_eyes_and_empty_at_the_mouth(landmarks):
    mask = eyes_mask(SHAPE, landmarks)
    for name in ("right_eye", "left_eye"):
        x, y = np.round(landmarks[REGIONS[name]].mean(axis=0)).astype(int)
        assert mask[y, x, 0] > 0.6
    x, y = np.round(landmarks[REGIONS["inner_lips"]].mean(axis=0)).astype(int)
    assert mask[y, x, 0] == 0
    assert mouth_mask(SHAPE, landmarks)[y, x, 0] > 0.6
    assert 0 <= mask.min() and mask.max() <= 1


def test_eyes_mouth_mask_is_the_union(landmarks):
    both = eyes_mouth_mask(SHAPE, landmarks)
    assert both.shape == (SIZE, SIZE, 1)
    parts = np.maximum(eyes_mask(SHAPE, landmarks), mouth_mask(SHAPE, landmarks))
    np.testing.assert_allclose(both, parts, atol=0.2)
    assert (both >= parts - 1e-6).all()


def test_face_outside_the_picture_gives_an_empty_mask(landmarks):
    assert hull_mask((64, 48), landmarks + 5000).sum() == 0
    assert eyes_mouth_mask((20, 20), landmarks - 5000).sum() == 0
