"""Networks and optimizers of a model to and from DeepFaceLab's arrays."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from core.errors import CheckpointError
from leras.module import Module
from leras.optimizers.base import Optimizer
from models.dense_maps import MapSides, to_channels_first, to_channels_last

# What a network is called inside optimizer files, where that is not its own file's name.
NETWORK_NAMES = {
    "SAEHD": {"code_discriminator": "dis", "GAN": "D_src"},
    "AMP": {"GAN": "GAN"},
    "Quick96": {},
}
STEP, LEGACY_STEP = "step", "iters"
# An optimizer's slots -> the files' names of them. Others, such as Adam, DeepFaceLab has not.
SLOTS = {("mean_square",): ("acc",), ("mean", "variance"): ("ms", "vs")}


class Slot(NamedTuple):
    """One array of an optimizer: our name, the name in files, and the path in its network."""

    name: str
    legacy: str


def load_network(module: Module, arrays: Mapping[str, np.ndarray], sides: MapSides,
                 source: str) -> None:
    """Gives a network the arrays of its file.

    Args:
        module: Every one of its variables must be in the file; the file may hold more.
        arrays: As in the file: maps flattened (C, H, W).
        sides: Of the maps.
        source: Named in errors.

    Raises:
        CheckpointError: An array is missing, has another shape, or holds what is no number;
            nothing is assigned then.
    """
    shapes = {path: tuple(variable.shape) for path, variable in module.named_variables()}
    missing = [path for path in shapes if path not in arrays]
    if missing:
        raise CheckpointError(f"{source}: lacks {len(missing)} of {len(shapes)} arrays, among them "
                              f"{missing[0]}; it is of another architecture, or damaged")
    for path, shape in shapes.items():
        if arrays[path].size != np.prod(shape):
            raise CheckpointError(
                f"{source}: {path} has shape {arrays[path].shape} where the options make "
                f"{shape}; options and weights are of different models")
        if not np.isfinite(arrays[path]).all():
            raise CheckpointError(f"{source}: {path} holds values that are no numbers, as after a "
                                  "collapsed training; take an older backup of the model")
    needed = {path: np.float32(arrays[path]).reshape(shape) for path, shape in shapes.items()}
    module.load_state(to_channels_last(needed, sides))


def network_arrays(module: Module, sides: MapSides) -> dict[str, np.ndarray]:
    """A network's arrays as its file holds them."""
    return to_channels_first(module.state(), sides)


def load_optimizer(optimizer: Optimizer, arrays: Mapping[str, np.ndarray],
                   networks: tuple[str, ...], names: Mapping[str, str],
                   sides: MapSides) -> tuple[int, int]:
    """Gives an optimizer what its file holds and fits; the rest stays as it is.

    Args:
        optimizer: Of `leras.optimizers`.
        arrays: As in the file.
        networks: Stems of the networks that the optimizer updates.
        names: Network -> its name inside the file; see `NETWORK_NAMES`.
        sides: Of the maps.

    Returns:
        (arrays taken, arrays that the optimizer has), the step not counted.
    """
    state = optimizer.state()
    slots = list(_slots(optimizer, networks, names))
    found = {slot.name: np.float32(arrays[slot.legacy]) for slot in slots
             if slot.legacy in arrays and arrays[slot.legacy].shape == state[slot.name].shape}
    state |= to_channels_last(found, sides)
    if LEGACY_STEP in arrays:
        state[STEP] = np.asarray(arrays[LEGACY_STEP], np.int64).reshape(())
    optimizer.load_state(state)
    return len(found), len(slots)


def optimizer_arrays(optimizer: Optimizer, networks: tuple[str, ...], names: Mapping[str, str],
                     sides: MapSides) -> dict[str, np.ndarray]:
    """An optimizer's arrays as its file holds them; of an unknown kind, its step alone."""
    state = to_channels_first(optimizer.state(), sides)
    named = {slot.legacy: state[slot.name] for slot in _slots(optimizer, networks, names)}
    return {LEGACY_STEP: np.asarray(state[STEP], np.int64), **named}


def is_known(optimizer: Optimizer) -> bool:
    """Whether DeepFaceLab has this kind of optimizer."""
    return optimizer.slot_names in SLOTS


def _slots(optimizer: Optimizer, networks: tuple[str, ...],
           names: Mapping[str, str]) -> Iterator[Slot]:
    """Our `mean/encoder/down1/weight` is `ms_encoder/down1/weight_0` in files."""
    legacy_names = dict(zip(optimizer.slot_names, SLOTS.get(optimizer.slot_names, ())))
    for name, _ in optimizer.named_variables():
        slot, _, path = name.partition("/")
        if slot not in legacy_names:
            continue
        network, _, rest = path.partition("/")
        if network not in networks:  # an optimizer of one network knows its paths alone
            network, rest = networks[0], path
        yield Slot(name, f"{legacy_names[slot]}_{names.get(network, network)}/{rest}_0")
