import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import main
from core.report import SilentReporter
from mainscripts.workspace import FOLDERS, STEPS, init

ROOT = Path(__file__).parents[2]
posix = pytest.mark.skipif(os.name == "nt", reason="POSIX shell")

# Stands where main.py would: prints the words it was called with, ends with the code asked for.
ECHO_PROGRAM = """import json, os, sys
print(json.dumps(sys.argv[1:]))
sys.exit(int(os.environ.get("CODE", 0)))
"""


def call_init(folder):
    reporter = SilentReporter()
    assert main.main(["workspace", "init", str(folder)], reporter=reporter) == 0
    return reporter.events


@pytest.fixture
def odd_places(tmp_path):
    """A project and a workspace in folders with characters that shells treat specially."""
    project = tmp_path / "it's my $HOME; project"
    workspace = tmp_path / 'wörk "space" & co'
    project.mkdir()
    (project / "main.py").write_text(ECHO_PROGRAM, encoding="utf-8")
    init(workspace, project, SilentReporter())
    return project, workspace


def run_script(workspace, name, *words, **environment):
    return subprocess.run([str(workspace / f"{name}.sh"), *words], capture_output=True, text=True,
                          cwd="/", env={**os.environ, **environment})


def test_init_makes_every_folder_and_script(tmp_path):
    events = call_init(tmp_path / "new" / "workspace")
    workspace = tmp_path / "new" / "workspace"
    for folder in ("data_src", "data_src/aligned", "data_dst", "data_dst/aligned",
                   "data_dst/merged", "data_dst/merged_mask", "model"):
        assert (workspace / folder).is_dir()
    scripts = sorted(path.name for path in workspace.iterdir() if path.is_file())
    assert len(scripts) == 17  # README and eight steps in two languages
    assert events[-1]["made"][0] == "README.txt"
    assert events[-1]["kept"] == []
    readme = (workspace / "README.txt").read_text(encoding="utf-8")
    assert "data_src.mp4" in readme and "data_dst.mp4" in readme
    assert all(step.name in readme for step in STEPS)


def test_init_again_keeps_what_is_there_and_adds_what_is_missing(tmp_path):
    call_init(tmp_path)
    (tmp_path / "5_train.sh").write_text("my own", encoding="utf-8")
    (tmp_path / "6_merge.sh").unlink()
    (tmp_path / "model").rmdir()
    (tmp_path / "data_src" / "00001.png").write_bytes(b"frame")
    events = call_init(tmp_path)
    assert (tmp_path / "5_train.sh").read_text(encoding="utf-8") == "my own"
    assert (tmp_path / "data_src" / "00001.png").read_bytes() == b"frame"
    assert events[-1]["made"] == ["6_merge.sh"]
    assert (tmp_path / "model").is_dir()
    assert "5_train.sh" in events[0]["message"] and "kept" in events[0]["message"]
    assert "6_merge.sh" not in events[0]["message"]


def test_a_file_in_the_way_is_one_line(tmp_path):
    (tmp_path / "data_src").write_bytes(b"")
    for folder in (tmp_path, tmp_path / "data_src" / "workspace"):
        reporter = SilentReporter()
        assert main.main(["workspace", "init", str(folder)], reporter=reporter) == 2
        assert "a file is in the way" in reporter.events[-1]["message"]


@posix
@pytest.mark.parametrize("shell", ["bash", "dash", "sh"])
def test_shell_scripts_are_programs_of_good_syntax(tmp_path, shell):
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell}")
    call_init(tmp_path)
    for step in STEPS:
        path = tmp_path / f"{step.name}.sh"
        assert os.access(path, os.X_OK)
        subprocess.run([shell, "-n", str(path)], check=True)


@posix
@pytest.mark.parametrize("name, words", [
    ("1_extract_frames_src", ["videoed", "extract-video", "--input-file", "@data_src.*",
                              "--output-dir", "@data_src"]),
    ("4_extract_faces_dst", ["extract", "--input-dir", "@data_dst", "--output-dir",
                             "@data_dst/aligned"]),
    ("5_train", ["train", "--src-dir", "@data_src/aligned", "--dst-dir", "@data_dst/aligned",
                 "--model-dir", "@model", "--model", "Quick96"]),
    ("6_merge", ["merge", "--input-dir", "@data_dst", "--aligned-dir", "@data_dst/aligned",
                 "--output-dir", "@data_dst/merged", "--output-mask-dir", "@data_dst/merged_mask",
                 "--model-dir", "@model", "--model", "Quick96"]),
    ("7_make_video", ["videoed", "video-from-sequence", "--input-dir", "@data_dst/merged",
                      "--output-file", "@result.mp4", "--reference-file", "@data_dst.*",
                      "--include-audio"]),
    ("8_make_mask_video", ["videoed", "video-from-sequence", "--input-dir", "@data_dst/merged_mask",
                           "--output-file", "@result_mask.mp4", "--reference-file", "@data_dst.*",
                           "--lossless", "--mask"]),
])
def test_a_script_calls_the_program_with_its_words_and_those_behind_it(odd_places, name, words):
    _, workspace = odd_places
    (workspace / "data_src.mp4").touch()  # the shell must not expand data_src.*
    extra = ["--text", "two words", "$HOME", "*", ""]
    child = run_script(workspace, name, *extra)
    expected = [word.replace("@", f"{workspace}/") for word in words]
    assert json.loads(child.stdout) == expected + extra
    assert child.stderr == ""


@posix
def test_a_script_ends_with_the_programs_code(odd_places):
    assert run_script(odd_places[1], "5_train", CODE="130").returncode == 130


@posix
def test_scripts_follow_a_moved_workspace_and_tell_of_a_moved_project(odd_places):
    project, workspace = odd_places
    moved = workspace.rename(workspace.with_name("moved"))
    assert json.loads(run_script(moved, "5_train").stdout)[2] == f"{moved}/data_src/aligned"
    project.rename(project.with_name("elsewhere"))
    child = run_script(moved, "5_train")
    assert child.returncode == 1
    assert child.stderr.startswith(f"error: no main.py in {project}")


@posix
def test_the_projects_own_python_is_used_if_it_is_there(odd_places):
    project, workspace = odd_places
    own = project / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.write_text('#!/bin/sh\necho "own python runs $1"\n', encoding="utf-8")
    own.chmod(0o755)
    assert run_script(workspace, "5_train").stdout == f"own python runs {project}/main.py\n"


def test_batch_scripts_call_the_same_words_as_shell_scripts(odd_places):
    project, workspace = odd_places
    for step in STEPS:
        data = (workspace / f"{step.name}.bat").read_bytes()
        assert data.count(b"\n") == data.count(b"\r\n")
        lines = data.decode().split("\r\n")
        assert f'set "FACELAB={project}"' in lines
        assert 'set "WORKSPACE=%~dp0"' in lines
        (call,) = [line for line in lines if "main.py" in line]
        words = call.removeprefix('"%PYTHON%" "%FACELAB%\\main.py" ').removesuffix(" %*").split()
        as_shell = [word.strip('"').replace("%WORKSPACE%", "@").replace("\\", "/")
                    for word in words]
        assert " ".join(as_shell) == step.words
        assert lines[-2] == "exit /b %CODE%"


def test_percent_signs_of_the_projects_path_survive_in_batch_scripts(tmp_path):
    init(tmp_path, Path("/100% mine"), SilentReporter())
    assert 'set "FACELAB=/100%% mine"' in (tmp_path / "5_train.bat").read_text(encoding="utf-8")


def test_the_folders_the_scripts_name_are_made(tmp_path):
    for step in STEPS:
        for word in step.words.split():
            is_video = word.endswith((".*", ".mp4"))
            assert not word.startswith("@") or is_video or word[1:] in FOLDERS


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_every_command_knows_the_words_of_its_scripts(step, capsys):
    command, *words = step.words.split()
    if not (ROOT / "mainscripts" / f"{command}.py").exists():
        pytest.skip(f"the command {command} is not there")
    # An unknown flag after the words: everything before it must have been understood.
    assert main.main([command, *words, "--no-such-flag"]) == 2
    assert "unknown argument '--no-such-flag'" in capsys.readouterr().err


@posix
@pytest.mark.skipif(importlib.util.find_spec("mainscripts.videoed") is None,
                    reason="the command videoed is not there")
def test_the_first_step_really_extracts_frames(tmp_path):
    call_init(tmp_path)
    shutil.copy(ROOT / "tests" / "data" / "face_then_noface.mp4", tmp_path / "data_src.mp4")
    child = run_script(tmp_path, "1_extract_frames_src", "--no-prompt")
    assert child.returncode == 0, child.stderr
    frames = sorted((tmp_path / "data_src").glob("*.*g"))
    count = int(subprocess.run(
        [sys.executable, "-c", "import av, sys; print(sum(1 for _ in av.open(sys.argv[1])"
         ".decode(video=0)))", str(tmp_path / "data_src.mp4")],
        capture_output=True, text=True, check=True).stdout)
    assert len(frames) == count
    assert frames[0].stem == "00001"
