"""`workspace init`: a folder with everything a swap needs, and a script for each step."""

import argparse
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.errors import UsageError
from core.paths import atomic_path
from core.prompt import Prompter
from core.report import Reporter

PROJECT = Path(__file__).resolve().parents[1]
FOLDERS = ("data_src", "data_src/aligned", "data_dst", "data_dst/aligned", "data_dst/merged",
           "data_dst/merged_mask", "model")


@dataclass(frozen=True)
class Step:
    """One script.

    Attributes:
        name: File name without suffix; its number is the order.
        purpose: One sentence for the user.
        words: What follows `main.py`; a word starting with `@` is a path in the workspace.
    """

    name: str
    purpose: str
    words: str


STEPS = (
    Step("1_extract_frames_src", "Turns the video data_src.* into frames.",
         "videoed extract-video --input-file @data_src.* --output-dir @data_src"),
    Step("2_extract_frames_dst", "Turns the video data_dst.* into frames.",
         "videoed extract-video --input-file @data_dst.* --output-dir @data_dst"),
    Step("3_extract_faces_src", "Finds the faces in the src frames and cuts them out.",
         "extract --input-dir @data_src --output-dir @data_src/aligned"),
    Step("4_extract_faces_dst", "Finds the faces in the dst frames and cuts them out.",
         "extract --input-dir @data_dst --output-dir @data_dst/aligned"),
    Step("5_train", "Trains the model on both facesets, until you stop it.",
         "train --src-dir @data_src/aligned --dst-dir @data_dst/aligned --model-dir @model "
         "--model Quick96"),
    Step("6_merge", "Puts the predicted faces into the dst frames.",
         "merge --input-dir @data_dst --aligned-dir @data_dst/aligned "
         "--output-dir @data_dst/merged --output-mask-dir @data_dst/merged_mask "
         "--model-dir @model --model Quick96"),
    Step("7_make_video", "Makes result.mp4 from the merged frames, with the sound of data_dst.*.",
         "videoed video-from-sequence --input-dir @data_dst/merged --output-file @result.mp4 "
         "--reference-file @data_dst.* --include-audio"),
    Step("8_make_mask_video", "Makes result_mask.mp4 from the masks, for your video editor.",
         "videoed video-from-sequence --input-dir @data_dst/merged_mask "
         "--output-file @result_mask.mp4 --reference-file @data_dst.* --lossless --mask"),
)

README = """\
FaceLab workspace

1. Put two videos into this folder:
     data_src.mp4   the face you want to see (any video format: data_src.mov, data_src.mkv, ...)
     data_dst.mp4   the video whose face is to be changed
2. Run the scripts in the order of their numbers (.sh on Linux and macOS, .bat on Windows):

{steps}

After steps 3 and 4, look through data_src/aligned and data_dst/aligned and delete what is not
the right face. Words behind a script's name are passed on, for example
    ./5_train.sh --batch-size 8
    ./6_merge.sh --help
On Windows a script waits for a key at its end; set FACELAB_NO_PAUSE=1 to switch that off.

Folders
  data_src, data_dst                     frames
  data_src/aligned, data_dst/aligned     aligned faces (facesets)
  data_dst/merged, data_dst/merged_mask  merged frames and their masks
  model                                  saved models
"""

SHELL_SCRIPT = """\
#!/bin/sh
# {purpose} Words behind the script's name are passed on.
FACELAB={project}
WORKSPACE=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd) || exit 1
PYTHON="$FACELAB/.venv/bin/python"
[ -x "$PYTHON" ] || PYTHON=$(command -v python3 || command -v python)
if [ ! -f "$FACELAB/main.py" ] || [ -z "$PYTHON" ]; then
    echo "error: no main.py in $FACELAB, or no Python; correct FACELAB at the top of $0" >&2
    exit 1
fi
exec "$PYTHON" "$FACELAB/main.py" {words} "$@"
"""

# chcp 65001: the paths in this file are UTF-8.
BATCH_SCRIPT = """\
@echo off
rem {purpose} Words behind the script's name are passed on.
setlocal
chcp 65001 >nul
set "FACELAB={project}"
set "WORKSPACE=%~dp0"
set "PYTHON=%FACELAB%\\.venv\\Scripts\\python.exe"
if not exist "%PYTHON%" set "PYTHON=python"
"%PYTHON%" "%FACELAB%\\main.py" {words} %*
set "CODE=%ERRORLEVEL%"
if not defined FACELAB_NO_PAUSE pause
exit /b %CODE%
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the command's words."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    init = actions.add_parser("init", help="Make a workspace; what is there already stays.",
                              description="Make a workspace; what is there already stays.")
    init.add_argument("folder", type=Path, metavar="DIR", help="The workspace; made if missing.")


def run(arguments: argparse.Namespace, reporter: Reporter, prompter: Prompter) -> None:
    """Makes what the workspace lacks and says what it kept."""
    init(arguments.folder.expanduser().absolute(), PROJECT, reporter)


def init(workspace: Path, project: Path, reporter: Reporter) -> None:
    """Fills a workspace; never touches what exists.

    Args:
        workspace: Absolute path; made if missing.
        project: Absolute path of the folder that holds main.py; written into the scripts.
        reporter: Hears what was made and what was kept.

    Raises:
        UsageError: A file stands where a folder is needed.
    """
    for folder in (workspace, *(workspace / name for name in FOLDERS)):
        _make_folder(folder)
    made, kept = [], []
    for name, (content, is_program) in _files(project).items():
        path = workspace / name
        if path.exists() or path.is_symlink():
            kept.append(name)
            continue
        with atomic_path(path) as temporary:
            temporary.write_bytes(content)
            temporary.chmod(0o755 if is_program else 0o644)
        made.append(name)
    if kept:
        reporter.info(f"kept as they were: {', '.join(kept)}")
    reporter.event("workspace", folder=str(workspace), made=made, kept=kept,
                   message=f"{workspace}: workspace ready; put data_src.* and data_dst.* there, "
                           "then run the scripts in order (see README.txt)")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise UsageError(f"{folder}: cannot be a folder, since a file is in the way; move the "
                         "file or choose another workspace") from error


def _files(project: Path) -> dict[str, tuple[bytes, bool]]:
    """File name -> (content, whether it is a program)."""
    steps = "\n".join(f"     {step.name:<22} {step.purpose}" for step in STEPS)
    files = {"README.txt": (README.format(steps=steps).encode(), False)}
    for step in STEPS:
        files[f"{step.name}.sh"] = (_shell_script(step, project), True)
        files[f"{step.name}.bat"] = (_batch_script(step, project), False)
    return files


def _shell_script(step: Step, project: Path) -> bytes:
    words = _words(step, lambda path: f'"$WORKSPACE/{path}"')
    return SHELL_SCRIPT.format(purpose=step.purpose, project=shlex.quote(project.as_posix()),
                               words=words).encode()


def _batch_script(step: Step, project: Path) -> bytes:
    # %~dp0 ends with a backslash. In a batch file a percent sign is written twice.
    words = _words(step, lambda path: '"%WORKSPACE%' + path.replace("/", "\\") + '"')
    text = BATCH_SCRIPT.format(purpose=step.purpose, project=str(project).replace("%", "%%"),
                               words=words)
    return text.replace("\n", "\r\n").encode()


def _words(step: Step, quoted: Callable[[str], str]) -> str:
    words = step.words.split()
    return " ".join(quoted(word[1:]) if word.startswith("@") else word for word in words)
