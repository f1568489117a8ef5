"""What `--start-from` may say instead of a file: `starter`, weights that come with FaceLab, for the
kinds that have some; `vgg11`, imported weights that TernausNet's way down starts from."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import OptionError
from facelib.weights import WEIGHTS, load_weights
from mainscripts.training.options import TrainOptions
from models.registry import options_type

if TYPE_CHECKING:
    from models.base import TrainedModel

STARTER, VGG11 = "starter", "vgg11"
STARTERS = {"XSeg": "xseg"}
"""Kind -> name in `facelib.weights.WEIGHTS`; the files are those of `models export-weights`."""


def load_named_start(kind: str, model: "TrainedModel", files: TrainOptions) -> list[str]:
    """Gives a new model the weights that the user named.

    Returns:
        Lines for the user.

    Raises:
        OptionError: The kind cannot start from them.
        WeightsMissing: They are not installed, or damaged.
        ModelNotFound, CheckpointError: See `models.starting_point.load_start`.
    """
    from models.starting_point import load_start

    if str(files.start_from) != VGG11:
        return load_start(model, start_file(kind, files))
    if kind != "TernausNet":
        raise OptionError(f"--start-from {VGG11}: this is for TernausNet, not {kind}; leave it out")
    model.network.encoder.load_state(load_weights(VGG11).state)
    return [f"starting from {VGG11}: the way down has learned of photographs, the way up starts "
            "anew"]


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
