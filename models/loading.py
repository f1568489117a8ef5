"""From a saved generation to a model."""

from core.options import resolve
from models.base import SwapModel
from models.options import TrainingOptions
from models.registry import MODELS, options_type
from models.store import SavedModel


def build(kind: str, options: TrainingOptions, saved: SavedModel | None) -> SwapModel:
    """Builds a model of a known kind and gives it the saved weights, if there are some.

    Raises:
        OptionError: The kind is unknown.
        KeyError, ValueError: The weights do not fit the options.
    """
    model = MODELS.load(kind)(options)
    if saved is not None:
        model.load_state(saved.arrays)
    return model


def restore(kind: str, saved: SavedModel) -> SwapModel:
    """Builds a saved model with the options it was saved with."""
    return build(kind, resolve(options_type(kind), saved=saved.options), saved)
