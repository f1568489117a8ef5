from mainscripts.manual.keys import HELP
from mainscripts.manual.tour import Task
from tests.commands import ROOT

DOCS = (ROOT / "docs/extraction.md").read_text(encoding="utf-8")


def test_the_documentation_has_the_table_of_the_windows_help():
    assert "".join(f"| {keys} | {text} |\n" for keys, text in HELP) in DOCS


def test_the_documentation_names_every_flag_and_shows_the_window():
    for task in Task:
        assert f"`{task.value}`" in DOCS
    assert (ROOT / "docs/images/manual_window.jpg").stat().st_size < 300_000
