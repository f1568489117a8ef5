"""The landmark tables describe one symmetric face."""

import numpy as np
import pytest

from facelib.landmarks import (
    ALIGN_INDICES,
    FLIP_68,
    MODEL_3D,
    REGIONS,
    TEMPLATE_51,
    mirror_landmarks,
)


def test_regions_cover_each_landmark_once():
    covered = np.concatenate([np.arange(68)[region] for region in REGIONS.values()])
    np.testing.assert_array_equal(np.sort(covered), np.arange(68))


def test_flip_is_its_own_inverse():
    np.testing.assert_array_equal(FLIP_68[FLIP_68], np.arange(68))


def test_mirrored_model_looks_like_itself():
    mirrored = MODEL_3D[FLIP_68] * (-1, 1, 1)
    assert np.abs(mirrored - MODEL_3D).max() < 8  # millimetres; the mean face is a little askew
    np.testing.assert_allclose(mirrored[27:31], MODEL_3D[27:31], atol=2.5)


def test_mirrored_template_looks_like_itself():
    whole = np.vstack([np.zeros((17, 2)), TEMPLATE_51])
    mirrored = whole[FLIP_68] * (-1, 1) + (0.98025, 0)
    np.testing.assert_allclose(mirrored[17:], TEMPLATE_51, atol=2e-3)


def test_alignment_uses_33_points_without_jaw_and_lips():
    assert len(ALIGN_INDICES) == 33
    assert set(ALIGN_INDICES) == set(range(17, 49)) | {54}


def test_mirrored_landmarks_follow_the_mirrored_picture():
    picture = np.zeros((4, 10), np.uint8)
    landmarks = np.ones((68, 2))
    landmarks[36] = (2, 1)  # the outer corner of the right eye
    picture[1, 2] = 255
    mirrored = mirror_landmarks(landmarks, width=10)
    x, y = mirrored[45].astype(int)  # becomes the outer corner of the left eye
    assert picture[:, ::-1][y, x] == 255
    np.testing.assert_array_equal(mirror_landmarks(mirrored, width=10), landmarks)


def test_tables_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        MODEL_3D[0] = 0
