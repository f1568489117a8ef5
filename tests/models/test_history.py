"""Losses and seconds of every iteration."""

import numpy as np
import pytest

from models.history import LossHistory


def filled(n, names=("src", "dst")):
    history = LossHistory(names)
    for i in range(n):
        history.append({name: i + k for k, name in enumerate(names)}, i / 1000)
    return history


@pytest.mark.parametrize("n", [0, 1, 1023, 1024, 1025, 5000])
def test_every_iteration_is_kept_however_many_there_are(n):
    history = filled(n)
    assert len(history) == n
    assert np.array_equal(history.column("src"), np.arange(n, dtype=np.float32))
    assert np.array_equal(history.column("dst"), np.arange(1, n + 1, dtype=np.float32))
    assert np.array_equal(history.column("seconds"), np.float32(np.arange(n) / 1000))


@pytest.mark.parametrize("n", [0, 1, 1024, 1500])
def test_a_state_comes_back_and_grows_on(n):
    history = LossHistory.from_state(filled(n).state())
    assert len(history) == n and history.names == ("src", "dst")
    for i in range(n, n + 1100):
        history.append({"src": i, "dst": i + 1}, i / 1000)
    for name in ("src", "dst", "seconds"):
        assert np.array_equal(history.column(name), filled(n + 1100).column(name))


def test_a_state_is_a_copy():
    history = filled(3)
    state = history.state()
    history.append({"src": 9, "dst": 9}, 9)
    assert {name: len(column) for name, column in state.items()} == {
        "src": 3, "dst": 3, "seconds": 3}
    restored = LossHistory.from_state(state)
    state["src"][0] = 77
    assert restored.column("src")[0] == 0


def test_the_recent_mean_takes_the_last_values_and_is_nan_before_the_first():
    history = filled(10)
    assert history.recent("src", 4) == pytest.approx((6 + 7 + 8 + 9) / 4)
    assert history.recent("src") == 4.5  # fewer than asked for
    assert np.isnan(filled(0).recent("src"))


def test_losses_have_the_names_of_the_model():
    history = LossHistory.from_state(filled(2, ("src", "dst", "gan")).state())
    assert history.names == ("src", "dst", "gan")
    assert history.column("gan").tolist() == [2, 3]


def test_what_is_missing_or_no_number_is_nan_and_other_losses_are_left_out():
    history = LossHistory(("src", "dst"))
    history.append({"src": float("inf"), "src dssim": 1.0}, 0.1)
    history.append({"src": 1e300, "dst": 2.0}, 0.1)
    history.append({"src": 3.0, "dst": float("nan")}, 0.1)
    assert np.isnan(history.column("src")).tolist() == [True, True, False]
    assert np.isnan(history.column("dst")).tolist() == [True, False, True]
    assert history.recent("src") == 3.0 and history.recent("dst") == 2.0


def test_losses_may_be_added_later_and_old_ones_stay():
    history = filled(3, ("src", "dst", "gan")).with_names(("src", "dst", "true face"))
    assert history.names == ("src", "dst", "true face", "gan")
    history.append({"src": 9, "dst": 8, "true face": 7}, 0.5)
    assert history.column("src").tolist() == [0, 1, 2, 9]
    assert history.column("gan")[:3].tolist() == [2, 3, 4] and np.isnan(history.column("gan")[3])
    assert np.isnan(history.column("true face")[:3]).all()
    assert history.column("true face")[3] == 7
    assert filled(0).with_names(("src", "dst", "x")).names == ("src", "dst", "x")
