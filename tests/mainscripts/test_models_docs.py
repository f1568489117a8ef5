"""docs/models.md: its commands are accepted, its table is whole."""

import re
import shlex
from pathlib import Path

import main
from mainscripts import models, train

DOCS = Path(__file__).parents[2] / "docs" / "models.md"
COMMAND = re.compile(r"^(?:\$ )?python main\.py (.+)$", re.MULTILINE)


def parse(words):
    """The words of a command as its parser takes them; raises UsageError for wrong ones."""
    module = {"models": models, "train": train}[words[0]]
    parser = main.CommandParser(prog=words[0], words=words[1:])
    module.configure(parser)
    return parser.parse_args(words[1:])


def test_every_command_is_accepted():
    commands = COMMAND.findall(DOCS.read_text("utf-8"))
    assert len(commands) >= 7
    for command in commands:
        assert parse(shlex.split(command)).model_dir == Path("model")


def test_every_action_stands_in_the_table():
    documented = set(re.findall(r"^\| `models ([a-z-]+)", DOCS.read_text("utf-8"), re.MULTILINE))
    assert documented == set(models.ACTIONS)


def test_the_files_that_it_names_are_there():
    for path in re.findall(r"\]\(([^)]+)\)", DOCS.read_text("utf-8")):
        assert (DOCS.parent / path).is_file(), path
