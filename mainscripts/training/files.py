"""The option files of a training: those of a model, and those that the next new model starts with.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from core.errors import OptionError
from core.options import load_toml, resolve, to_toml
from core.paths import atomic_write
from core.report import Reporter
from mainscripts.training.arguments import SECTION
from models.options import TrainingOptions
from models.registry import label, options_type

OPTIONS_FILE = "options.toml"
OF_ONE_TRAINING = ("target_iteration", "target_minutes", "pretrain")


def write_options(folder: Path, kind: str, options: TrainingOptions) -> None:
    """Writes a model's options beside it, as `--config` reads them, if they are not there so.

    Raises:
        OSError: There is no room or no right to write.
    """
    _write_changed(folder / OPTIONS_FILE, options_text(kind, options))


def options_text(kind: str, options: TrainingOptions) -> str:
    """A model's kind and options as TOML, with the help of each as a comment."""
    head = f"[{SECTION}]\n{tomli_w.dumps({'model': kind})}"
    return to_toml(options, SECTION).replace(f"[{SECTION}]\n", head, 1)


def defaults_file(model_dir: Path, kind: str) -> Path:
    """Where the options of the last new model of a kind are kept."""
    return model_dir / f"{label(kind)}_defaults.toml"


def write_defaults(model_dir: Path, kind: str, options: TrainingOptions) -> None:
    """Keeps the options of a new model for the next one; a target is about one training only.

    Raises:
        OSError: There is no room or no right to write.
    """
    general = resolve(type(options), saved={
        name: value for name, value in vars(options).items() if name not in OF_ONE_TRAINING})
    _write_changed(defaults_file(model_dir, kind), to_toml(general, SECTION))


def read_defaults(model_dir: Path, kind: str, reporter: Reporter) -> Mapping[str, Any]:
    """The options that a new model of a kind starts with, beside the built-in ones.

    A damaged file is told and left out.
    """
    path = defaults_file(model_dir, kind)
    if not path.exists():
        return {}
    try:
        values = load_toml(path, SECTION)
        resolve(options_type(kind), saved=values)
    except OptionError as error:
        reporter.warning(f"{path}: left out, since it cannot be used ({error})")
        return {}
    reporter.info(f"options that are not given are those of the last new model ({path})")
    return values


def _write_changed(path: Path, text: str) -> None:
    data = text.encode()
    if not path.exists() or path.read_bytes() != data:
        atomic_write(path, data)
