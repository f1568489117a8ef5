"""A model of another resolution that keeps what the old one learned."""

from typing import NamedTuple

from core.errors import OptionError
from core.options import resolve
from models.base import TrainedModel
from models.dense_maps import sides_of
from models.loading import restore
from models.options import TrainingOptions
from models.registry import MODELS, options_type
from models.store import SavedModel
from models.transfer import transfer, transfer_optimizers


class Resized(NamedTuple):
    """The new model, its options, and lines about what starts anew."""

    model: TrainedModel
    options: TrainingOptions
    notes: list[str]


def resize(kind: str, saved: SavedModel, resolution: int, *, resample: bool = True) -> Resized:
    """Builds a model of another resolution from a saved one.

    Convolutions are kept with their optimizer state: they work at any size. The dense layers read
    and make maps whose side depends on the resolution: they are resampled (see
    `models.dense_maps.resample_maps`), and their optimizer state starts at zero.

    Args:
        kind: Of the model.
        saved: Left as it is.
        resolution: New side of the faces.
        resample: False draws the dense layers anew.

    Raises:
        OptionError: The model cannot have this resolution, or has it already.
    """
    own_type = options_type(kind)
    old = resolve(own_type, saved=saved.options)
    if old.resolution == resolution:
        raise OptionError(f"the model has a resolution of {resolution} already; choose another one")
    options = resolve(own_type, saved=saved.options, given={"resolution": resolution})
    source, model = restore(kind, saved), MODELS.load(kind)(options)
    sides = (sides_of(kind, old), sides_of(kind, options)) if resample else None
    arrays = {stem: module.state() for stem, module in source.parts().items()}
    notes = transfer(arrays, model, sides).notes
    transfer_optimizers(source, model)
    return Resized(model, options, notes)
