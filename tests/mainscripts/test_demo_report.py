"""The demo's report and its contact sheet."""

import json
import time

import numpy as np
import pytest

from core.imaging.io import write_image
from mainscripts.demo_report import SHEET_FRAMES, SHEET_WIDTH, StageReport, demo_contact_sheet


def stages_of(path):
    return json.loads(path.read_text())["stages"]


def test_a_stage_is_written_with_its_time_rate_and_facts(tmp_path):
    report = StageReport(tmp_path / "report.json")
    result = report.run("merge", lambda: time.sleep(0.3) or 7, lambda n: (n, {"frames": 9}))
    assert result == 7
    stage = stages_of(report.path)["merge"]
    assert stage["seconds"] == pytest.approx(0.3, abs=0.15)
    assert stage["images_per_second"] == pytest.approx(7 / 0.3, rel=0.4)
    assert stage["frames"] == 9


def test_a_stage_with_nothing_to_do_keeps_its_first_figures_and_renews_its_facts(tmp_path):
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"stages": {
        "merge": {"seconds": 12.5, "images_per_second": 4.0, "frames": 50, "failed": 1}}}))
    StageReport(path).run("merge", lambda: None, lambda _: (0, {"frames": 60}))
    assert stages_of(path)["merge"] == {
        "seconds": 12.5, "images_per_second": 4.0, "frames": 60, "failed": 1}


def test_stages_done_before_a_failure_stay_in_the_report(tmp_path):
    report = StageReport(tmp_path / "report.json")
    report.run("extract", lambda: 3, lambda n: (n, {}))
    with pytest.raises(ZeroDivisionError):
        report.run("train", lambda: 1 / 0, lambda n: (n, {}))
    assert list(stages_of(report.path)) == ["extract"]


def test_facts_stand_before_the_stages(tmp_path):
    report = StageReport(tmp_path / "report.json")
    report.run("extract", lambda: 3, lambda n: (n, {}))
    report.write(src="a.mp4", minutes=6.0)
    assert list(json.loads(report.path.read_text())) == ["src", "minutes", "stages"]


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff", b'{"stages": 3}'])
def test_a_damaged_report_begins_anew(tmp_path, damage):
    """It only tells; the work itself is known by the journals."""
    path = tmp_path / "report.json"
    path.write_bytes(damage)
    StageReport(path).run("extract", lambda: 3, lambda n: (n, {"frames": 3}))
    assert stages_of(path)["extract"]["frames"] == 3


def picture(colour, size=(270, 480)):
    return np.full((*size, 3), colour, np.uint8)


@pytest.mark.parametrize("n_frames", [1, 2, 40])
def test_the_sheet_shows_frames_spread_over_the_video_side_by_side(tmp_path, n_frames):
    folders = [tmp_path / name for name in ("frames", "merged", "masks")]
    for folder in folders:
        folder.mkdir()
    for number in range(n_frames):
        stem, blue = f"{number + 1:05d}", 10 + 5 * number
        write_image(folders[0] / f"{stem}.jpg", picture((blue, 0, 0)))
        write_image(folders[1] / f"{stem}.png", picture((blue, 200, 0)))
        write_image(folders[2] / f"{stem}.png", picture((blue, 0, 200)))
    sheet = demo_contact_sheet(*folders)
    assert sheet.shape[1] >= 3 * SHEET_WIDTH
    sheet = sheet[::4, ::4].astype(int)  # a sixteenth shows it as well
    width = SHEET_WIDTH // 4
    shown = []
    for number in range(n_frames):
        colour = np.array([10 + 5 * number, 200, 0])
        if (np.abs(sheet - colour).max(-1) <= 1).sum() > 0.9 * width * 50:
            shown.append(number)
            y, x = np.nonzero(np.abs(sheet - [10 + 5 * number, 0, 200]).max(-1) <= 1)
            assert x.min() > 2 * width and np.ptp(x) == pytest.approx(width, abs=8)
    assert len(shown) == min(n_frames, SHEET_FRAMES)
    if n_frames > SHEET_FRAMES:
        gaps = np.diff([0, *shown, n_frames - 1])
        assert gaps.max() <= 2 * n_frames / SHEET_FRAMES
