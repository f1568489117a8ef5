"""--json: what programs get on stdout."""

import pytest

from tests.commands import finish, start


@pytest.mark.parametrize("command", ["extract", "merge"])
def test_every_line_is_json_and_progress_counts(workspace, command):
    """`finish` parses every line and wants an empty stderr, TensorFlow's own lines included."""
    words = {"extract": (*workspace.extract_words("src"), "--image-size", 128, "--overwrite"),
             "merge": workspace.merge_words()}[command]
    outcome = finish(start(*words))
    assert outcome.code == 0
    progress = [event for event in outcome.events if event["event"] == "progress"]
    assert all(0 <= event["done"] <= event["total"] == 12 and event["unit"] == "frame"
               for event in progress)
    assert progress[-1]["done"] == 12
    facts = outcome.events[-1]
    assert facts["frames"] == 12 and facts["stages"]


def test_the_last_line_of_a_failing_command_is_its_error(tmp_path):
    outcome = finish(start("extract", "--input-dir", tmp_path / "none",
                           "--output-dir", tmp_path / "out"))
    assert outcome.code == 1
    assert str(tmp_path / "none") in outcome.error()
    outcome = finish(start("extract", "--inptu-dir", tmp_path))
    assert outcome.code == 2
    assert "did you mean '--input-dir'" in outcome.error()
