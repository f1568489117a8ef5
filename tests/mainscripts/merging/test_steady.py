"""Which frames have a say in a frame's colours, and when each can go on."""

import numpy as np
import pytest

from core.frames import Frame
from core.imaging.color_statistics import ColorStatistics
from core.pipeline import Failed
from facelib.types import SwapPrediction
from mainscripts.merging.dst_faces import DstFace, Stretch
from mainscripts.merging.frame_settings import FrameSettings
from mainscripts.merging.steady import (
    ReadFrame,
    SwappedFrame,
    around,
    reach_of,
    steadied,
    views,
)
from merger.color_memory import FaceColors, steady_map
from merger.faces import FaceToMerge
from merger.options import MergeOptions

LANDMARKS = np.random.default_rng(0).random((68, 2))
FRAMES = [Frame(number, f"{number:05d}.png") for number in range(20)]
VIEW, OTHER_VIEW = MergeOptions(), MergeOptions(erode_mask=9)
SHOTS = (Stretch(0, 0, 7), Stretch(0, 8, 19))


def colors(number):
    """Other colours in every frame."""
    rng = np.random.default_rng(number)
    spread = rng.random((3, 3)) * 0.2
    of = ColorStatistics(rng.random(3), spread @ spread.T + 0.01 * np.eye(3))
    return FaceColors(of, ColorStatistics(of.mean * 0.9, of.covariance))


def shot_of(number):
    return SHOTS[number > 7]


def swapped(number):
    face = DstFace(LANDMARKS, 0, None, stretch=shot_of(number))
    prediction = SwapPrediction(np.zeros((4, 4, 3), np.float32), None, None)
    return FRAMES[number].name, SwappedFrame(
        ReadFrame(FRAMES[number], np.zeros((4, 4, 3), np.uint8), [face], []),
        [FaceToMerge(LANDMARKS, prediction)], {VIEW: [colors(number)], OTHER_VIEW: [None]})


def settings(reach):
    return FrameSettings(MergeOptions(color_smoothing=reach))


def run(numbers, reach, failed=()):
    """Frame number -> its map, in the order in which they came."""
    items = [(FRAMES[number].name, Failed(number, ValueError())) if number in failed
             else swapped(number) for number in numbers]
    return {name: None if isinstance(item, Failed) else item.faces[0].steady_map
            for name, item in steadied(items, settings(reach), reach)}


@pytest.mark.parametrize("reach", [1, 3, 15])
def test_the_window_is_that_of_the_shot(reach):
    maps = run(range(20), reach)
    assert list(maps) == [frame.name for frame in FRAMES]
    for number, frame in enumerate(FRAMES):
        first = max(number - reach, shot_of(number).first)
        last = min(number + reach, shot_of(number).last)
        wanted = steady_map([colors(place) for place in range(first, last + 1)], number - first)
        np.testing.assert_array_equal(maps[frame.name], wanted)


def test_frames_merged_later_get_the_same_maps():
    whole = run(range(20), 3)
    faces = {FRAMES[number].stem: swapped(number)[1].frame.faces for number in range(20)}
    for wanted in ([10], [2, 3], [7], [8], [0, 19]):
        frames = around(FRAMES, [FRAMES[number] for number in wanted], faces, settings(3))
        part = run([frame.index for frame in frames], 3)
        for number in wanted:
            np.testing.assert_array_equal(part[FRAMES[number].name], whole[FRAMES[number].name])


def test_no_more_frames_are_looked_at_than_needed():
    faces = {FRAMES[number].stem: swapped(number)[1].frame.faces for number in range(20)}
    assert [frame.index for frame in around(FRAMES, [FRAMES[6]], faces, settings(2))] == [
        4, 5, 6, 7]  # a cut follows
    assert [frame.index for frame in around(FRAMES, [FRAMES[6]], faces, settings(0))] == [6]
    assert [frame.index for frame in around(FRAMES, [FRAMES[6]], {}, settings(2))] == [6]


def test_a_frame_that_failed_is_missing_and_keeps_its_place():
    maps = run(range(20), 2, failed={4})
    assert list(maps) == [frame.name for frame in FRAMES]
    assert maps[FRAMES[4].name] is None
    wanted = steady_map([colors(3), None, colors(5), colors(6), colors(7)], 2)
    np.testing.assert_array_equal(maps[FRAMES[5].name], wanted)


def test_each_frame_is_looked_at_as_those_that_it_has_a_say_in_are_merged():
    faces = {FRAMES[number].stem: swapped(number)[1].frame.faces for number in range(20)}
    eroded = MergeOptions(color_smoothing=1, erode_mask=9, output_face_scale=3)
    plain = MergeOptions(color_smoothing=1, color_transfer="none")
    own = {FRAMES[5].name: eroded, **{FRAMES[number].name: plain for number in (1, 2, 9)}}
    wanted = views(FRAMES[:10], faces, FrameSettings(MergeOptions(color_smoothing=1), own))
    assert {index: set(of) for index, of in wanted.items()} == {
        0: {VIEW}, 1: {VIEW}, 2: {VIEW}, 3: {VIEW}, 4: {VIEW, OTHER_VIEW}, 5: {VIEW, OTHER_VIEW},
        6: {VIEW, OTHER_VIEW}, 7: {VIEW}, 8: {VIEW}, 9: {VIEW}}  # 8 begins a shot


def test_other_views_have_no_say():
    maps = run(range(8), 3)
    items = [swapped(number) for number in range(8)]
    own = {FRAMES[4].name: MergeOptions(color_smoothing=3, erode_mask=9)}
    mixed = {name: item.faces[0].steady_map for name, item in steadied(
        items, FrameSettings(MergeOptions(color_smoothing=3), own), 3)}
    assert mixed.pop(FRAMES[4].name) is None  # its own view shows no face
    for name, found in mixed.items():
        np.testing.assert_array_equal(found, maps[name])


def test_frames_do_not_wait_longer_than_they_must():
    taken = []

    def items():
        for number in range(20):
            taken.append(number)
            yield swapped(number)

    results = steadied(items(), settings(3), 3)
    next(results)
    assert taken == [0, 1, 2, 3]
    for _ in range(5):
        next(results)
    assert taken[-1] == 7  # frames 5 to 7 wait for the end of their shot alone


def test_the_reach_is_that_of_options_that_fit_colours():
    assert reach_of(MergeOptions(color_smoothing=6)) == 6
    assert reach_of(MergeOptions(color_smoothing=6, color_transfer="none")) == 0
    assert reach_of(MergeOptions(color_smoothing=6, mode="original")) == 0
