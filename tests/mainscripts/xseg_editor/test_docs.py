"""docs/xseg_editor.md tells the keys that there are."""

import re
from pathlib import Path

import pytest

import main
from core.imaging.io import read_image
from mainscripts.xseg_editor import keys
from mainscripts.xseg_editor.icons import has_icon

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "xseg_editor.md").read_text(encoding="utf-8")


def rows(heading):
    """The cells of the table with this first heading."""
    lines = TEXT.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]


def test_the_table_of_keys_is_that_of_the_window():
    told = [(tuple(re.findall(r"`+ ?([^ ]+?) ?`+(?:, |$)", keys_told)), text)
            for keys_told, text in rows("key")]
    assert told == [(command.keys, command.text) for command in keys.COMMANDS if command.keys]


def test_the_mouse_and_held_keys_are_those_of_the_window():
    assert tuple(rows("mouse")) == keys.MOUSE
    assert rows("held") == [(command.caption, command.text) for command in keys.COMMANDS
                            if not command.keys]


def test_no_key_does_two_things_and_all_buttons_have_pictures():
    every = [key for command in keys.COMMANDS for key in command.keys]
    assert len(every) == len(set(every))
    buttons = [name for bar in (keys.LEFT_BAR, keys.RIGHT_BAR) for group in bar for name in group]
    pytest.importorskip("PySide6.QtGui", exc_type=ImportError,
                        reason="needs requirements-editor.txt")
    assert all(map(has_icon, [*buttons, "previous", "next", "trash"]))


@pytest.mark.parametrize("key, held, name", [
    ("D", "", "next"), ("D", "shift", "next"), ("A", "ctrl", "previous"), ("Z", "ctrl", "undo"),
    ("Z", "ctrl shift", "redo"), ("Z", "", None), ("Ф", "", "previous"), ("Ч", "", "trash"),
    ("X", "shift", None)])
def test_keys_with_what_is_held(key, held, name):
    command = keys.command_of(key, shift="shift" in held, ctrl="ctrl" in held)
    assert (command and command.name) == name


def test_the_command_is_accepted():
    words = re.search(r"^python main.py (xseg editor .+)$", TEXT, re.MULTILINE).group(1).split()
    parser = main.CommandParser(prog="xseg", words=words[1:])
    from mainscripts import xseg

    xseg.configure(parser)
    assert parser.parse_args(words[1:]).input_dir == Path("my_swap/data_src/aligned")


def test_the_picture_is_there_and_small():
    picture = DOCS / re.search(r"\]\((images/[^)]+)\)", TEXT).group(1)
    assert 20_000 < picture.stat().st_size < 300_000
    assert read_image(picture).shape[1] <= 1000
