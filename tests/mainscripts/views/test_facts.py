import json
import math

import numpy as np
import pytest

from mainscripts.views.facts import (
    duration,
    headline,
    preview_files,
    seconds_left,
    status_facts,
)
from tests.mainscripts.views.synthetic import history_of, status_of


def test_facts_are_all_fields_but_arrays_and_are_json():
    status = status_of(history_of(5), iteration=5, target_iteration=105,
                       iterations_per_second=4.0, losses={"src": math.nan, "dst": 0.25},
                       previews={"faces": np.zeros((1, 1, 3), np.uint8)}, saved_at=12.5,
                       saved_iteration=4, message="rolled back", memory_mb=None)
    facts = json.loads(json.dumps(status_facts(status), allow_nan=False))
    assert set(facts) == {
        "name", "kind", "iteration", "target_iteration", "seconds", "iterations_per_second",
        "images_per_second", "losses", "terms", "data_wait_ms", "memory_mb", "rate_scale",
        "saved_at", "saved_iteration", "message", "seconds_left"}
    assert facts["losses"] == {"src": None, "dst": 0.25}
    assert facts["seconds_left"] == 25.0
    assert (facts["saved_at"], facts["saved_iteration"], facts["memory_mb"]) == (12.5, 4, None)


@pytest.mark.parametrize("target, iteration, speed, left", [
    (0, 10, 5.0, None), (100, 10, 0.0, None), (100, 10, math.nan, None), (100, 10, 5.0, 18.0),
    (100, 100, 5.0, 0.0), (100, 130, 5.0, 0.0)])
def test_time_left_needs_a_target_and_a_speed(target, iteration, speed, left):
    status = status_of(history_of(0), iteration=iteration, target_iteration=target,
                       iterations_per_second=speed)
    assert seconds_left(status) == left


@pytest.mark.parametrize("seconds, text", [
    (0, "0 s"), (0.6, "1 s"), (59, "59 s"), (60, "1 min"), (843, "14 min 3 s"), (3600, "1 h"),
    (3661, "1 h 1 min"), (86400 * 2 + 5 * 3600 + 59, "2 d 5 h"), (86400 + 60, "1 d")])
def test_times_have_their_two_largest_units(seconds, text):
    assert duration(seconds) == text


def test_preview_files_are_safe_and_differ_even_where_capitals_do_not_count():
    files = preview_files(["faces", "Faces", "src/dst", "src dst", "../../etc", "größe"])
    assert files == {"faces": "preview_faces.png", "Faces": "preview_Faces_.png",
                     "src/dst": "preview_src_dst.png", "src dst": "preview_src_dst_.png",
                     "../../etc": "preview_______etc.png", "größe": "preview_größe.png"}


def test_the_headline_says_who_and_how_far():
    status = status_of(history_of(0), iteration=1200, target_iteration=5000,
                       iterations_per_second=6.4)
    assert headline(status) == (
        "anna (SAEHD)   iteration 1,200 of 5,000   6.40 it/s   9 min 54 s left")


def test_the_headline_says_what_is_unusual():
    status = status_of(history_of(0), iteration=7, target_iteration=0, rate_scale=0.25,
                       message="rolled back to iteration 4")
    assert headline(status) == ("anna (SAEHD)   iteration 7   6.37 it/s   learning rate x 0.25   "
                                "rolled back to iteration 4")
    assert "target reached" in headline(status_of(history_of(0), iteration=9, target_iteration=9))
