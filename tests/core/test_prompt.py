import io

import pytest

from core.errors import OptionError
from core.option_spec import OptionSpec
from core.prompt import ConsolePrompter, ScriptedPrompter, SilentPrompter, prompt_line

BATCH_SIZE = OptionSpec("batch_size", int, 4, "Faces per step.", low=1, high=64)
ARCHI = OptionSpec("archi", str, "liae", "Architecture.", choices=("df", "liae"))
FLIP = OptionSpec("random_flip", bool, True, "Mirror faces.")
NAME = OptionSpec("name", str | None, None, "")


def converse(typed, spec, current):
    output = io.StringIO()
    value = ConsolePrompter(io.StringIO(typed), output).ask(spec, current)
    return value, output.getvalue()


@pytest.mark.parametrize("spec, current, line", [
    (BATCH_SIZE, 8, "[8] Batch size ( 1..64 ?:help ) : "),
    (ARCHI, "liae", "[liae] Archi ( df / liae ?:help ) : "),
    (FLIP, True, "[y] Random flip ( y/n ?:help ) : "),
    (NAME, None, "[none] Name : "),
])
def test_the_prompt_shows_current_value_text_and_domain(spec, current, line):
    assert prompt_line(spec, current) == line
    assert converse("\n", spec, current) == (current, line)


def test_an_answer_is_parsed():
    assert converse("16\n", BATCH_SIZE, 8)[0] == 16
    assert converse("N\n", FLIP, True)[0] is False
    assert converse("DF\n", ARCHI, "liae")[0] == "df"


def test_end_of_input_keeps_the_current_value_and_ends_the_line():
    value, output = converse("", BATCH_SIZE, 8)
    assert value == 8
    assert output.endswith(" : \n")


def test_a_question_mark_prints_the_help_and_asks_again():
    value, output = converse("?\n16\n", BATCH_SIZE, 8)
    assert value == 16
    assert output.count("Batch size (") == 2
    assert "Faces per step.\n" in output


def test_an_invalid_answer_is_asked_again_with_the_reason():
    value, output = converse("65\nmany\n16\n", BATCH_SIZE, 8)
    assert value == 16
    assert "Batch size must be between 1 and 64, not 65\n" in output
    assert "Batch size must be a whole number, not 'many'\n" in output
    assert output.count("[8] Batch size") == 3


def test_the_console_prompter_follows_a_redirected_console(monkeypatch, capsys):
    prompter = ConsolePrompter()
    monkeypatch.setattr("sys.stdin", io.StringIO("12\n"))
    assert prompter.ask(BATCH_SIZE, 8) == 12
    assert "Batch size" in capsys.readouterr().out


def test_the_silent_prompter_keeps_the_current_value():
    assert SilentPrompter().ask(BATCH_SIZE, 8) == 8


def test_the_scripted_prompter_answers_from_its_table():
    prompter = ScriptedPrompter({"batch_size": "16", "random_flip": False})
    assert prompter.ask(BATCH_SIZE, 8) == 16
    assert prompter.ask(FLIP, True) is False
    assert prompter.ask(ARCHI, "liae") == "liae"
    assert prompter.asked == ["batch_size", "random_flip", "archi"]


def test_a_scripted_answer_outside_the_domain_is_an_error():
    with pytest.raises(OptionError, match="between 1 and 64"):
        ScriptedPrompter({"batch_size": 100}).ask(BATCH_SIZE, 8)
