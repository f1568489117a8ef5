"""DeepFaceLab's model files: what they are called, what is in them, and writing them."""

import contextlib
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from core.errors import CheckpointError, ModelNotFound, UsageError
from core.legacy_pickle import loads
from core.legacy_pickle_writer import dump
from core.paths import atomic_path, sync_folder

KINDS = ("SAEHD", "Quick96", "AMP")
NETWORKS = ("encoder", "inter", "inter_AB", "inter_B", "inter_src", "inter_dst", "decoder",
            "decoder_src", "decoder_dst", "code_discriminator", "GAN")
OPTIMIZERS = ("src_dst_opt", "D_code_opt", "GAN_opt")
DATA = "data.dat"
_FILE = re.compile(rf"(?P<name>.+)_(?P<kind>{'|'.join(KINDS)})_"
                   rf"(?P<stem>(?:{'|'.join([*NETWORKS, *OPTIMIZERS])})\.npy|data\.dat)")
_SUFFIX = ":0"  # of a variable's name in its graph


class LegacyModel(NamedTuple):
    """The files of one model: `files` maps stems (encoder, src_dst_opt, ...) to paths."""

    name: str
    kind: str
    folder: Path
    files: dict[str, Path]

    @property
    def data(self) -> Path:
        """The file with options and history; may be missing."""
        return self.folder / file_name(self.name, self.kind, DATA)


class LegacyData(NamedTuple):
    """`data.dat`: options by DeepFaceLab's names; `history` (iterations, losses) float32."""

    iteration: int
    options: dict[str, Any]
    history: np.ndarray


def file_name(name: str, kind: str, file: str) -> str:
    """("new", "SAEHD", "data.dat") -> `new_SAEHD_data.dat`."""
    return f"{name}_{kind}_{file}"


def find_models(folder: Path) -> list[LegacyModel]:
    """The models whose files lie directly in a folder, sorted by name; empty if there are none."""
    models: dict[tuple[str, str], LegacyModel] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        match = _FILE.fullmatch(path.name)
        if match and path.is_file():
            key = match["name"], match["kind"]
            model = models.setdefault(key, LegacyModel(*key, folder, {}))
            if match["stem"] != DATA:
                model.files[match["stem"].removesuffix(".npy")] = path
    return [model for model in models.values() if set(model.files) & set(NETWORKS)]


def choose_model(path: Path, wanted: Callable[[LegacyModel], bool] = lambda model: True
                 ) -> LegacyModel:
    """The one model that a folder holds, or that a file belongs to.

    Args:
        path: A folder, or any file of a model.
        wanted: Narrows the choice.

    Raises:
        ModelNotFound: There is none.
        UsageError: There are several.
    """
    folder = path if path.is_dir() else path.parent
    found = [model for model in find_models(folder) if wanted(model)]
    match = None if path.is_dir() else _FILE.fullmatch(path.name)
    if match:
        named = match.group("name", "kind")
        found = [model for model in found if (model.name, model.kind) == named]
    if not found or not (path.is_dir() or match):
        raise ModelNotFound(f"{path}: no model files of DeepFaceLab here (such as "
                            "new_SAEHD_data.dat beside new_SAEHD_encoder.npy); check the path")
    if len(found) > 1:
        names = ", ".join(f"{model.name} ({model.kind})" for model in found)
        raise UsageError(f"{path}: holds several models: {names}; name the data.dat file of the "
                         "one you want")
    return found[0]


def read_data(model: LegacyModel) -> LegacyData:
    """Reads options, iteration and losses.

    Raises:
        CheckpointError: The file is missing or is not one.
        LegacyPickleError: It is damaged or hostile.
    """
    value = _read_dict(model.data)
    iteration, options = value.get("iter"), value.get("options", {})
    if type(iteration) is not int or iteration < 0 or not isinstance(options, dict):
        raise CheckpointError(f"{model.data}: holds no iteration and options; take another copy")
    try:
        history = np.array(value.get("loss_history", []), np.float32)
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{model.data}: the losses are not a table of numbers; take another "
                              "copy") from error
    if history.ndim != 2:
        history = np.empty((0, 2), np.float32)
    return LegacyData(iteration, {str(key): item for key, item in options.items()}, history)


def write_data(path: Path, data: LegacyData) -> None:
    """Writes options, iteration and losses, durably and at once."""
    _write(path, {"iter": data.iteration, "options": data.options,
                  "loss_history": data.history.tolist(), "sample_for_preview": None,
                  "choosed_gpu_indexes": None})


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """Variable name without its suffix `:0` -> array as stored.

    Raises:
        CheckpointError: The file is no dictionary of arrays.
        LegacyPickleError: It is damaged or hostile.
    """
    arrays = {}
    for name, array in _read_dict(path).items():
        if not isinstance(name, str) or not isinstance(array, (np.ndarray, int, float)):
            raise CheckpointError(f"{path}: holds more than named arrays; take another copy of it")
        arrays[name.removesuffix(_SUFFIX)] = np.asarray(array)
    return arrays


def write_weights(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes named arrays under their names with `:0`, durably and at once."""
    _write(path, {name + _SUFFIX: array for name, array in arrays.items()})


def require_new(paths: Iterable[Path]) -> None:
    """Makes sure that nothing is overwritten.

    Raises:
        UsageError: One of the files is there.
    """
    for path in paths:
        if path.exists():
            raise UsageError(f"{path} exists; choose another folder or name, or say --overwrite")


@contextlib.contextmanager
def files_written_together(folder: Path) -> Iterator[Path]:
    """Gives a temporary folder; its files move into `folder`, which is made if missing, when the
    block ends well. If it does not, none of them stays."""
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".part-{uuid.uuid4().hex[:12]}"
    try:
        part.mkdir()
        yield part
        # The one with the options last: without it DeepFaceLab does not see the model.
        for path in sorted(part.iterdir(), key=lambda path: (path.name.endswith(DATA), path.name)):
            os.replace(path, folder / path.name)
        sync_folder(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        if is_new:
            with contextlib.suppress(OSError):  # somebody else put something there
                folder.rmdir()
        raise
    part.rmdir()


def _read_dict(path: Path) -> dict:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: there is no such file; copy all files of the model "
                              "(they start alike) into one folder") from error
    value = loads(data, str(path))
    if not isinstance(value, dict):
        raise CheckpointError(f"{path}: holds a {type(value).__name__}, not a model; take another "
                              "copy of it")
    return value


def _write(path: Path, value: dict) -> None:
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        dump(value, file)
