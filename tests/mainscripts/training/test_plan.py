"""Which batch fits, and what is told of memory before a training."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from core.errors import OptionError
from core.report import SilentReporter
from mainscripts.training.plan import option_lines, settle_batch_size, warn_of_memory
from models import memory
from models.memory import estimate, largest_batch
from models.options import AUTO
from models.saehd.options import SAEHDOptions
from tests.models.example import OPTIONS as EXAMPLE

OPTIONS = SAEHDOptions(resolution=128, archi="df-ud", batch_size=8)


@pytest.fixture
def room(monkeypatch):
    """Function: sets the bytes that each device has."""
    return lambda n_bytes: monkeypatch.setattr(memory, "budget", lambda: n_bytes)


def test_auto_becomes_the_largest_batch_that_fits_and_is_said(room):
    n_bytes = estimate(replace(OPTIONS, batch_size=12), on_gpu=False).total
    room(n_bytes)
    reporter = SilentReporter()
    beginning = SimpleNamespace(options=replace(OPTIONS, batch_size=AUTO))
    settle_batch_size(beginning, 1, reporter)
    assert beginning.options.batch_size == largest_batch(OPTIONS, n_bytes, on_gpu=False) >= 12
    assert f"batch size {beginning.options.batch_size}" in reporter.events[0]["message"]


def test_a_number_stays_as_it_is(room):
    room(0.0)
    beginning = SimpleNamespace(options=OPTIONS)
    settle_batch_size(beginning, 1, SilentReporter())
    assert beginning.options is OPTIONS


@pytest.mark.parametrize("options, n_bytes", [(EXAMPLE, 1e12), (OPTIONS, None)])
def test_auto_needs_to_know_the_model_and_the_device(room, options, n_bytes):
    room(n_bytes)
    beginning = SimpleNamespace(options=replace(options, batch_size=AUTO))
    with pytest.raises(OptionError, match="--batch-size auto: .* give a number"):
        settle_batch_size(beginning, 1, SilentReporter())


def warnings(options, reporter):
    warn_of_memory(options, 1, reporter)
    return [event["message"] for event in reporter.events if event["event"] == "warning"]


def test_a_batch_that_does_not_fit_is_warned_of_with_one_that_does(room):
    room(estimate(replace(OPTIONS, batch_size=4), on_gpu=False).total)
    warning, = warnings(OPTIONS, SilentReporter())
    assert "a batch of 8 needs about" in warning
    size = int(warning.split("--batch-size ")[1].split()[0])
    assert 4 <= size < 8


def test_a_model_too_large_for_any_batch_is_warned_of_otherwise(room):
    room(1e6)
    warning, = warnings(OPTIONS, SilentReporter())
    assert "--batch-size" not in warning and "narrower networks" in warning
    room(1e6)
    plain, = warnings(replace(OPTIONS, xla=False), SilentReporter())
    assert "--recompute" in plain and "--recompute" not in warning


def test_enough_room_is_no_warning_and_an_unknown_model_is_said(room):
    room(1e15)
    assert warnings(OPTIONS, SilentReporter()) == []
    reporter = SilentReporter()
    assert warnings(EXAMPLE, reporter) == []
    assert "not known" in reporter.events[0]["message"]


def test_every_option_has_a_line_with_what_pretraining_makes_of_it():
    lines = option_lines(replace(OPTIONS, pretrain=True, gan_power=0.1))
    by_name = {line.split()[0]: line for line in lines}
    assert by_name["archi"].endswith("df-ud   (default liae-ud)")
    assert by_name["gan_power"].endswith("0.1   (while pretraining 0.0)")
    assert by_name["seed"].split() == ["seed", "0"]
