"""Optimizers of models, and how a batch is shared out."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from core.errors import OptionError
from leras.batch_statistics import running_values
from leras.module import Module
from leras.optimizers.adabelief import AdaBelief
from leras.optimizers.adam import Adam
from leras.optimizers.base import Optimizer, Schedule
from leras.optimizers.rmsprop import RMSprop
from leras.replicas import n_replicas
from models.options import TrainingOptions, effective

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "rmsprop": RMSprop, "adabelief": AdaBelief, "adam": Adam}
GENERATOR, LOSS_SCALE = "generator", "loss_scale"


def slice_size(options: TrainingOptions) -> int:
    """Samples of each source that pass through the networks at once on one device.

    Raises:
        OptionError: The batch cannot be shared evenly among the devices of the strategy in whose
            scope this is called, and then into `options.accumulate` parts.
    """
    devices = n_replicas(tf.distribute.get_strategy())
    parts = devices * options.accumulate
    if options.batch_size % parts:
        fitting = max(parts, round(options.batch_size / parts) * parts)
        raise OptionError(
            f"a batch of {options.batch_size} cannot be divided evenly among {devices} devices "
            f"with accumulate {options.accumulate}; use --batch-size {fitting}")
    return options.batch_size // parts


def build_optimizer(options: TrainingOptions, module: Module, number: int,
                    frozen: Sequence[str] = ()) -> Optimizer:
    """The optimizer of a network; running values of batch norms are not its to move.

    Args:
        options: Of the model.
        module: Its variables are trained.
        number: Of the optimizer in its model, so that each drops other weights out.
        frozen: Names of the module's parts that are not trained.
    """
    used = effective(options)
    schedule = Schedule(used.learning_rate, used.lr_dropout, used.lr_cosine_period,
                        used.clip_gradients)
    variables = dict(module.named_variables())
    running = running_values(module)
    compat = {"compat": used.adabelief_compat} if used.optimizer == "adabelief" else {}
    return OPTIMIZERS[used.optimizer](
        variables, schedule, seed=used.seed + number,
        frozen=[path for path in variables if path in running or path.split("/")[0] in frozen],
        **compat)


def misfit(module: Module, arrays: Mapping[str, np.ndarray] | None) -> str:
    """Why a module cannot take these arrays; empty if it can."""
    if arrays is None:
        return "none is saved"
    shapes = {path: tuple(variable.shape) for path, variable in module.named_variables()}
    if shapes.keys() != arrays.keys():
        return "the saved one is of another kind"
    fits = all(tuple(arrays[path].shape) == shape for path, shape in shapes.items())
    return "" if fits else "the saved one has other sizes"
