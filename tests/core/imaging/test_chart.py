import numpy as np
import pytest

from core.imaging import chart

BLUE, ORANGE = chart.SERIES_COLORS[:2]


def plot_rows(picture, color):
    """Row of the picture where each column is most of the colour's hue, -1 where nothing is.

    The strip above the plot (the legend, which uses the same colors) is left out.
    """
    blueness = picture[24:, :, 0].astype(int) - picture[24:, :, 2]
    strength = blueness if color == BLUE else -blueness
    return np.where(strength.max(axis=0) > 40, strength.argmax(axis=0) + 24, -1)


def test_columns_hold_smallest_largest_and_mean_of_equal_runs():
    columns = chart.columns_of([1, 3, 2, 8, 5, 5], 3)
    assert columns.low.tolist() == [1, 2, 5]
    assert columns.high.tolist() == [3, 8, 5]
    assert columns.mean.tolist() == [2, 5, 5]
    assert columns.position.tolist() == [0.5, 2.5, 4.5]


def test_columns_leave_out_what_is_not_finite():
    columns = chart.columns_of([1, np.nan, np.inf, np.nan], 2)
    assert columns.mean[0] == columns.high[0] == 1
    assert np.isnan([columns.mean[1], columns.low[1], columns.high[1]]).all()


def test_short_series_keep_every_value():
    assert chart.columns_of([4, 2, 7], 100).mean.tolist() == [4, 2, 7]
    assert len(chart.columns_of([], 100).mean) == 0


def test_axis_is_logarithmic_only_for_wide_positive_ranges():
    wide, narrow = chart.columns_of([10, 0.1], 2), chart.columns_of([0.3, 0.2], 2)
    assert chart.value_axis([wide]).is_log
    assert not chart.value_axis([narrow]).is_log
    assert not chart.value_axis([chart.columns_of([10, 0.0], 2)], "log").is_log
    assert not chart.value_axis([wide], "linear").is_log


def test_logarithmic_axis_puts_the_geometric_mean_in_the_middle():
    axis = chart.Axis(0.01, 100.0, is_log=True)
    np.testing.assert_allclose(axis.fraction([0.01, 1.0, 100.0, 1e9]), [0, 0.5, 1, 1])


def test_one_spike_does_not_flatten_the_curve():
    axis = chart.value_axis([chart.columns_of([1.0] * 300 + [5000.0], 1000)], "linear")
    assert axis.high < 3


def test_one_spike_does_not_flatten_a_curve_on_a_logarithmic_axis_either():
    falling = np.geomspace(10, 0.1, 999)
    axis = chart.value_axis([chart.columns_of(np.append(falling, 5000.0), 1000)])
    assert axis.is_log and 9 < axis.high < 45 and 0.08 < axis.low < 0.11
    spiky = chart.value_axis([chart.columns_of(np.append(np.full(999, 0.5), 5000.0), 1000)])
    assert not spiky.is_log and spiky.high < 1.1


def test_ticks_are_round_numbers_inside_the_axis():
    np.testing.assert_allclose(chart.Axis(0, 1.05, False).ticks(6), [0, 0.2, 0.4, 0.6, 0.8, 1.0])
    ticks = chart.Axis(0.2, 30, True).ticks(7)
    np.testing.assert_allclose(ticks, [0.2, 0.5, 1, 2, 5, 10, 20])


def test_falling_loss_is_drawn_falling_and_the_higher_series_above():
    values = np.linspace(1.0, 0.5, 300)
    rows = plot_rows(chart.loss_chart({"src": values, "dst": values / 2}, 400, 200), BLUE)
    rows = rows[rows >= 0]
    assert len(rows) > 300 and rows[-1] > rows[0] + 50
    lower = plot_rows(chart.loss_chart({"src": values, "dst": values / 2}, 400, 200), ORANGE)
    assert lower[lower >= 0].min() > rows.min()


def test_value_position_matches_the_axis_grid():
    picture = chart.loss_chart({"src": np.full(50, 0.5)}, 300, 200, scale="linear")
    row = int(np.median(plot_rows(picture, BLUE)[60:280]))
    top, bottom = chart.FONT_HEIGHT + 12, 200 - chart.FONT_HEIGHT - 10
    assert row == pytest.approx(bottom - (bottom - top) / 1.05, abs=2)  # full scale is 5 % above


def test_values_that_are_not_finite_leave_a_gap():
    values = np.full(400, 1.0)
    values[150:250] = np.nan
    rows = plot_rows(chart.loss_chart({"src": values}, 500, 120), BLUE)
    drawn = np.flatnonzero(rows >= 0)
    assert np.diff(drawn).max() > 80


@pytest.mark.parametrize("series", [[], [np.nan, np.inf], [0.4], [0.0, 0.0], [-1.0, 1.0]])
@pytest.mark.parametrize("scale", ["auto", "linear", "log"])
def test_unusual_series_still_make_a_chart(series, scale):
    picture = chart.loss_chart({"src": series, "dst": series}, 200, 100, scale=scale)
    assert picture.shape == (100, 200, 3) and picture.dtype == np.uint8
    assert picture.std() > 0


def test_a_single_value_is_a_dot_in_the_middle():
    rows = plot_rows(chart.loss_chart({"src": [0.5]}, 301, 120), BLUE)
    dot = np.flatnonzero(rows >= 0)
    left = 8 + chart.text_size("0.0005", chart.FONT_HEIGHT)[0]
    assert 3 <= len(dot) <= 9
    assert dot.mean() == pytest.approx((left + 301 - 10) / 2, abs=1)


def test_no_series_at_all_makes_an_empty_chart():
    assert chart.loss_chart({}, 200, 100).shape == (100, 200, 3)


def test_too_small_or_unknown_is_refused():
    with pytest.raises(ValueError, match="160"):
        chart.loss_chart({"src": [1]}, 50, 50)
    with pytest.raises(ValueError, match="scale"):
        chart.loss_chart({"src": [1]}, 200, 100, scale="cubic")
