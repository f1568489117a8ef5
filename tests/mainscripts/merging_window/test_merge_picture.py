"""What the merge window draws, beside the reference's formula and counted pixels."""

from dataclasses import replace

import numpy as np
import pytest

from core.frames import Frame
from mainscripts.merging_window.help_picture import help_picture
from mainscripts.merging_window.keys import GROUPS
from mainscripts.merging_window.layout import LARGEST, LEAST_WIDTH, layout_of
from mainscripts.merging_window.picture import (
    STATE_COLORS,
    alpha_view,
    merge_picture,
    timeline_pixels,
)
from mainscripts.merging_window.sand_clock import SIDE
from mainscripts.merging_window.scene import Scene
from mainscripts.merging_window.states import State
from merger.options import MergeOptions

RNG = np.random.default_rng(5)
IMAGE = RNG.integers(0, 256, (360, 640, 3), np.uint8)
MASK = np.zeros((360, 640, 1), np.uint8)
MASK[100:200, 300:380] = 255
MASK[200:210, 300:380] = 64
SCENE = Scene(Frame(2, "00003.png"), 2, 4, IMAGE, MASK, MergeOptions(), MergeOptions(),
              np.array([State.DONE, State.STALE, State.NOT_DONE, State.FAILED], np.uint8))


def image_part(scene):
    return merge_picture(scene)[layout_of(scene.image, scene.zoom).image.slices]


def test_a_frame_that_fits_is_shown_pixel_for_pixel():
    assert np.array_equal(image_part(SCENE), IMAGE)
    deep = replace(SCENE, image=IMAGE.astype(np.uint16) * 257)
    assert np.array_equal(image_part(deep), IMAGE)
    assert not image_part(replace(SCENE, image=None, mask=None)).any()


def test_alpha_is_a_checkerboard_of_five_pixels_as_in_the_reference():
    shown = alpha_view(replace(SCENE, shows_alpha=True)).astype(float)
    for y, x in ((0, 0), (4, 4), (0, 5), (7, 2), (150, 340), (203, 302), (203, 307)):
        board = 64 * ((y // 5 + x // 5) % 2)
        wanted = IMAGE[y, x] * 0.75 + board * (1 - MASK[y, x] / 255)
        assert np.abs(shown[y, x] - wanted).max() <= 0.5
    assert np.array_equal(alpha_view(replace(SCENE, shows_alpha=True, mask=None)), IMAGE)


@pytest.mark.parametrize("size, zoom, shown", [
    ((360, 640), 1.0, (360, 640)), ((360, 640), 0.5, (180, 320)), ((360, 640), 0.1, (36, 64)),
    ((360, 640), 4.0, (700, 1368)), ((1080, 1920), 1.0, (700, 1244)),
    ((400, 4000), 1.0, (137, 1368)),
    ((1, 1), 0.1, (1, 1))])
def test_large_frames_are_made_smaller_and_zoom_is_cut_off(size, zoom, shown):
    layout = layout_of(np.zeros((*size, 3)), zoom)
    assert (layout.image.height, layout.image.width) == shown
    assert layout.image.width <= LARGEST[0] and layout.width >= LEAST_WIDTH
    scene = replace(SCENE, image=RNG.integers(0, 256, (*size, 3), np.uint8), mask=None, zoom=zoom)
    assert merge_picture(scene).shape == (layout.height, layout.width, 3)


def test_zoom_keeps_the_new_face_in_the_middle():
    image = np.zeros((360, 640, 3), np.uint8)
    image[145:165, 330:350] = 255  # the middle of the mask
    part = image_part(replace(SCENE, image=image, zoom=4.0))
    ys, xs = np.nonzero(part[..., 0] > 127)
    assert abs(ys.mean() - part.shape[0] / 2) < 5 and abs(xs.mean() - part.shape[1] / 2) < 5
    assert abs(np.ptp(ys) - 80) <= 4  # 20 pixels, four times as large


def test_the_sand_clock_lies_on_the_corner_while_something_is_on_its_way():
    working = image_part(replace(SCENE, is_working=True))
    assert not np.array_equal(working[:SIDE, :SIDE], IMAGE[:SIDE, :SIDE])
    assert np.array_equal(working[SIDE:], IMAGE[SIDE:])
    assert np.array_equal(working[:, SIDE:], IMAGE[:, SIDE:])
    tiny = replace(SCENE, is_working=True, zoom=0.1)
    assert image_part(tiny).shape == (36, 64, 3)


def test_each_frame_has_its_stretch_of_the_timeline():
    pixels = timeline_pixels(SCENE.states, 100)
    for place, state in enumerate((State.DONE, State.STALE, State.NOT_DONE, State.FAILED)):
        assert (pixels[25 * place: 25 * (place + 1)] == STATE_COLORS[state]).all()
    layout = layout_of(IMAGE, 1.0)
    assert [layout.frame_at(layout.timeline.x + x, 4) for x in (-50, 0, 219, 220, 5000)] == [
        0, 0, 0, 1, 3]


def test_of_many_frames_the_gravest_state_shows():
    states = np.zeros(1000, np.uint8)
    states[[17, 503]] = State.FAILED, State.STALE
    pixels = timeline_pixels(states, 100)
    marked = {place: tuple(color) for place, color in enumerate(pixels.tolist())
              if tuple(color) != STATE_COLORS[State.DONE]}
    assert marked == {1: STATE_COLORS[State.FAILED], 50: STATE_COLORS[State.STALE]}


def test_what_is_set_and_what_is_typed_can_be_seen():
    pictures = [merge_picture(scene).tobytes() for scene in (
        SCENE, replace(SCENE, options=replace(SCENE.options, erode_mask=7)),
        replace(SCENE, options=replace(SCENE.options, mode="hist-match")),
        replace(SCENE, note="undone"), replace(SCENE, question="go to frame:"),
        replace(SCENE, question="go to frame:", answer="12"), replace(SCENE, number=3),
        replace(SCENE, has_own=False), replace(SCENE, is_running=True))]
    assert len(set(pictures)) == len(pictures)


def test_the_help_fits_a_screen_and_has_room_for_every_row():
    picture = help_picture()
    assert picture.shape[0] <= 720 and picture.shape[1] <= 1368
    assert not picture.flags.writeable
    ink = (picture.max(axis=2) > 120).any(axis=1)
    lines = np.count_nonzero(np.diff(ink.astype(int)) == 1)
    assert lines >= 1 + max(len(group.rows) for group in GROUPS)
    border = np.concatenate([picture[-1], picture[0], picture[:, 0], picture[:, -1]])
    assert len(np.unique(border, axis=0)) == 1  # nothing is cut off
