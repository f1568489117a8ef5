"""What the manual window shows."""

from dataclasses import replace

import numpy as np
import pytest

from core.geometry import transform_points
from facelib.drawing import BOX, CROP, LANDMARKS
from facelib.types import FoundFace
from mainscripts.manual.keys import HELP
from mainscripts.manual.picture import (
    LOCKED,
    MARK,
    NOTE,
    OTHER,
    STRIP_HEIGHT,
    Scene,
    manual_picture,
)
from mainscripts.manual.view import fitted_view
from tests.mainscripts.manual.faces import face_at

GREY = np.full((270, 480, 3), 90, np.uint8)
SCENE = Scene(GREY, fitted_view((270, 480), 960), title="frame 1", status="locked", hint="click")
FACE, OTHER_FACE = face_at(150, 130, 60), face_at(350, 130, 60)


def frame_of(scene):
    return manual_picture(scene)[STRIP_HEIGHT:]


def colour_at(scene, points):
    """(N, 3): in each channel what is farthest from the grey, in 5 x 5 pixels about each point."""
    picture = frame_of(scene).astype(int)
    found = []
    for x, y in np.rint(transform_points(np.asarray(points), scene.view.image_to_view)).astype(int):
        part = picture[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3)
        found.append(part[np.abs(part - 90).sum(1).argmax()])
    return np.array(found)


def count(picture, colour):
    return int((np.abs(picture.astype(int) - colour).max(axis=-1) < 40).sum())


def test_the_frame_lies_below_two_lines_of_text():
    picture = manual_picture(SCENE)
    assert picture.shape == (STRIP_HEIGHT + 540, 960, 3) and picture.dtype == np.uint8
    assert (picture[STRIP_HEIGHT + 1 : -1, 1:-1] == 90).all()  # at the rim it fades to black
    assert count(picture[:STRIP_HEIGHT // 2], (255, 255, 255)) > 20
    assert count(picture[STRIP_HEIGHT // 2 : STRIP_HEIGHT], NOTE) == 0


def test_a_note_takes_the_place_of_the_hint():
    lower = slice(STRIP_HEIGHT // 2, STRIP_HEIGHT)
    noted = manual_picture(replace(SCENE, note="undone"))
    assert count(noted[lower], NOTE) > 20
    assert (noted[: STRIP_HEIGHT // 2] == manual_picture(SCENE)[: STRIP_HEIGHT // 2]).all()


@pytest.mark.parametrize("chosen, colours", [(0, (LOCKED, OTHER)), (1, (OTHER, LOCKED))])
def test_the_chosen_face_is_told_by_its_colour_and_its_crop(chosen, colours):
    scene = replace(SCENE, faces=[FACE, OTHER_FACE], chosen=chosen)
    for face, colour in zip(scene.faces, colours):
        seen = colour_at(scene, face.landmarks[36:48])
        assert np.abs(seen - colour).max() < 60
    assert count(frame_of(scene), CROP) > 200
    assert count(frame_of(replace(scene, chosen=None)), CROP) == 0


def test_the_held_face_is_green_in_its_square_and_hides_the_one_it_replaces():
    scene = replace(SCENE, faces=[FACE, OTHER_FACE], chosen=0, held=face_at(250, 140, 40),
                    square=face_at(250, 140, 40).box)
    assert np.abs(colour_at(scene, scene.held.landmarks[36:48]) - LANDMARKS).max() < 60
    assert np.abs(colour_at(scene, [(210, 110), (290, 165), (240, 100)]) - BOX).max() < 60
    hidden = FACE.landmarks[[27, 36, 39, 42, 45]]
    assert np.abs(colour_at(scene, hidden) - 90).max() < 5
    assert np.abs(colour_at(scene, OTHER_FACE.landmarks[36:48]) - OTHER).max() < 60


def test_the_landmark_under_the_mouse_is_ringed():
    scene = replace(SCENE, marked=np.float32([100, 100]))
    ring = frame_of(scene)[190:212, 190:212]
    assert count(ring, MARK) > 10 and (ring[10:12, 10:12] == 90).all()
    assert count(frame_of(SCENE), MARK) == 0


def test_a_view_shows_its_part_of_the_frame():
    image = GREY.copy()
    image[100:110, 200:210] = 250
    view = SCENE.view._replace(image_to_view=np.array([[8, 0, -1200], [0, 8, -600]], float))
    frame = frame_of(replace(SCENE, image=image, view=view))
    assert (frame[210:270, 410:470] == 250).all() and (frame[:190, :390] == 90).all()


def test_landmarks_that_no_face_fits_are_drawn_without_a_crop():
    flat = FoundFace(FACE.box, 1.0, np.full((68, 2), 150, np.float32))
    frame = frame_of(replace(SCENE, faces=[flat], chosen=0))
    assert count(frame, CROP) == 0 and count(frame, LOCKED) > 5


@pytest.mark.parametrize("size", [(540, 960), (769, 1368), (270, 480), (120, 90)])
def test_the_help_names_every_key_in_frames_of_any_size(size):
    view = SCENE.view._replace(size=size)
    scene = replace(SCENE, view=view, shows_help=True)
    frame = frame_of(scene)
    rows = (np.abs(frame.astype(int) - NOTE).max(-1) < 60).any(axis=1)
    if size[0] >= 270:
        assert np.diff(rows.astype(int)).clip(0).sum() >= len(HELP) - 1  # lines of key names
    assert frame.shape[:2] == size
