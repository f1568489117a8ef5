"""The rows of the merge benchmark: what they hold and what they are compared with."""

import numpy as np
import pytest

from benchmarks import merge, merge_flicker
from benchmarks.machine import reference_figures
from benchmarks.merge import Shot
from merger.color_transfer import COLOR_TRANSFERS
from merger.modes import MODES


def test_every_row_of_the_reference_is_measured():
    names = {f"{mode}/{transfer}" for mode in MODES for transfer in merge.transfers_of(mode)}
    assert set(reference_figures()["merge_in_process"]["rows"]) <= names
    assert merge.transfers_of("original") == merge.transfers_of("raw-rgb") == ("none",)
    assert set(merge.transfers_of("laplacian")) == set(COLOR_TRANSFERS)


def test_targets_are_lower_where_the_reference_sorts():
    assert {name: merge.target_of(f"seamless/{name}") for name in ("rct", "sot-m", "mix-m")} == {
        "rct": 0.5, "sot-m": 0.2, "mix-m": 0.2}


def test_whole_frames_are_network_image_work_and_png():
    report = {"network": {"both": {"network_cpu_ms": 70.0}}, "png_encode_cpu_ms": 8.0,
              "rows": {"overlay/rct": {"image_cpu_ms": 6.0},
                       "laplacian/rct": {"image_cpu_ms": 9.0}}}
    merge.compare_whole_frames(report)
    # The reference takes 0.2348 s.
    assert report["rows"]["overlay/rct"]["frame_cpu_by_reference"] == pytest.approx(0.084 / 0.2348,
                                                                                    abs=1e-3)
    assert "frame_cpu_by_reference" not in report["rows"]["laplacian/rct"]


@pytest.fixture
def landmarks():
    angles = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    return np.stack([100 + 60 * np.cos(angles), 90 + 60 * np.sin(angles)], axis=1)


def test_change_is_of_the_colours_on_the_face_alone(landmarks):
    """Grey from 118.9 to 121.5 is L from 50 to 51 (CIE, sRGB); the wall behind does not count."""
    shots = [Shot(np.zeros((200, 220, 3), np.uint8), landmarks)] * 2
    pictures = [np.full((200, 220, 3), level, np.float32) for level in (118.92, 121.50)]
    pictures[1][:, 190:] = 250
    # One of six numbers changes by 1, the others by nothing.
    assert merge_flicker.change(pictures, shots) == pytest.approx(np.sqrt(1 / 6), rel=0.03)
    assert merge_flicker.change(pictures[:1] * 2, shots) == 0
