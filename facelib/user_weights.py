"""Weights that the user imported, in the user's data folder: one file for each network."""

import io
import json
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.errors import WeightsMissing
from core.paths import atomic_write
from core.signing_identity import data_dir

_ABOUT = "about.json"
_MAX_ABOUT = 100_000


class Weights(NamedTuple):
    """The parameters of a network, and where they come from.

    Attributes:
        state: Path in our network -> float32 array.
        about: Facts as text: `origin`, `licence`, `sha256` of the file they come from, and what
            the network must know, such as `channels` or `width`.
    """

    state: dict[str, np.ndarray]
    about: dict[str, str]


def user_path(name: str) -> Path:
    """Where the user's weights of a network are, or would be."""
    return data_dir() / "weights" / f"{name}.npz"


def write_weights(path: Path, weights: Weights, dtype: str = "float32") -> None:
    """Writes weights as an `.npz` with their facts, whole or not at all.

    Args:
        path: Its folder need not exist.
        weights: What to write.
        dtype: Of the arrays in the file.
    """
    buffer = io.BytesIO()
    arrays = {key: array.astype(dtype) for key, array in weights.state.items()}
    np.savez(buffer, **arrays)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(_ABOUT, json.dumps(weights.about, indent=1, sort_keys=True))
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, buffer.getvalue())


def read_weights(source: Path | io.BytesIO, shown: str) -> Weights:
    """What `write_weights` wrote; checksums of all parts are verified.

    Args:
        source: The file.
        shown: Its name in errors.

    Raises:
        WeightsMissing: It cannot be read, or is damaged.
    """
    try:
        with np.load(source, allow_pickle=False) as archive:
            about = {}
            if _ABOUT in archive.zip.namelist() and (
                    archive.zip.getinfo(_ABOUT).file_size <= _MAX_ABOUT):
                about = json.loads(archive.zip.read(_ABOUT))
            state = {key: archive[key].astype(np.float32)
                     for key in archive.files if key != _ABOUT}
    except OSError as error:
        raise WeightsMissing(f"{shown}: cannot read the weights ({error.strerror or error}); "
                             "run `models import` again") from error
    except (zipfile.BadZipFile, ValueError, EOFError, KeyError, TypeError,
            AttributeError) as error:
        raise WeightsMissing(f"{shown}: the weights are damaged ({error}); run `models import` "
                             "again") from error
    return Weights(state, {str(key): str(value) for key, value in about.items()})
