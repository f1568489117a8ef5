"""Shares of a batch and faces of machines; what many processes do is tested in tests/e2e."""

from pathlib import Path

import pytest
import tensorflow as tf

from core.errors import DeviceError, OptionError
from mainscripts.training.crew import (
    SPLIT_CPU,
    Crew,
    choose_devices,
    require_same_faces,
)
from mainscripts.training.options import TrainOptions
from models.training_data import fingerprint


def paths(*names, folder="faces"):
    return [Path(folder) / name for name in names]


def test_a_single_process_is_the_chief_and_makes_the_whole_batch():
    crew = Crew(tf.distribute.get_strategy())
    assert (crew.is_chief, crew.is_shared, crew.n_devices) == (True, False, 1)
    assert crew.rows(6) == (0, 6)
    assert crew.agree({"iteration": 3, "x": [1.5, None]}) == {"iteration": 3, "x": [1.5, None]}
    crew.wait()


@pytest.mark.parametrize("first, here, rows", [(0, 1, (0, 3)), (1, 1, (3, 3)), (2, 2, (6, 6))])
def test_a_process_makes_the_rows_of_its_devices(first, here, rows):
    crew = Crew(tf.distribute.get_strategy())
    crew.n_devices, crew._first, crew._here = 4, first, here
    assert crew.rows(12) == rows


def test_machines_must_have_the_same_faces():
    told = {"src": fingerprint(paths("a.jpg", "b.jpg"))}
    require_same_faces(told, {"src": fingerprint(paths("a.jpg", "b.jpg", folder="elsewhere"))})
    for other in (paths("a.jpg"), paths("a.jpg", "c.jpg"), paths("b.jpg", "a.jpg")):
        with pytest.raises(DeviceError, match="those of the first machine .2.; copy the folder"):
            require_same_faces(told, {"src": fingerprint(other)})


def test_devices_are_counted_over_all_machines(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert choose_devices(TrainOptions(gpus="cpu")) == 1
    assert choose_devices(TrainOptions(workers="a:1,b:1,c:1", rank=2)) == 3
    with pytest.raises(DeviceError, match="--gpus 3"):
        choose_devices(TrainOptions(gpus="3"))


@pytest.mark.parametrize("value", ["0", "two", "-1"])
def test_a_wrong_split_of_the_cpu_is_told(monkeypatch, value):
    monkeypatch.setenv(SPLIT_CPU, value)
    with pytest.raises(OptionError, match=SPLIT_CPU):
        choose_devices(TrainOptions())
