"""`--start-from starter`: weights that come with FaceLab, for the kinds that have some."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import OptionError
from facelib.weights import WEIGHTS
from mainscripts.training.options import TrainOptions
from models.registry import options_type

STARTER = "starter"
STARTERS = {"XSeg": "xseg"}
"""Kind -> name in `facelib.weights.WEIGHTS`; the files are those of `models export-weights`."""


def wants_starter(files: TrainOptions) -> bool:
    """Whether the user said the word instead of a file."""
    return str(files.start_from) == STARTER


def start_file(kind: str, files: TrainOptions) -> Path | None:
    """The file whose weights a new model starts from, known to be whole; None for none.

    Raises:
        OptionError: The kind has no starter.
        WeightsMissing: It is absent or damaged.
    """
    if not wants_starter(files):
        return files.start_from
    if kind not in STARTERS:
        raise OptionError(f"--start-from {STARTER}: {kind} comes without one; give a file of "
                          f"`models export-weights`, or train {', '.join(STARTERS)}")
    weights = WEIGHTS[STARTERS[kind]]
    weights.read()
    return weights.path


def starter_shape(kind: str, files: TrainOptions) -> Mapping[str, Any]:
    """The options that fix the starter's sizes, as a new model's first values; none without it.

    Raises:
        OptionError, WeightsMissing: See `start_file`.
    """
    from models.weights_file import read_weights_file

    if not wants_starter(files):
        return {}
    options = read_weights_file(start_file(kind, files)).options
    return {name: options[name] for name in options_type(kind).structural if name in options}
