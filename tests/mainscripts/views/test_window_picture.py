import numpy as np
import pytest

from core.imaging.draw import BACKGROUND
from mainscripts.views.curves import CurveCache
from mainscripts.views.window_picture import (
    CHART_HEIGHT,
    FACES_HEIGHT,
    FACES_WIDTH,
    LEAST_WIDTH,
    WindowContent,
    fitted,
    window_picture,
)
from tests.mainscripts.views.synthetic import history_of, status_of


def grey(value, height, width):
    return np.full((height, width, 3), value, np.uint8)


def content(n_iterations=300, **changes):
    status = status_of(history_of(n_iterations))
    curves = CurveCache().curves(status, 0, 600)
    return WindowContent(**{"headline": "anna", "curves": curves, "losses": status.losses,
                            "previews": {"a": grey(77, 100, 700), "b": grey(155, 60, 500)},
                            **changes})


def test_the_chosen_preview_stands_below_text_and_chart():
    picture = window_picture(content())
    assert picture.shape[1] == 700 and picture.dtype == np.uint8
    np.testing.assert_array_equal(picture[-100:], grey(77, 100, 700))
    second = window_picture(content(chosen=1))
    assert second.shape == picture.shape  # the window does not jump
    np.testing.assert_array_equal(second[-100:-40, 100:600], grey(155, 60, 500))
    assert (second[-1, -1] == BACKGROUND).all()


def test_choosing_goes_round():
    np.testing.assert_array_equal(window_picture(content(chosen=2)), window_picture(content()))


@pytest.mark.parametrize("height, width, expected", [
    (400, 900, (400, 900)),
    (1600, 1000, (800, 500)),
    (500, 3600, (250, 1800)),
    (2400, 3000, (800, 1000)),
])
def test_large_previews_are_made_smaller_to_fit_a_screen(height, width, expected):
    (picture,) = fitted([grey(50, height, width)], FACES_WIDTH, FACES_HEIGHT)
    assert picture.shape == (*expected, 3)
    assert picture.min() == picture.max() == 50


def test_all_previews_are_made_the_same_size():
    pictures = fitted([grey(50, 1600, 800), grey(60, 800, 1600)], FACES_WIDTH, FACES_HEIGHT)
    assert [picture.shape for picture in pictures] == [(800, 800, 3)] * 2
    assert fitted([], 10, 10) == []


@pytest.mark.parametrize("n_iterations", [0, 1, 2, 5000])
def test_there_is_a_picture_before_previews_and_iterations(n_iterations):
    picture = window_picture(content(n_iterations, previews={}))
    assert picture.shape[1] == LEAST_WIDTH
    assert picture.std() > 5
    assert window_picture(WindowContent()).shape == picture.shape


def test_the_chart_shows_both_losses_in_their_colours():
    picture = window_picture(content(previews={}))[-CHART_HEIGHT + 24:].astype(int)
    blueness = picture[..., 0] - picture[..., 2]
    assert (blueness > 60).sum() > 300 and (blueness < -60).sum() > 300


def test_a_note_stands_at_the_right_and_a_long_headline_is_shortened():
    plain = window_picture(content())
    noted = window_picture(content(note="saving ..."))
    changed = np.flatnonzero((plain != noted).any(axis=(0, 2)))
    assert changed.min() > 600 and changed.max() < 700
    long = window_picture(content(headline="x" * 500))
    assert (long[:20, 692:] == BACKGROUND).all()


def test_help_lies_over_everything_and_stays_readable():
    plain, helped = window_picture(content()), window_picture(content(shows_help=True))
    assert helped.shape == plain.shape
    assert helped[-1, -1].max() <= 0.2 * 77  # what is below is dark
    assert (helped.max(axis=2) > 200).sum() > 1000  # letters
