"""Made-up pictures: what is in them is where their labels say."""

import cv2
import numpy as np
import pytest

from samplelib.face_outline import FOREHEAD, outline_of
from samplelib.face_source import Problems
from samplelib.photo_crop import _window, make_crop
from samplelib.photo_looks import random_look
from samplelib.photo_scene import SceneSizes, make_scene, similarity, turned_view
from samplelib.photo_source import PhotoSource
from tests.samplelib.photos import EYE, face_landmarks, make_photos

SIZES = SceneSizes(160, least_face=30, largest_face=120)


@pytest.fixture(name="source")
def fixture_source(tmp_path):
    return PhotoSource(make_photos(tmp_path), Problems())


def dot_at_an_eye(image, landmarks):
    """Whether a red pixel is within two pixels of the right eye, or in a mirrored one the left."""
    for eye in (slice(36, 42), slice(42, 48)):
        x, y = np.rint(landmarks[eye].mean(axis=0)).astype(int)
        around = image[max(y - 2, 0):y + 3, max(x - 2, 0):x + 3].astype(int)
        if around.size and np.abs(around - EYE).sum(-1).min() < 120:
            return True
    return False


def is_clockwise(landmarks):
    """Whether right eye, left eye and chin follow each other clockwise, as in every face."""
    right, left, chin = landmarks[36], landmarks[45], landmarks[8]
    (a, b), (c, d) = left - right, chin - right
    return a * d - b * c > 0


def turned(landmarks, degrees):
    angle = np.radians(degrees)
    rotation = np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    return landmarks @ rotation.T


def test_the_box_of_an_upright_face_holds_landmarks_and_forehead():
    points = face_landmarks(200, 30, 40)
    x1, y1, x2, y2 = outline_of(points).box
    top, bottom = points[:, 1].min(), points[:, 1].max()
    np.testing.assert_allclose((x1, x2), (points[:, 0].min(), points[:, 0].max()), atol=2)
    np.testing.assert_allclose((y1, y2), (top - FOREHEAD * (bottom - top), bottom), atol=2)


@pytest.mark.parametrize("degrees", [-150, -40, 25, 90, 180])
def test_an_outline_turns_with_its_face(degrees):
    points = face_landmarks(200)
    upright, leaning = outline_of(points), outline_of(turned(points, degrees))
    assert leaning.side == pytest.approx(upright.side, rel=1e-6)
    difference = np.degrees(leaning.roll - upright.roll) - degrees
    assert (difference + 180) % 360 - 180 == pytest.approx(0, abs=1e-6)
    # Bounds of an ellipse by going round it.
    round_it = np.linspace(0, 2 * np.pi, 20_000)[:, np.newaxis]
    edge = (leaning.centre + np.cos(round_it) * leaning.across + np.sin(round_it) * leaning.along)
    np.testing.assert_allclose(leaning.box, [*edge.min(0), *edge.max(0)], atol=1e-3)


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_similarity_does_what_its_arguments_say(mirrored):
    matrix = similarity(np.array([10.0, 20]), np.array([3.0, 4]), 2.0, np.radians(90), mirrored)
    sign = -1 if mirrored else 1
    for point, expected in (((10, 20), (3, 4)), ((11, 20), (3, 4 + 2 * sign)),
                            ((10, 21), (3 - 2, 4))):
        np.testing.assert_allclose(matrix @ [*point, 1], expected, atol=1e-9)


def test_a_view_is_the_picture_in_front_of_the_background():
    image = np.full((20, 20, 3), 200, np.uint8)
    background = np.full((40, 30, 3), 7, np.uint8)
    shift = np.array([(1.0, 0, 5), (0, 1.0, 10)])
    view = turned_view(image, shift, (30, 40), background)
    assert (view[12:28, 7:23] == 200).all()
    assert (view[:9] == 7).all() and (view[:, 26:] == 7).all() and (background == 7).all()


def test_faces_of_scenes_are_where_they_are_said_to_be(source):
    seen = hidden = 0
    for number in range(60):
        scene = make_scene(source, number, SIZES, np.random.default_rng(number))
        assert scene.image.shape == (160, 160, 3) and scene.image.dtype == np.uint8
        for landmarks in scene.faces:
            outline = outline_of(landmarks)
            assert 25 < outline.side < 125
            assert is_clockwise(landmarks)
            seen += dot_at_an_eye(scene.image, landmarks)
            hidden += not dot_at_an_eye(scene.image, landmarks)
    # Some eyes are covered, shrunk away, or cut off by a neighbouring part.
    assert seen > 80 and hidden < 0.3 * seen


def test_scenes_show_faces_in_all_directions(source):
    rolls = np.degrees([outline_of(landmarks).roll for number in range(150) for landmarks in
                        make_scene(source, number, SIZES, np.random.default_rng(number)).faces])
    assert (np.abs(rolls) < 45).mean() > 0.5
    assert all(((rolls >= low) & (rolls < low + 90)).any() for low in (-180, -90, 0, 90))


def test_a_scene_follows_from_its_number_and_chance_alone(source):
    first, again, other = (make_scene(source, 1, SIZES, np.random.default_rng(seed))
                           for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.faces, again.faces)
    assert not np.array_equal(first.image, other.image)


def test_patches_without_faces_show_none(source):
    for seed in range(40):
        patch = source.plain_patch(50, 70, np.random.default_rng(seed))
        assert patch.shape == (50, 70, 3)
        assert np.abs(patch.astype(int) - EYE).sum(-1).min() > 150


def test_crops_hold_their_face(source):
    right = 0
    for number in range(40):
        crop = make_crop(source, number, 128, np.random.default_rng(number))
        x, y = crop.landmarks.T
        assert ((x > -12) & (x < 140)).all() and ((y > -12) & (y < 140)).all()
        assert 45 < np.ptp(y) < 128 and is_clockwise(crop.landmarks)
        right += dot_at_an_eye(crop.image, crop.landmarks)
    assert right > 30  # the others are covered


def test_an_upright_window_is_the_one_of_a_grown_box():
    outline = outline_of(face_landmarks(200, 30, 40))
    centre, side = _window(outline, 0.0, False)
    x1, y1, x2, y2 = outline.box
    height = 1.1 * (y2 - y1)
    np.testing.assert_allclose(centre, ((x1 + x2) / 2, y1 + height / 2))
    assert side == pytest.approx((x2 - x1 + height) * 200 / 195)


def test_looks_change_colours_and_not_places():
    image = np.zeros((64, 64, 3), np.uint8)
    cv2.circle(image, (40, 20), 6, (255, 255, 255), -1)
    for seed in range(40):
        look = random_look(image, np.random.default_rng(seed))
        assert look.shape == image.shape and look.dtype == np.uint8
        bright = look.astype(float).sum(-1)
        bright = np.where(bright > (bright.max() + np.median(bright)) / 2, 1.0, 0.0)
        rows, columns = np.nonzero(bright)
        np.testing.assert_allclose((columns.mean(), rows.mean()), (40, 20), atol=2.5)
    again = [random_look(image, np.random.default_rng(3)) for _ in range(2)]
    np.testing.assert_array_equal(*again)
