"""Starting a new model from exported weights instead of chance."""

from pathlib import Path

from core.errors import CheckpointError, OptionError
from models.base import TrainedModel
from models.dense_maps import MapSides, architecture_of, map_sides, sides_of
from models.transfer import kind_of, transfer
from models.weights_file import WeightsFile, read_weights_file


def load_start(model: TrainedModel, file: Path | str) -> list[str]:
    """Gives a new model the weights of a file that fit it; draws nothing, changes no optimizer.

    Taken are arrays of the same part, path and shape. Where only the resolution differs, dense
    layers are resampled. All others stay as the model's seed drew them.

    Args:
        model: Freshly built.
        file: Written by `models export-weights`.

    Returns:
        Lines for the user: what was taken, and each part that starts anew, as a whole or in part.

    Raises:
        ModelNotFound: There is no such file.
        CheckpointError: It cannot be read, or nothing in it fits.
    """
    file = Path(file)
    weights = read_weights_file(file)
    resample = _map_sides(weights, model)
    taken = transfer(weights.parts, model, resample)
    if not taken.n_taken:
        raise CheckpointError(f"{file}: holds a {weights.kind} model of which nothing fits this "
                              "one; choose weights of the same architecture and widths")
    resized = (f", resampled from {weights.options['resolution']} px"
               if resample is not None and resample[0] != resample[1] else "")
    return [f"starting from {file}: {taken.n_taken:,} of {taken.n:,} parameters{resized}",
            *taken.notes]


def _map_sides(weights: WeightsFile, model: TrainedModel) -> tuple[MapSides, MapSides] | None:
    """(the file's, the model's) sides of maps; None where they cannot be compared."""
    resolution = weights.options.get("resolution")
    if type(resolution) is not int or resolution < 16:
        return None
    try:
        architecture = architecture_of(weights.kind, weights.options)
        own = sides_of(kind_of(model.options), model.options)
    except OptionError:
        return None
    return map_sides(architecture, resolution), own
