import cv2
import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import linalg

from core.imaging.poisson import poisson_clone


def clone_by_sparse_solver(source, target, weight):
    """The same equation as one linear system, pixel by pixel, solved by LU factors."""
    height, width = target.shape
    matrix, right_side = sparse.lil_matrix((height * width,) * 2), np.zeros(height * width)
    for y in range(height):
        for x in range(width):
            here = y * width + x
            matrix[here, here] = 4
            for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
                near_y, near_x = y + dy, x + dx
                if not (0 <= near_y < height and 0 <= near_x < width):
                    continue
                matrix[here, near_y * width + near_x] = -1
                mean_weight = (weight[y, x] + weight[near_y, near_x]) / 2
                difference = source - target
                step = difference[y, x] - difference[near_y, near_x]
                right_side[here] += mean_weight * step
    change = linalg.spsolve(matrix.tocsc(), right_side)
    return target + change.reshape(height, width)


@pytest.mark.parametrize("shape", [(11, 14), (16, 9)])
def test_clone_agrees_with_a_sparse_linear_solver(shape):
    rng = np.random.default_rng(3)
    source, target = rng.random((2, *shape, 3)).astype(np.float32)
    weight = rng.random((*shape, 1)).astype(np.float32)
    result = poisson_clone(source, target, weight)
    for channel in range(3):
        expected = clone_by_sparse_solver(
            source[..., channel], target[..., channel], weight[..., 0]
        )
        np.testing.assert_allclose(result[..., channel], expected, atol=2e-5)


def test_a_different_brightness_of_the_source_disappears():
    rng = np.random.default_rng(4)
    target = rng.random((30, 41, 3)).astype(np.float32)
    weight = np.zeros((30, 41, 1), np.float32)
    weight[8:22, 10:30] = 1
    result = poisson_clone(target + np.float32([0.2, -0.1, 0.3]), target, weight)
    np.testing.assert_allclose(result, target, atol=1e-4)


def test_weight_zero_gives_the_target():
    rng = np.random.default_rng(5)
    source, target = rng.random((2, 17, 23, 3)).astype(np.float32)
    result = poisson_clone(source, target, np.zeros((17, 23, 1), np.float32))
    np.testing.assert_allclose(result, target, atol=1e-6)


def test_clone_looks_like_the_one_of_opencv():
    y, x = np.mgrid[:96, :96] / 96
    target = np.stack([0.3 + 0.3 * x, 0.5 - 0.2 * y, 0.4 + 0.2 * x * y], axis=-1)
    detail = 0.08 * np.sin(20 * x) * np.cos(17 * y)
    source = np.stack([0.6 + detail, 0.2 + detail, 0.5 - detail], axis=-1)
    mask = np.zeros((96, 96), np.uint8)
    cv2.circle(mask, (48, 48), 30, 255, -1)
    left, top, width, height = cv2.boundingRect(mask)
    source_8, target_8 = (np.rint(image * 255).astype(np.uint8) for image in (source, target))
    centre = (left + width // 2, top + height // 2)
    expected = cv2.seamlessClone(source_8, target_8, mask, centre, cv2.NORMAL_CLONE)
    box = (slice(top, top + height), slice(left, left + width))
    inside = cv2.erode(mask, np.ones((7, 7)))[box] > 0
    shrunk = cv2.erode(mask, np.ones((3, 3)), iterations=3)  # as OpenCV does inside
    weight = np.float32(shrunk > 0)[box][..., np.newaxis]
    result = poisson_clone(np.float32(source)[box], np.float32(target)[box], weight)
    difference = np.abs(result * 255 - expected[box])[inside]
    assert difference.mean() < 3 and difference.max() < 12
    plain = np.abs(source_8[box].astype(float) - expected[box])[inside]
    assert plain.mean() > 25  # so cloning did change the picture
