"""All keys of the merge window, as its help and the documentation show them."""

from typing import NamedTuple

from mainscripts.merging_window.adjust import (
    CHOICES,
    MODE_KEYS,
    SHIFTED,
    SPECS,
    STEPS,
    words_of,
)
from merger.options import FACE_UNIT_LIMITS


class Row(NamedTuple):
    """What `keys` do."""

    keys: str
    text: str


class Group(NamedTuple):
    """Rows that belong together."""

    title: str
    rows: tuple[Row, ...]


def _mode_rows() -> tuple[Row, ...]:
    return tuple(Row(key, mode) for key, mode in MODE_KEYS.items()
                 if mode in SPECS["mode"].choices)


def _step_rows() -> tuple[Row, ...]:
    return tuple(Row(f"{keys.up} {keys.down}", f"{words_of(keys.option)}, {_range(keys.option)}")
                 for keys in STEPS if keys.option in SPECS)


def _range(option: str) -> str:
    if option in FACE_UNIT_LIMITS:
        low, high = FACE_UNIT_LIMITS[option]
        return f"{low} to {high} % of the face"
    return f"{SPECS[option].low} to {SPECS[option].high}"


def _choice_rows() -> tuple[Row, ...]:
    return tuple(Row(key, f"next {words_of(option)}" if SPECS[option].choices else (
        f"{words_of(option)} on, off")) for key, option in CHOICES.items() if option in SPECS)


def _shift_row() -> Row:
    return Row("shift", f"five steps ({' '.join(SHIFTED.values())} too); the choice before")


GROUPS: tuple[Group, ...] = (
    Group("Mode", _mode_rows()),
    Group("Choices", _choice_rows()),
    Group("Up and down", (*_step_rows(), _shift_row())),
    Group("Frames", (
        Row(". ,", "next, previous frame; or arrows"),
        Row("< or Home, End", "first frame, last frame"),
        Row("space", "next frame that is not done"),
        Row("Enter", "go to a frame by its number or name"),
        Row("click", "on the bar: go to that frame"),
        Row(">", "go on by itself to the last frame; stop"),
    )),
    Group("Settings of several frames", (
        Row("/", "next frame, with these settings"),
        Row("?", "next frame; all behind do as this one"),
        Row("m", "previous frame, with these settings"),
        Row("M", "first frame; these settings in all up to here"),
        Row("b B", "undo, redo; or Backspace, Delete"),
        Row("9 0", "load, save a preset by name"),
    )),
    Group("View", (
        Row("Tab", "these keys, or the frame"),
        Row("- =", "zoom out, in"),
        Row("v", "what the new face covers"),
        Row("Esc", "finish; all is saved, and goes on next time"),
    )),
)
"""In the order of the help."""
