"""docs/merging.md names what `merge` offers, with the defaults that it has."""

import re
import shlex
from pathlib import Path

import pytest

import main
from core.imaging.io import read_image
from core.options import specs
from mainscripts import merge
from merger.options import MergeOptions

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "merging.md").read_text(encoding="utf-8")
OPTIONS = {spec.name: spec for spec in specs(MergeOptions)}


def table(flag):
    """First cells of the table whose heading is the flag: name -> whether it is marked as set."""
    rows = TEXT.split(f"| `{flag}` |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    cells = [row.split("|")[1].strip() for row in rows]
    return {re.match("`(.*)`", cell).group(1): cell.endswith("(as set)") for cell in cells}


@pytest.mark.parametrize("name", ["mode", "mask_mode", "color_transfer"])
def test_tables_hold_every_choice_and_mark_the_default(name):
    rows = table(OPTIONS[name].flag)
    assert set(rows) == set(OPTIONS[name].choices)
    assert [choice for choice, is_set in rows.items() if is_set] == [OPTIONS[name].default]


def test_the_command_is_accepted():
    command = re.search(r"^python main.py merge (.+?)^```", TEXT, re.DOTALL | re.MULTILINE).group(1)
    words = shlex.split(command.replace("\\\n", " "))
    parser = main.CommandParser(prog="merge", words=words)
    merge.configure(parser)
    parsed = parser.parse_args(words)
    assert parsed.color_transfer == "mkl-m" and parsed.input_dir == Path("my_swap/data_dst")


def test_every_option_is_told_of():
    for spec in OPTIONS.values():
        assert f"`{spec.flag}`" in TEXT


def test_pictures_are_there_and_small():
    pictures = re.findall(r"\]\((images/[^)]+)\)", TEXT)
    assert pictures == ["images/merge_modes.jpg", "images/merge_color_transfer.jpg"]
    for picture in pictures:
        assert 20_000 < (DOCS / picture).stat().st_size < 300_000
        assert read_image(DOCS / picture).shape[1] <= 1000
