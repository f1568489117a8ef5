"""Weights from one model into another: all that fits, maps resampled, the rest drawn anew."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from models.base import TrainedModel
from models.dense_maps import MapSides, resample_maps
from models.options import TrainingOptions
from models.registry import MODEL_OPTIONS
from models.weights_file import TRAINING_ONLY


class Transfer(NamedTuple):
    """How much was taken: `n_taken` of `n` parameters; a line for each part not taken whole, by
    its name."""

    n_taken: int
    n: int
    incomplete: dict[str, str]

    @property
    def notes(self) -> list[str]:
        """The lines alone."""
        return list(self.incomplete.values())


def kind_of(options: TrainingOptions) -> str:
    """The registered kind whose options these are; the type's own name for unregistered ones."""
    for name in MODEL_OPTIONS.names():
        if MODEL_OPTIONS.load(name) is type(options):
            return name
    return type(options).__name__


def transfer(arrays: Mapping[str, Mapping[str, np.ndarray]], model: TrainedModel,
             resample: tuple[MapSides, MapSides] | None = None) -> Transfer:
    """Gives a model the arrays that fit one of its own by part, path and shape.

    What does not fit stays as the model has it: drawn from its seed if it is new. Discriminators
    are taken whole or not at all: half of one judges at random, and would undo what was learned.

    Args:
        arrays: Part -> path -> array.
        model: Its networks are changed; its optimizers are not.
        resample: (old, new) sides of the maps; dense layers are resampled where these differ.
    """
    incomplete, n_taken = {}, 0
    for stem, module in model.parts().items():
        if stem not in arrays:
            incomplete[stem] = f"{stem} starts anew: the weights hold none"
            continue
        given = dict(arrays[stem])
        if resample is not None and resample[0] != resample[1]:
            given = resample_maps(given, *resample)
        own = module.state()
        taken = {path: np.float32(given[path]) for path, array in own.items()
                 if path in given and given[path].shape == array.shape}
        if stem in TRAINING_ONLY and len(taken) < len(own):
            incomplete[stem] = f"{stem} starts anew: the weights are of another size"
            continue
        module.load_state(own | taken)
        n_taken += sum(array.size for array in taken.values())
        if len(taken) < len(own):
            incomplete[stem] = _describe(stem, [path for path in own if path not in taken],
                                         len(own))
    n = sum(module.n_parameters() for module in model.parts().values())
    return Transfer(n_taken, n, incomplete)


def transfer_optimizers(source: TrainedModel, model: TrainedModel) -> None:
    """Gives a model's optimizers the state of another's, for parameters of one shape.

    Slots of dense layers that were resampled, or have other shapes, start at zero; those of a
    discriminator of another size all do.
    """
    others = source.optimizers()
    for group, optimizer in model.optimizers().items():
        if group not in others:
            continue
        own, given = optimizer.state(), others[group].state()
        taken = {name: given[name] for name in given
                 if name in own and own[name].shape == given[name].shape}
        if group in TRAINING_ONLY and len(taken) < len(own):
            continue
        optimizer.load_state(own | taken)


def _describe(stem: str, paths: Iterable[str], n: int) -> str:
    paths = list(paths)
    return f"{stem}: {len(paths)} of {n} arrays start anew, among them {paths[0]}"
