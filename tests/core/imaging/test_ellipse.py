import cv2
import numpy as np
import pytest

from core.imaging.ellipse import erode_by_ellipse


@pytest.mark.parametrize("size", [2, 3, 4, 7, 8, 16, 31, 64, -2, -5, -9, -32])
def test_equals_opencv_with_zeros_around(size):
    mask = np.random.default_rng(abs(size)).random((90, 71, 1)).astype(np.float32)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(size), abs(size)))
    work = cv2.erode if size > 0 else cv2.dilate
    expected = work(mask, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    found = erode_by_ellipse(mask, size)
    assert found.shape == mask.shape and found.dtype == np.float32
    np.testing.assert_array_equal(found[..., 0], expected)


@pytest.mark.parametrize("size", [-1, 0, 1])
def test_a_single_pixel_changes_nothing(size):
    mask = np.random.default_rng(1).random((9, 9, 1)).astype(np.float32)
    assert erode_by_ellipse(mask, size) is mask
