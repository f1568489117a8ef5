"""Whole models from DeepFaceLab's files, and to them."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.errors import CheckpointError, OptionError
from leras.optimizers.base import Optimizer
from models.base import SwapModel
from models.dense_maps import MapSides, architecture_of, sides_of
from models.history import LossHistory
from models.legacy.files import (
    DATA,
    KINDS,
    NETWORKS,
    LegacyData,
    LegacyModel,
    file_name,
    files_written_together,
    read_data,
    read_weights,
    require_new,
    write_data,
    write_weights,
)
from models.legacy.options import from_legacy, to_legacy
from models.legacy.weights import (
    NETWORK_NAMES,
    is_known,
    load_network,
    load_optimizer,
    network_arrays,
    optimizer_arrays,
)
from models.options import TrainingOptions
from models.registry import MODELS
from models.store import Progress

# Networks that only training needs start anew where their file is missing.
OPTIONAL = ("code_discriminator", "GAN")
ADVERSARIAL_FILES = {"GAN": "GAN_opt", "code_discriminator": "D_code_opt"}
MAIN_FILE = "src_dst_opt"
OWN_DISCRIMINATOR = "unet"  # the only one that DeepFaceLab has


class Imported(NamedTuple):
    """A model read from files, its options and progress, and lines for the user."""

    model: SwapModel
    options: TrainingOptions
    progress: Progress
    notes: list[str]


class Exported(NamedTuple):
    """The files of a model, and lines for the user about what DeepFaceLab cannot take."""

    paths: list[Path]
    notes: list[str]


def import_model(files: LegacyModel) -> Imported:
    """Reads a model with its options, losses and, as far as they fit, its optimizers.

    Raises:
        CheckpointError: A file is missing, damaged, or does not fit the options.
        LegacyPickleError: A file is damaged or hostile.
        OptionError: An option has a value that FaceLab cannot have.
    """
    data = read_data(files)
    options, notes = from_legacy(files.kind, data.options)
    model = MODELS.load(files.kind)(options)
    sides = sides_of(files.kind, options)
    notes += _load_networks(model, files, sides)
    notes += _load_optimizers(model, files, sides)
    progress = Progress(data.iteration, 0.0, _history(data), {})
    return Imported(model, options, progress, notes)


def export_model(kind: str, model: SwapModel, options: TrainingOptions, progress: Progress,
                 folder: Path, name: str, *, overwrite: bool = False) -> Exported:
    """Writes a model as files that DeepFaceLab opens: all of them, or none.

    Args:
        kind: SAEHD, Quick96 or AMP.
        model, options, progress: What to write.
        folder: Made if missing.
        name: Without an underscore, which DeepFaceLab takes for the end of the name.
        overwrite: Whether files of that name may be replaced.

    Raises:
        OptionError: DeepFaceLab has no such kind or architecture, or cannot find such a name.
        UsageError: A file exists.
    """
    require_portable(kind, options, name)
    their_options = to_legacy(kind, options)
    arrays, notes = _arrays(kind, model, options)
    paths = [folder / file_name(name, kind, file) for file in
             (*(f"{stem}.npy" for stem in arrays), DATA)]
    if not overwrite:
        require_new(paths)
    with files_written_together(folder) as part:
        for stem, named in arrays.items():
            write_weights(part / file_name(name, kind, f"{stem}.npy"), named)
        write_data(part / file_name(name, kind, DATA),
                   LegacyData(progress.iteration, their_options, loss_columns(progress.history)))
    return Exported(paths, notes)


def require_portable(kind: str, options: TrainingOptions, name: str) -> None:
    """Makes sure that DeepFaceLab knows what would be exported.

    Raises:
        OptionError: It does not.
    """
    if kind not in KINDS:
        raise OptionError(f"DeepFaceLab has no {kind} models, only {', '.join(KINDS)} and XSeg; "
                          "use `models export-weights` instead")
    architecture = architecture_of(kind, vars(options))
    if "hd" in architecture:
        raise OptionError(f"DeepFaceLab has no {architecture} models any more; use "
                          "`models export-weights` instead")
    if "_" in name:
        raise OptionError(f"DeepFaceLab does not find models with an underscore in their name "
                          f"({name!r}); give another one with --as-name")


def _arrays(kind: str, model: SwapModel,
            options: TrainingOptions) -> tuple[dict[str, dict[str, np.ndarray]], list[str]]:
    """File stem -> arrays, and notes."""
    sides, names, parts = sides_of(kind, options), NETWORK_NAMES[kind], dict(model.parts())
    optimizers, notes = _optimizers(model), []
    if "GAN" in parts and getattr(options, "gan_discriminator", None) != OWN_DISCRIMINATOR:
        del parts["GAN"], optimizers[ADVERSARIAL_FILES["GAN"]]
        notes.append(f"GAN is left out: DeepFaceLab has no {options.gan_discriminator} "
                     "discriminator")
    arrays = {stem: network_arrays(module, sides) for stem, module in parts.items()}
    for file, (optimizer, networks) in optimizers.items():
        arrays[file] = optimizer_arrays(optimizer, networks, names, sides)
    if not all(is_known(optimizer) for optimizer, _ in optimizers.values()):
        notes.append(f"optimizers start anew: DeepFaceLab has no {options.optimizer}")
    return arrays, notes


def _load_networks(model: SwapModel, files: LegacyModel, sides: MapSides) -> list[str]:
    notes = []
    for stem, module in model.parts().items():
        if stem in OPTIONAL and stem not in files.files:
            notes.append(f"{stem} starts anew: there is no file of it")
            continue
        path = files.folder / file_name(files.name, files.kind, f"{stem}.npy")
        arrays = read_weights(path)
        try:
            load_network(module, arrays, sides, str(path))
        except CheckpointError as error:
            if stem not in OPTIONAL:
                raise
            notes.append(f"{stem} starts anew: {error}")
    unused = [stem for stem in files.files if stem in NETWORKS and stem not in model.parts()]
    if unused:
        notes.append(f"not taken, since the options do without: {', '.join(unused)}")
    return notes


def _load_optimizers(model: SwapModel, files: LegacyModel, sides: MapSides) -> list[str]:
    notes = []
    for file, (optimizer, networks) in _optimizers(model).items():
        if file not in files.files:
            notes.append(f"{file}: there is no such file; this optimizer starts anew")
            continue
        taken, n = load_optimizer(optimizer, read_weights(files.files[file]), networks,
                                  NETWORK_NAMES[files.kind], sides)
        if taken < n:
            notes.append(f"{file}: {n - taken} of {n} arrays of the optimizer start anew")
    return notes


def _optimizers(model: SwapModel) -> dict[str, tuple[Optimizer, tuple[str, ...]]]:
    """File stem -> (optimizer, networks that it updates)."""
    main = tuple(stem for stem in model.parts() if stem not in ADVERSARIAL_FILES)
    found = {}
    for group, optimizer in model.optimizers().items():
        networks = (group,) if group in ADVERSARIAL_FILES else main
        found[ADVERSARIAL_FILES.get(group, MAIN_FILE)] = optimizer, networks
    return found


def _history(data: LegacyData) -> LossHistory:
    history = LossHistory()
    names = ("src", "dst")
    if data.history.shape[1] < len(names):
        return history
    columns: Mapping[str, np.ndarray] = dict(zip(names, data.history.T))
    return LossHistory.from_state({**columns, "seconds": np.zeros(len(data.history), np.float32)})


def loss_columns(history: LossHistory, names: tuple[str, ...] = ("src", "dst")) -> np.ndarray:
    """(iterations, names) float32: losses; of iterations without one, the last one before, since
    DeepFaceLab cannot draw what is no number."""
    columns = []
    for name in names:
        values = history.column(name)
        known = np.maximum.accumulate(np.where(np.isfinite(values), np.arange(len(values)), -1))
        columns.append(np.where(known >= 0, values[known], np.float32(0)))
    return np.stack(columns, 1)
