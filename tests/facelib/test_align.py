"""Alignment: matrices against published test vectors, crops against drawn pictures."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.geometry import invert_affine, transform_points
from core.imaging.io import read_image
from facelib.align import crop_face, face_transform
from facelib.face_type import FaceType

PICTURES = Path(__file__).parents[1] / "data"
IDENTITY = np.array([(1, 0, 0), (0, 1, 0)], np.float64)

# Template x 100 at (300, 200), jaw points at (300, 200), size 256: scale and shift of each type.
VECTORS = {
    FaceType.HALF: (2.56, -768, -512),
    FaceType.MID_FULL: (2.1496010, -624.36041802, -409.40021333),
    FaceType.FULL: (1.6033860, -433.18511994, -272.84646370),
    FaceType.FULL_NO_ALIGN: (1.6033860570, -433.18511994, -272.84651425),
    FaceType.WHOLE_FACE: (1.2011049135, -292.38671973, -163.86849399),
    FaceType.HEAD: (0.8590895673, -132.21176866, -43.81791074),
    FaceType.HEAD_NO_ALIGN: (0.8590895673, -172.68134199, -86.77238526),
}


@pytest.mark.parametrize("face_type, vector", VECTORS.items(), ids=lambda value: str(value))
def test_matrix_of_the_template_face(face_type, vector, template_landmarks):
    scale, shift_x, shift_y = vector
    matrix = face_transform(template_landmarks, 256, face_type)
    expected = [(scale, 0, shift_x), (0, scale, shift_y)]
    np.testing.assert_allclose(matrix, expected, rtol=1e-5, atol=1e-6)


def turned(landmarks, degrees):
    matrix = cv2.getRotationMatrix2D((350, 250), degrees, 1.0)
    return transform_points(landmarks, matrix)


@pytest.mark.parametrize("face_type", [FaceType.HALF, FaceType.WHOLE_FACE, FaceType.HEAD])
def test_aligned_landmarks_do_not_depend_on_roll(face_type, project_face):
    upright = project_face((0, 0.2, 0), 256)
    rolled = turned(upright, 70)
    faces = [
        transform_points(points, face_transform(points, 128, face_type))
        for points in (upright, rolled)
    ]
    np.testing.assert_allclose(*faces, atol=1e-6)


def test_no_align_keeps_the_crop_upright(template_landmarks):
    matrix = face_transform(turned(template_landmarks, 30), 256, FaceType.FULL_NO_ALIGN)
    np.testing.assert_allclose(matrix[:, :2], 1.6033860 * np.eye(2), rtol=1e-5, atol=1e-9)


def test_scale_enlarges_the_face_about_the_crop_centre(template_landmarks):
    landmarks = turned(template_landmarks, 20)
    centre = transform_points(
        np.array([128.0, 128.0]), invert_affine(face_transform(landmarks, 256, FaceType.FULL))
    )
    enlarged = face_transform(landmarks, 256, FaceType.FULL, scale=1.25)
    np.testing.assert_allclose(transform_points(centre, enlarged), (128, 128), atol=1e-6)
    assert np.hypot(*enlarged[0, :2]) == pytest.approx(1.25 * 1.6033860, rel=1e-5)


def test_head_moves_towards_the_visible_side(project_face):
    left = project_face((0, 0.6, 0), 256)
    head = transform_points(left, face_transform(left, 256, FaceType.HEAD))
    plain = transform_points(left, face_transform(left, 256, FaceType.HEAD_NO_ALIGN))
    # The nose points to the left edge, so most of the head lies right of the face: the crop
    # follows it and the face lands further left.
    assert head[27, 0] < plain[27, 0] - 10


def test_mark_only_and_bad_landmarks_have_no_transform(template_landmarks):
    with pytest.raises(ValueError, match="whole frame"):
        face_transform(template_landmarks, 256, FaceType.MARK_ONLY)
    with pytest.raises(ValueError, match="coincide"):
        face_transform(np.full((68, 2), 5.0), 256, FaceType.FULL)


def test_crop_is_black_outside_image():
    crop = crop_face(np.full((2, 2, 3), 255, np.uint8), IDENTITY, 4)
    assert crop[0, 0].min() == 255
    assert crop[3, 3].max() == 0


def test_crop_can_repeat_the_rim_instead():
    image = np.full((2, 2, 3), 255, np.uint8)
    assert crop_face(image, IDENTITY, 4, border="replicate").min() == 255


def test_crop_far_outside_the_image_is_black():
    matrix = np.array([(1, 0, -5000), (0, 1, 0)], np.float64)
    assert crop_face(np.full((8, 8, 3), 255, np.uint8), matrix, 4).max() == 0


@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic", "lanczos"])
def test_whole_pixel_shift_copies_pixels(interpolation):
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    matrix = np.array([(1, 0, -13), (0, 1, -7)], np.float64)
    crop = crop_face(image, matrix, 16, interpolation=interpolation)
    np.testing.assert_array_equal(crop, image[7:23, 13:29])


def test_strong_shrinking_averages_instead_of_skipping_pixels():
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[:, ::2] = 255  # must become middle grey
    matrix = np.array([(0.125, 0, 0), (0, 0.125, 0)], np.float64)
    grey = crop_face(stripes, matrix, 64)[4:-4, 4:-4].astype(float)
    assert abs(grey.mean() - 127.5) < 2
    assert grey.std() < 12


@pytest.mark.parametrize("size", [60, 130, 190, 258])
def test_shrunk_picture_is_close_to_the_mean_over_areas(size):
    image = read_image(PICTURES / "astronaut_nasa_pd.png")
    scale = size / 512
    shift = scale / 2 - 0.5  # pixel centres have whole coordinates
    matrix = np.array([(scale, 0, shift), (0, scale, shift)])
    expected = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA).astype(float)
    plain = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_CUBIC)

    def rms(face):
        return np.sqrt(np.mean((face[2:-2, 2:-2] - expected[2:-2, 2:-2]) ** 2))

    ours = rms(crop_face(image, matrix, size).astype(float))
    assert ours < 0.6 * rms(plain.astype(float))


def test_shrinking_keeps_the_place_of_a_dot():
    yy, xx = np.mgrid[:400, :400]
    matrix = cv2.getRotationMatrix2D((200, 200), 25, 0.3)
    matrix[:, 2] += (-136, -136)
    dot = np.exp(-((xx - 230) ** 2 + (yy - 180) ** 2) / (2 * 15**2)).astype(np.float32)[..., None]
    crop = crop_face(dot, matrix, 128)[..., 0]
    yy, xx = np.mgrid[:128, :128]
    centre = np.array([(xx * crop).sum(), (yy * crop).sum()]) / crop.sum()
    np.testing.assert_allclose(centre, transform_points(np.array([230, 180]), matrix), atol=0.05)


def test_crop_keeps_channels_and_type_of_a_mask():
    mask = np.ones((30, 30, 1), np.float32)
    crop = crop_face(mask, np.array([(0.5, 0, 0), (0, 0.5, 0)]), 10)
    assert crop.shape == (10, 10, 1) and crop.dtype == np.float32
    np.testing.assert_allclose(crop[3:, 3:], 1, atol=1e-6)  # the rim blends with the black outside


def test_nearest_keeps_label_values_when_shrinking():
    labels = np.random.default_rng(0).choice(np.uint8([0, 100, 255]), (200, 200, 1))
    crop = crop_face(labels, np.array([(0.2, 0, 0), (0, 0.2, 0)]), 40, interpolation="nearest")
    assert set(np.unique(crop)) <= {0, 100, 255}
