"""Previews: their faces, and the pictures that are kept."""

import os

import numpy as np
import pytest

from core.imaging.io import read_image
from mainscripts.training.previews import PreviewHistory, with_chart
from models.history import LossHistory


def picture(shade):
    return np.full((40, 60, 3), shade, np.uint8)


def test_pictures_are_kept_by_preview_and_iteration(tmp_path):
    problems = []
    with PreviewHistory(tmp_path, problems.append) as history:
        for iteration in (100, 200, 12345678):
            history.keep(iteration, {"SAEHD": picture(iteration % 250),
                                     "SAEHD masked": picture(9)})
    assert problems == []
    folder = tmp_path / "history"
    assert sorted(os.listdir(folder)) == ["SAEHD", "SAEHD_masked"]
    for name in ("SAEHD", "SAEHD_masked"):
        assert sorted(os.listdir(folder / name)) == [
            "0000100.jpg", "0000200.jpg", "12345678.jpg"]
    np.testing.assert_allclose(read_image(folder / "SAEHD/0000200.jpg"), picture(200), atol=3)


def test_what_cannot_be_written_is_told_once_and_training_goes_on(tmp_path):
    (tmp_path / "history").write_text("a file in the way")
    problems = []
    with PreviewHistory(tmp_path, problems.append) as history:
        for iteration in range(1, 30):
            history.keep(iteration, {"SAEHD": picture(1)})
    problem, = problems
    assert "preview history" in problem and "training goes on" in problem


@pytest.mark.parametrize("n", [0, 1, 500])
def test_the_saved_picture_has_the_chart_above_the_faces(n):
    history = LossHistory(("src", "dst"))
    for k in range(n):
        history.append({"src": 5 / (k + 1), "dst": float("nan") if k == 7 else 3.0}, 0.1)
    faces = np.full((300, 640, 3), 77, np.uint8)
    made = with_chart(history, faces)
    assert made.shape == (500, 640, 3) and made.dtype == np.uint8
    assert (made[200:] == 77).all() and not (made[:200] == 77).all()
