import cv2
import numpy as np
import pytest

from core.geometry import transform_points
from facelib.align import crop_face, face_transform
from facelib.face_type import FaceType
from merger.paste import (
    Region,
    crop_for_prediction,
    face_region,
    mask_region,
    paste_face,
    paste_mask,
    paste_transform,
    square_inside,
)


def test_crop_for_prediction_is_the_aligned_face_as_float(smooth_frame, landmarks_at):
    frame, landmarks = smooth_frame(241, 333), landmarks_at(160, 120, 90, -20)
    crop = crop_for_prediction(frame, landmarks, FaceType.WHOLE_FACE, 128)
    frame_to_face = face_transform(landmarks, 128, FaceType.WHOLE_FACE)
    expected = crop_face(frame, frame_to_face, 128) / 255.0
    assert crop.dtype == np.float32 and crop.shape == (128, 128, 3)
    assert np.abs(crop - expected).max() < 1.5 / 255


def test_crop_for_prediction_is_not_rounded_to_grey_levels(smooth_frame, landmarks_at):
    landmarks = landmarks_at(100, 100, 43, 10)
    crop = crop_for_prediction(smooth_frame(200, 200), landmarks, FaceType.FULL, 96)
    assert np.abs(crop * 255 - np.rint(crop * 255)).mean() > 0.1


def test_crop_is_black_outside_of_the_frame(landmarks_at):
    frame = np.full((100, 100, 3), 255, np.uint8)
    half_out = crop_for_prediction(frame, landmarks_at(0, 50, 40), FaceType.FULL, 64)
    assert half_out[:, :28].max() < 0.01 and half_out[10:50, 36:].min() > 0.99
    away = crop_for_prediction(frame, landmarks_at(-500, 50, 40), FaceType.FULL, 64)
    assert away.shape == (64, 64, 3) and away.max() == 0


@pytest.mark.parametrize("scale", [-30, 0, 25])
def test_face_scale_keeps_the_middle_of_the_face_in_place(scale, landmarks_at):
    landmarks = landmarks_at(300, 200, 90, 15)
    middle = landmarks[17:].mean(axis=0)
    unscaled = paste_transform(landmarks, FaceType.WHOLE_FACE)
    scaled = paste_transform(landmarks, FaceType.WHOLE_FACE, scale)
    np.testing.assert_allclose(
        transform_points(middle, scaled), transform_points(middle, unscaled), atol=1e-6
    )
    # One frame pixel covers less of the square when the face is larger.
    assert np.linalg.det(scaled[:, :2]) * (1 + scale / 100) ** 2 == pytest.approx(
        np.linalg.det(unscaled[:, :2])
    )


def test_positive_face_scale_makes_the_region_larger(landmarks_at):
    landmarks = landmarks_at(400, 400, 100)
    sizes = [
        face_region(paste_transform(landmarks, FaceType.FULL, scale), 1, (800, 800)).size[0]
        for scale in (-20, 0, 20)
    ]
    assert sizes[1] == pytest.approx(1.25 * sizes[0], rel=0.03)
    assert sizes[2] == pytest.approx(1.20 * sizes[1], rel=0.03)


def test_region_holds_every_pixel_of_the_square(landmarks_at):
    frame_to_face = paste_transform(landmarks_at(210, 190, 80, 33), FaceType.FULL) * 64
    region = face_region(frame_to_face, 64, (400, 450))
    y, x = np.mgrid[:400, :450]
    inside = transform_points(np.stack([x, y], axis=-1).reshape(-1, 2).astype(float), frame_to_face)
    inside = ((inside >= 0) & (inside <= 64)).all(axis=1).reshape(400, 450)
    outside = inside.copy()
    outside[region.slices] = False
    assert inside.sum() > 15000 and not outside.any()
    assert inside[region.slices].any(axis=0)[1:-1].all()  # and it is tight


@pytest.mark.parametrize(("x", "y"), [(-300, 50), (50, 900), (700, -200)])
def test_region_of_a_face_outside_of_the_frame_is_empty(x, y, landmarks_at):
    frame_to_face = paste_transform(landmarks_at(x, y, 60), FaceType.FULL) * 64
    assert min(face_region(frame_to_face, 64, (300, 400)).size) == 0


@pytest.mark.parametrize("side", [8, 40, 300])
def test_mask_region_holds_all_that_the_mask_shows_and_little_else(side, landmarks_at, round_mask):
    mask = round_mask(256, 0.2)
    frame_to_grid = paste_transform(landmarks_at(210.3, 190.8, side, 33), FaceType.FULL) * 256
    square = face_region(frame_to_grid, 256, (400, 450))
    region = mask_region(mask, frame_to_grid, (400, 450))
    whole = np.zeros((400, 450))
    whole[square.slices] = paste_mask(mask, frame_to_grid, square)[..., 0]
    part = np.zeros((400, 450))
    part[region.slices] = paste_mask(mask, frame_to_grid, region)[..., 0]
    np.testing.assert_allclose(part, whole, atol=0.02)  # OpenCV warps to 1/32 pixel
    assert whole[region.slices].sum() == whole.sum() > 0
    assert np.prod(region.size) < 0.6 * np.prod(square.size) or side == 8


def test_mask_region_of_an_empty_mask_is_empty(landmarks_at):
    frame_to_grid = paste_transform(landmarks_at(50, 50, 20), FaceType.FULL) * 64
    empty = np.zeros((64, 64, 1), np.float32)
    assert mask_region(empty, frame_to_grid, (100, 100)).size == (0, 0)


def test_pasting_puts_the_square_where_it_was_cut_out(smooth_frame, landmarks_at):
    frame = smooth_frame(301, 401)
    landmarks = landmarks_at(200, 140, 100, 40)
    frame_to_face = face_transform(landmarks, 160, FaceType.FULL)
    crop = crop_for_prediction(frame, landmarks, FaceType.FULL, 160)
    region = face_region(frame_to_face, 160, frame.shape)
    pasted = paste_face(crop, frame_to_face, region) * 255
    hole = paste_mask(np.ones((160, 160, 1), np.float32), frame_to_face, region)[..., 0] > 0.999
    assert hole.mean() > 0.4
    assert np.abs(pasted - frame[region.slices])[hole].max() < 1.5


def test_a_shrunken_face_is_averaged_and_not_picked_from(landmarks_at):
    rng = np.random.default_rng(2)
    noise = rng.random((256, 256, 3)).astype(np.float32)
    frame_to_face = paste_transform(landmarks_at(60, 60, 20), FaceType.FULL) * 256
    region = face_region(frame_to_face, 256, (120, 120))
    pasted = paste_face(noise, frame_to_face, region)[8:-8, 8:-8]
    scale = np.sqrt(np.linalg.det(frame_to_face[:, :2]))  # square pixels per frame pixel
    assert scale > 5
    assert pasted.std() < 2 * noise.std() / scale and abs(pasted.mean() - 0.5) < 0.02


def test_a_shrunken_mask_keeps_its_place_and_area(landmarks_at, round_mask):
    landmarks = landmarks_at(60.3, 59.8, 20, 10)
    frame_to_grid = paste_transform(landmarks, FaceType.FULL) * 256
    region = face_region(frame_to_grid, 256, (120, 120))
    pasted = paste_mask(round_mask(256), frame_to_grid, region)[..., 0]
    area = np.pi * (0.35 * 256) ** 2 / np.linalg.det(frame_to_grid[:, :2])
    assert pasted.sum() == pytest.approx(area, rel=0.02)
    moments = cv2.moments(pasted)
    centre = np.array([moments["m10"], moments["m01"]]) / moments["m00"] + (region.x1, region.y1)
    in_grid = transform_points(centre, frame_to_grid)
    np.testing.assert_allclose(in_grid, [127.5, 127.5], atol=0.6)


def test_regions_overlap_unite_and_nest():
    first, second = Region(2, 3, 10, 9), Region(9, 8, 20, 30)
    assert first.overlaps(second) and second.overlaps(first)
    assert not first.overlaps(Region(10, 3, 12, 9)) and not first.overlaps(Region(2, 9, 5, 12))
    both = first.united(second)
    assert both == Region(2, 3, 20, 30)
    frame = np.arange(40 * 30).reshape(40, 30)
    np.testing.assert_array_equal(frame[both.slices][second.within(both).slices],
                                  frame[second.slices])


@pytest.mark.parametrize(("x", "y", "degrees"), [(100, 100, 0), (5, 60, 30), (190, 195, -70)])
def test_pixels_of_the_square_that_come_from_the_frame_are_inside(x, y, degrees, landmarks_at):
    frame_to_face = paste_transform(landmarks_at(x, y, 40, degrees), FaceType.FULL) * 80
    inside = square_inside(frame_to_face, 80, (200, 210))
    columns, rows = np.meshgrid(np.arange(80.0), np.arange(80.0))
    points = transform_points(np.stack([columns, rows], axis=-1).reshape(-1, 2),
                              np.linalg.inv(np.vstack([frame_to_face, (0, 0, 1)]))[:2])
    expected = ((points >= 0) & (points <= (209, 199))).all(axis=1).reshape(80, 80, 1)
    np.testing.assert_array_equal(inside, expected)
    assert inside.dtype == np.float32 and 0.2 < inside.mean() <= 1
