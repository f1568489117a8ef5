"""What the commands share."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.errors import DiskFull, FramesFailed, OptionError, UsageError
from core.options import add_arguments, option
from core.pipeline import Failed
from core.prompt import ScriptedPrompter, SilentPrompter
from core.report import SilentReporter
from mainscripts.command import (
    read_config,
    require,
    require_all_frames,
    resolve_options,
    stop_if_disk_full,
)


@dataclass(frozen=True)
class Options:
    """Two folders and a number."""

    input_dir: Path | None = option(None, help="In.")
    output_dir: Path | None = option(None, help="Out.")
    size: int = option(10, low=1, high=99, ask=True, help="Size.")


@dataclass(frozen=True)
class More:
    """Of another part of the same command."""

    speed: float = option(1.0, low=0, help="Speed.")


def parse(*words, config=None):
    parser = argparse.ArgumentParser()
    add_arguments(parser, Options)
    return parser.parse_args(words, argparse.Namespace(config=config, command="work"))


def test_flags_win_over_answers_over_the_file_over_saved_over_defaults(tmp_path):
    config = tmp_path / "c.toml"
    config.write_text("[work]\nsize = 20\n[other]\nsize = 30\n")

    def size(*words, saved=None, file=None, answer=None):
        prompter = SilentPrompter() if answer is None else ScriptedPrompter({"size": answer})
        return resolve_options(Options, parse(*words, config=file), prompter, saved).size

    assert size() == 10
    assert size(saved={"size": 15}) == 15
    assert size(saved={"size": 15}, answer=17) == 17
    assert size(saved={"size": 15}, file=config, answer=17) == 20  # what is set is not asked
    assert size("--size", "25", saved={"size": 15}, file=config, answer=17) == 25


@pytest.mark.parametrize("text, told", [
    ("sise = 3", "did you mean 'size'"), ("size = 100", "between 1 and 99, not 100"),
    ("size = 'big'", "size"), ("speed = -1", "speed must be at least 0")])
def test_an_error_in_the_file_names_the_file(tmp_path, text, told):
    config = tmp_path / "c.toml"
    config.write_text(f"[work]\n{text}\n")
    with pytest.raises(OptionError) as caught:
        read_config(parse(config=config), Options, More)
    assert told in str(caught.value) and str(config) in str(caught.value)


def test_a_section_is_dealt_out_to_the_types_that_declare_its_names(tmp_path):
    config = tmp_path / "c.toml"
    config.write_text('[work]\nspeed = 2\nsize = 3\ninput-dir = "a"\n')
    assert read_config(parse(config=config), Options, More) == (
        {"size": 3, "input_dir": Path("a")}, {"speed": 2.0})
    assert read_config(parse(), Options, More) == ({}, {})


def test_missing_folders_are_named_by_their_flags():
    require(Options(Path("a"), Path("b")), "input_dir", "output_dir")
    with pytest.raises(UsageError, match="^--output-dir missing; see --help$"):
        require(Options(Path("a")), "input_dir", "output_dir")
    with pytest.raises(UsageError, match="^--input-dir and --output-dir missing"):
        require(Options(), "input_dir", "output_dir")


@pytest.mark.parametrize("error", [
    OSError(28, "No space left on device"), OSError(122, "Disk quota exceeded"),
    OSError(27, "File too large"), DiskFull("a.png: the disk is full")])
def test_no_room_ends_the_command(tmp_path, error):
    with pytest.raises(DiskFull) as caught:
        stop_if_disk_full(Failed("a.png", error), tmp_path)
    assert str(tmp_path) in str(caught.value) and "run the same command again" in str(caught.value)


@pytest.mark.parametrize("error", [ValueError("odd"), PermissionError(13, "Permission denied")])
def test_any_other_failure_does_not(tmp_path, error):
    stop_if_disk_full(Failed("a.png", error), tmp_path)


def test_failed_frames_are_told_one_by_one_and_end_in_one_line():
    reporter = SilentReporter()
    require_all_frames([], 9, Path("frames"), reporter)
    assert reporter.events == []
    failed = [(f"{number}.png", f"reason {number}") for number in range(1, 5)]
    with pytest.raises(FramesFailed) as caught:
        require_all_frames(failed, 9, Path("frames"), reporter)
    assert [event["message"] for event in reporter.events] == [
        f"{number}.png: reason {number}" for number in range(1, 5)]
    assert str(caught.value) == (
        "frames: 4 of 9 frames failed (1.png, 2.png, 3.png, ...), the others are done; replace or "
        "remove these files and run the command again")
