"""From a saved generation to a model."""

from core.errors import UsageError
from core.options import resolve
from models.base import SwapModel, TrainedModel
from models.options import TrainingOptions
from models.registry import MODELS, options_type
from models.store import SavedModel


def build(kind: str, options: TrainingOptions, saved: SavedModel | None) -> TrainedModel:
    """Builds a model of a known kind and gives it the saved weights, if there are some.

    Raises:
        OptionError: The kind is unknown.
        KeyError, ValueError: The weights do not fit the options.
    """
    model = MODELS.load(kind)(options)
    if saved is not None:
        model.load_state(saved.arrays)
    return model


def restore(kind: str, saved: SavedModel) -> TrainedModel:
    """Builds a saved model with the options it was saved with."""
    return build(kind, resolve(options_type(kind), saved=saved.options), saved)


def restore_swap(kind: str, saved: SavedModel) -> SwapModel:
    """Builds a saved model that can be merged.

    Raises:
        UsageError: The kind is no swap.
    """
    model = restore(kind, saved)
    if not isinstance(model, SwapModel):
        raise UsageError(f"a model of kind {kind} swaps no faces; name another one with --name or "
                         "--model")
    return model
