import errno
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import main
from core.errors import FaceLabError, ModelNotFound
from core.prompt import ConsolePrompter, ScriptedPrompter, SilentPrompter
from core.report import SilentReporter

ROOT = Path(__file__).parents[1]
SCRIPT = [sys.executable, str(ROOT / "main.py")]

# A command with options and an action that does what the test tells it to.
COMMAND = '''
from dataclasses import dataclass
from pathlib import Path
from core.options import add_arguments, given, load_toml, option, resolve

@dataclass(frozen=True)
class Options:
    batch_size: int = option(4, low=1, help="Faces per step.", ask=True)

behave = None
seen = None

def configure(parser):
    actions = parser.add_subparsers(dest="action", required=True)
    add_arguments(actions.add_parser("go"), Options)

def run(arguments, reporter, prompter):
    global seen
    seen = arguments, reporter, prompter
    options = resolve(Options, file=load_toml(arguments.config, arguments.command),
                      given=given(arguments, Options), prompter=prompter)
    reporter.info(f"batch size {options.batch_size}")
    return behave() if behave else None
'''


@pytest.fixture
def command(tmp_path, monkeypatch):
    """A command `act` whose module the test may look into and change."""
    (tmp_path / "acting_command.py").write_text(COMMAND, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(main.COMMANDS, "act", ("Acts.", "acting_command"))
    sys.modules.pop("acting_command", None)
    import acting_command

    yield acting_command
    sys.modules.pop("acting_command", None)


def call(*words, **settings):
    reporter = SilentReporter()
    code = main.main(words, reporter=reporter, **settings)
    return code, reporter.events


def failing(error):
    def fail():
        raise error

    return fail


def test_a_command_runs_with_its_options(command):
    assert call("act", "go", "--batch-size", "9") == (
        0, [{"event": "info", "message": "batch size 9"}])


def test_a_commands_own_exit_code_is_returned(command):
    command.behave = lambda: 3
    assert call("act", "go")[0] == 3


def test_common_flags_stand_before_or_after_an_action(command):
    for words in (["act", "--quiet", "go", "--no-prompt"], ["act", "go", "--quiet", "--no-prompt"]):
        assert call(*words)[0] == 0
        arguments = command.seen[0]
        assert (arguments.quiet, arguments.no_prompt, arguments.json, arguments.verbose) == (
            True, True, False, False)
        assert (arguments.command, arguments.config) == ("act", None)


def test_options_come_from_the_section_named_as_the_command(command, tmp_path):
    path = tmp_path / "options.toml"
    path.write_text("[act]\nbatch_size = 7\n[other]\nx = 1\n", encoding="utf-8")
    assert call("act", "go", "--config", str(path))[1][0]["message"] == "batch size 7"
    assert call("act", "go", "--config", str(path), "--batch-size", "8")[1][0]["message"] == (
        "batch size 8")


def test_a_given_prompter_is_asked(command):
    prompter = ScriptedPrompter({"batch_size": "5"})
    assert call("act", "go", prompter=prompter)[1][0]["message"] == "batch size 5"
    assert prompter.asked == ["batch_size"]


@pytest.mark.parametrize("is_terminal, words, kind", [
    (True, [], ConsolePrompter), (True, ["--no-prompt"], SilentPrompter),
    (True, ["--json"], SilentPrompter), (False, [], SilentPrompter)])
def test_questions_are_asked_on_a_terminal_only(command, monkeypatch, is_terminal, words, kind):
    stdin = io.StringIO("6\n")
    monkeypatch.setattr(stdin, "isatty", lambda: is_terminal)
    monkeypatch.setattr("sys.stdin", stdin)
    code, events = call("act", "go", *words)
    assert type(command.seen[2]) is kind
    assert events[0]["message"] == f"batch size {6 if kind is ConsolePrompter else 4}"


@pytest.mark.parametrize("words, message", [
    (["trian"], "unknown command 'trian'; did you mean 'train'? (see `main.py --help`)"),
    (["zzz"], "known are workspace, videoed, extract"),
    (["--json", "act"], "--json stands before the command"),
    (["act"], "the following arguments are required: action (see `main.py act --help`)"),
    (["act", "og"], "invalid choice: 'og'"),
    (["act", "go", "--batch-siz", "3"], "unknown argument '--batch-siz'; did you mean "
                                        "'--batch-size'? (see `main.py act go --help`)"),
    (["act", "go", "--batch-size", "0"], "argument --batch-size: must be at least 1, not 0"),
    (["act", "go", "more"], "unknown argument 'more'"),
    (["act", "go", "--config", "missing.toml"], "missing.toml: No such file"),
])
def test_wrong_usage_is_one_line_with_the_next_step_and_exit_code_2(command, words, message):
    code, events = call(*words)
    assert code == 2
    assert events[-1]["event"] == "error"
    assert events[-1]["exit_code"] == 2
    assert message in events[-1]["message"]
    assert "\n" not in events[-1]["message"]


@pytest.mark.parametrize("error, code, message", [
    (FaceLabError("went wrong;\n do this"), 1, "went wrong; do this"),
    (ModelNotFound("no model 'x'; train one"), 1, "no model 'x'; train one"),
    (KeyboardInterrupt(), 130, "interrupted; run the command again to go on"),
    (OSError(errno.ENOSPC, "No space left on device", "a.png"), 1,
     "the disk is full (a.png); free some space and run the command again"),
    (PermissionError(errno.EACCES, "Permission denied", "/root/a"), 1,
     "/root/a: Permission denied; check the path and your rights to it"),
    (MemoryError(), 1, "out of memory"),
    (ModuleNotFoundError("No module named 'av.x'", name="av.x"), 1,
     "the Python package 'av' is not installed"),
])
def test_expected_errors_become_one_line_and_an_exit_code(command, error, code, message):
    command.behave = failing(error)
    got, events = call("act", "go")
    assert got == code
    assert events[-1]["exit_code"] == code
    assert events[-1]["message"].startswith(message)


@pytest.mark.parametrize("error", [
    RuntimeError("a mistake"), OSError("no errno"), ValueError("x"),
    ModuleNotFoundError("No module named 'core.missing'", name="core.missing")])
def test_mistakes_of_the_program_keep_their_traceback(command, error):
    command.behave = failing(error)
    with pytest.raises(type(error)):
        call("act", "go")


def test_verbose_shows_where_an_expected_error_came_from(command, capsys):
    command.behave = failing(FaceLabError("went wrong"))
    call("act", "go")
    assert "Traceback" not in capsys.readouterr().err
    call("act", "go", "--verbose")
    text = capsys.readouterr().err
    assert "Traceback" in text
    assert "in fail" in text


def test_a_broken_pipe_is_quiet(command):
    command.behave = failing(BrokenPipeError(errno.EPIPE, "Broken pipe"))
    assert call("act", "go") == (141, [{"event": "info", "message": "batch size 4"}])


def test_console_and_json_users_get_errors_their_way(command, capsys):
    command.behave = failing(FaceLabError("went wrong"))
    assert main.main(["act", "go", "--no-prompt"]) == 1
    assert capsys.readouterr() == ("batch size 4\n", "error: went wrong\n")
    assert main.main(["act", "go", "--json"]) == 1
    output = capsys.readouterr()
    assert output.err == ""
    assert [json.loads(line) for line in output.out.splitlines()] == [
        {"event": "info", "message": "batch size 4"},
        {"event": "error", "message": "went wrong", "exit_code": 1}]
    assert main.main(["act", "go", "--josn", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["exit_code"] == 2


def test_help_of_a_command_shows_its_flags_and_the_common_ones(command, capsys):
    assert main.main(["act", "go", "--help"]) == 0
    text = capsys.readouterr().out
    for flag in ("--batch-size", "--json", "--no-prompt", "--quiet", "--config", "--verbose"):
        assert flag in text
    assert command.seen is None


def test_help_lists_every_command(capsys):
    for words in ([], ["--help"], ["-h"], ["help"]):
        assert main.main(words) == 0
        text = capsys.readouterr().out
        assert all(f"  {name} " in text for name in main.COMMANDS)


def test_the_version_is_that_of_the_project(capsys):
    assert main.main(["--version"]) == 0
    assert capsys.readouterr().out == "FaceLab 0.1.0\n"


def test_every_command_of_the_table_has_configure_and_run():
    for name, (_, module) in main.COMMANDS.items():
        path = ROOT / (module.replace(".", "/") + ".py")
        if not path.exists():
            continue
        text = path.read_text(encoding="utf-8")
        assert "def configure(parser: argparse.ArgumentParser) -> None:" in text, name
        assert "def run(" in text, name


def test_help_answers_in_half_a_second():
    times = []
    for _ in range(5):  # the best of five, since the machine may be busy
        start = time.perf_counter()
        subprocess.run([*SCRIPT, "--help"], check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.5


def test_the_program_quiets_tensorflow_before_it_is_imported():
    code = ("import main, os, sys; print(os.environ['TF_CPP_MIN_LOG_LEVEL'], "
            "'tensorflow' in sys.modules)")
    environment = {name: value for name, value in os.environ.items()
                   if name != "TF_CPP_MIN_LOG_LEVEL"}
    child = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, text=True,
                           capture_output=True, check=True)
    assert child.stdout == "3 False\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux only")
@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_a_full_disk_under_stdout_is_one_line(tmp_path, flags):
    with open("/dev/full", "wb") as full:
        child = subprocess.run([*SCRIPT, "workspace", "init", str(tmp_path), *flags], stdout=full,
                               stderr=subprocess.PIPE, text=True)
    assert child.returncode == 1
    assert child.stderr == "error: the disk is full; free some space and run the command again\n"


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_ends_with_one_line_and_130():
    code = (f"import sys; sys.path.insert(0, {str(ROOT)!r}); import main; "
            "sys.modules['waiting'] = type(sys)('waiting'); import waiting, time; "
            "waiting.configure = lambda parser: None; "
            "waiting.run = lambda *_: (print('ready', flush=True), time.sleep(60)); "
            "main.COMMANDS['wait'] = ('Waits.', 'waiting'); sys.exit(main.main(['wait']))")
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=30)
    assert child.returncode == 130
    assert errors == "error: interrupted; run the command again to go on\n"


@pytest.mark.skipif(os.name == "nt", reason="POSIX pipes")
def test_a_reader_that_goes_away_gets_no_traceback(tmp_path):
    read_end, write_end = os.pipe()
    os.close(read_end)
    child = subprocess.run([*SCRIPT, "workspace", "init", str(tmp_path)], stdout=write_end,
                           stderr=subprocess.PIPE, text=True)
    os.close(write_end)
    assert (child.returncode, child.stderr) == (141, "")
