"""docs/merging_window.md says what the code does."""

import json
import re

from core.frames import Frame
from mainscripts.merging.frame_settings import SETTINGS_FILE, read_settings
from mainscripts.merging_window.adjust import SPECS, adjusted
from mainscripts.merging_window.keys import GROUPS
from merger.options import MergeOptions
from tests.commands import ROOT

DOCS = (ROOT / "docs/merging_window.md").read_text(encoding="utf-8")


def test_the_tables_of_keys_are_those_of_the_windows_help():
    for group in GROUPS:
        rows = "".join(f"| {row.keys} | {row.text} |\n" for row in group.rows)
        assert f"| {group.title} | |\n|---|---|\n{rows}\n" in DOCS


def test_the_help_has_every_key_of_every_option():
    helped = " ".join(row.keys for group in GROUPS for row in group.rows).split()
    keys = [chr(code) for code in range(33, 127)]
    changing = [key for key in keys if adjusted(MergeOptions(), key) and not key.isupper()]
    assert {"w", ";", "`", "7", "x"} < set(changing)
    assert set(changing) - set(helped) <= {":", "{", "}"}  # with shift
    assert all(key in " ".join(helped + [row.text for group in GROUPS for row in group.rows])
               for key in (":", "{", "}"))


def test_the_example_is_read_as_it_is_explained(tmp_path):
    path = tmp_path / "example.json"
    path.write_text(re.search(r"```json\n(.+?)```", DOCS, re.DOTALL).group(1))
    assert set(json.loads(path.read_text())) == {"version", "base", "ranges"}
    frames = [Frame(index, f"{index + 1:05d}.png") for index in range(30)]
    settings, _ = read_settings(path, frames)
    assert settings.changes(frames[8]) == {}
    assert settings.changes(frames[9]) == {"erode_mask": 5, "blur_mask": 12}
    assert settings.changes(frames[19]) == {"erode_mask": 5, "blur_mask": 12, "mode": "seamless"}
    assert settings.changes(frames[24]) == {}
    assert settings.base == MergeOptions(mask_mode="dst") and set(SPECS) > {"mode", "blur_mask"}


def test_it_names_the_file_and_shows_the_window():
    assert SETTINGS_FILE in DOCS and "--interactive" in DOCS and "FACELAB_DATA_DIR" in DOCS
    assert 20_000 < (ROOT / "docs/images/merge_window.jpg").stat().st_size < 300_000
