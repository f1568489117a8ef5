import json
import math
import threading

import numpy as np
import pytest

from core.imaging.chart import Columns
from mainscripts.views.curves import RANGES, CurveCache, Curves, curves_picture, curves_to_json
from models.history import LossHistory
from tests.mainscripts.views.synthetic import history_of, status_of


def of_runs(values, n_columns, reduce):
    """`reduce` of each of n runs of a list: run c holds the values [c * N / n, (c + 1) * N / n)."""
    n = len(values)
    return [reduce([float(v) for v in values[c * n // n_columns:(c + 1) * n // n_columns]])
            for c in range(n_columns)]


# -- numbers ------------------------------------------------------------------------------------

def test_columns_are_the_smallest_largest_and_mean_losses_of_equal_runs():
    history = history_of(1007)
    curves = CurveCache().curves(status_of(history), 0, 100)
    assert (curves.first_iteration, curves.last_iteration, curves.n_values) == (1, 1007, 1007)
    assert list(curves.series) == ["src", "dst", "seconds"]
    for name, columns in curves.series.items():
        values = history.column(name).tolist()
        np.testing.assert_allclose(columns.low, of_runs(values, 100, min))
        np.testing.assert_allclose(columns.high, of_runs(values, 100, max))
        np.testing.assert_allclose(
            columns.mean, of_runs(values, 100, lambda run: math.fsum(run) / len(run)))


@pytest.mark.parametrize("n_last", [n for n in RANGES if n])
def test_a_range_is_the_last_iterations_or_all_there_are(n_last):
    history = history_of(20000)
    curves = CurveCache().curves(status_of(history), n_last, 50)
    first = max(20000 - n_last, 0) + 1
    assert (curves.first_iteration, curves.last_iteration) == (first, 20000)
    assert curves.series["src"].high.max() == history.column("src")[first - 1:].max()


def test_a_history_that_began_late_keeps_the_iterations_of_the_model():
    curves = CurveCache().curves(status_of(history_of(500), iteration=1500), 200, 50)
    assert (curves.first_iteration, curves.last_iteration) == (1301, 1500)


def test_short_histories_keep_every_value_and_none_is_empty():
    cache = CurveCache()
    empty = cache.curves(status_of(history_of(0)), 0, 100)
    assert (empty.first_iteration, empty.last_iteration, empty.n_values) == (1, 0, 0)
    history = history_of(2)
    assert cache.curves(status_of(history), 0, 100).series["dst"].mean.tolist() == (
        history.column("dst").tolist())


def test_what_the_history_gained_after_the_status_is_not_shown():
    history = LossHistory()
    for loss in range(10):
        history.append({"src": loss, "dst": loss}, 0.1)
    status = status_of(history)
    for loss in range(1100):  # the arrays are made anew meanwhile
        history.append({"src": 999, "dst": 999}, 0.1)
    curves = CurveCache().curves(status, 0, 100)
    assert curves.last_iteration == 10
    assert curves.series["src"].mean.tolist() == list(range(10))


# -- how often ----------------------------------------------------------------------------------

def grown(history, n):
    for _ in range(n):
        history.append({"src": 0.5, "dst": 0.5}, 0.1)
    return status_of(history)


def test_curves_are_reduced_again_only_when_a_column_is_full():
    history, cache = history_of(1000), CurveCache()
    at_first = cache.curves(status_of(history), 0, 100)  # 10 iterations a column
    assert cache.curves(grown(history, 9), 0, 100) is at_first
    later = cache.curves(grown(history, 1), 0, 100)
    assert later.last_iteration == 1010 and later is not at_first


def test_asking_while_training_goes_on_does_not_make_curves_stale():
    history, cache = history_of(1000), CurveCache()
    status = status_of(history)
    grown(history, 500)
    assert cache.curves(status, 0, 100) is cache.curves(status, 0, 100)


def test_two_million_iterations_are_reduced_once_in_a_thousand():
    history, cache = LossHistory.from_state(
        {name: np.full(2_000_000, 0.5, np.float32) for name in ("src", "dst", "seconds")}
    ), CurveCache()
    at_first = cache.curves(status_of(history), 0, 1200)
    assert len(at_first.series["src"].mean) == 1200
    assert cache.curves(grown(history, 1600), 0, 1200) is at_first  # 1667 a column
    assert cache.curves(grown(history, 100), 0, 1200).last_iteration == 2_001_700


def test_a_roll_back_shortens_the_curves():
    cache = CurveCache()
    cache.curves(status_of(history_of(1000)), 0, 10)
    assert cache.curves(status_of(history_of(990)), 0, 10).last_iteration == 990


def test_only_so_many_ranges_and_widths_are_remembered():
    cache, status = CurveCache(n_kept=2), status_of(history_of(100))
    first = cache.curves(status, 0, 10)
    cache.curves(status, 0, 11)
    assert cache.curves(status, 0, 10) is first
    cache.curves(status, 0, 12)  # the one used longest ago, 11, goes
    assert cache.curves(status, 0, 10) is first
    cache.curves(status, 0, 11)
    cache.curves(status, 0, 12)
    assert cache.curves(status, 0, 10) is not first


def test_threads_that_ask_at_once_get_the_same_curves():
    cache, status, found = CurveCache(), status_of(history_of(200000)), []
    threads = [threading.Thread(target=lambda: found.append(cache.curves(status, 0, 500)))
               for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(curves) for curves in found}) == 1


# -- JSON and pictures --------------------------------------------------------------------------

def test_json_has_five_digits_and_null_where_there_is_no_number():
    values = np.array([0.0, 123.456789, -0.000123456789, np.nan, np.inf, 1.0, 98765432.1, 3e-20])
    columns = Columns(np.arange(8.0), values, values, values)
    told = json.loads(json.dumps(curves_to_json(Curves(1, 8, {"src": columns})), allow_nan=False))
    assert (told["first"], told["last"]) == (1, 8)
    assert set(told["series"]["src"]) == {"low", "high", "mean"}
    low = told["series"]["src"]["low"]
    assert low[:6] == [0.0, 123.46, -0.00012346, None, None, 1.0]
    assert low[6] == pytest.approx(98765000, rel=1e-9) and low[7] == pytest.approx(3e-20)


def test_json_stays_small():
    curves = CurveCache().curves(status_of(history_of(5000)), 0, 1000)
    n_numbers = 3 * 3 * 1000
    # "0.12345,"; without rounding it would be 20 letters.
    assert len(json.dumps(curves_to_json(curves), separators=(",", ":"))) < 9 * n_numbers


def test_the_picture_shows_losses_and_not_the_time():
    history = LossHistory.from_state({
        "src": np.full(50, 0.5, np.float32), "seconds": np.full(50, 900.0, np.float32)})
    curves = CurveCache().curves(status_of(history), 0, 300)
    picture = curves_picture(curves, {"src": 0.5}, 300, 120)
    assert picture.shape == (120, 300, 3) and picture.dtype == np.uint8
    without = Curves(1, 50, {"src": curves.series["src"]})
    np.testing.assert_array_equal(picture, curves_picture(without, {"src": 0.5}, 300, 120))


def test_the_legend_says_nothing_instead_of_nan():
    curves = CurveCache().curves(status_of(history_of(0)), 0, 300)
    unknown = curves_picture(curves, {}, 300, 120)
    broken = curves_picture(curves, {"src": math.nan, "dst": math.inf}, 300, 120)
    np.testing.assert_array_equal(unknown, broken)
    assert (unknown != curves_picture(curves, {"src": 1.0, "dst": 1.0}, 300, 120)).any()
