"""From a file of another program to weights in the user's folder."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.errors import UsageError
from core.legacy_pickle import LegacyPickleError, loads
from facelib.checkpoints.layouts import LAYOUTS, Layout
from facelib.checkpoints.model_data import xseg_face_type
from facelib.checkpoints.torch_file import (
    STREAM_MAGIC,
    ZIP_MAGIC,
    WeightsFileError,
    read_torch,
)
from facelib.user_weights import Weights, user_path, write_weights
from facelib.weights import IMPORTABLE, RELEASES

MAX_BYTES = 2**31
_FAN_NAMES = ("2dfan", "3dfan")
_DEEPFACELAB_MAGIC = b"\x80\x04"


class Imported(NamedTuple):
    """Weights that are installed now.

    Attributes:
        network: Name of the network.
        path: The file in the user's folder.
        program: Whose names the arrays had.
        is_official: Whether the file is the one that the network's authors publish.
    """

    network: str
    path: Path
    program: str
    is_official: bool


def import_checkpoint(path: Path, network: str | None = None) -> list[Imported]:
    """Reads a weight file, recognises the network, and installs its weights.

    The file is only read: nothing in it is executed. Weights that were imported before are
    replaced, whole or not at all.

    Args:
        path: PyTorch's `.pth`, `.pt`, `.pth.tar` (new or old format), a TorchScript archive, or
            DeepFaceLab's `.npy`.
        network: A key of `facelib.weights.IMPORTABLE`, where the file cannot tell: 2DFAN and 3DFAN
            are the same network, and told apart by the name of the file otherwise.

    Returns:
        One for each network in the file; MTCNN's three may be in one.

    Raises:
        WeightsFileError: The file cannot be read, is damaged or hostile, or holds none of the
            networks.
        UsageError: The network is unknown, not the one in the file, or must be said.
    """
    if network is not None and network not in IMPORTABLE:
        raise UsageError(f"there are no weights {network!r} to import; known are "
                         f"{', '.join(IMPORTABLE)}")
    data, face_type = _read(path), xseg_face_type(path)
    return install(data, str(path), path.name, network,
                   {"xseg": {"face_type": face_type}} if face_type else {})


def install(data: bytes, source: str, file_name: str, network: str | None,
            beside: Mapping[str, Mapping[str, str]] = {}) -> list[Imported]:
    """`import_checkpoint` for a file in memory.

    Args:
        data: The whole file.
        source: Named in errors.
        file_name: Tells 2DFAN from 3DFAN.
        network: As for `import_checkpoint`.
        beside: Network -> facts that other files tell.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    translated = []
    for layout, arrays in recognise(read_arrays(data, source), source):
        name = _name(layout, file_name, network, source)
        try:
            state = layout.translate(arrays)
        except (ValueError, TypeError, IndexError) as error:
            raise WeightsFileError(f"{source}: these are not the weights of {IMPORTABLE[name]} as "
                                   f"released ({error}); take the original file") from error
        translated.append((name, layout, state))
    if network is not None and network not in [name for name, _, _ in translated]:
        found = ", ".join(IMPORTABLE[name] for name, _, _ in translated)
        raise UsageError(f"{source}: this is {found}, not {IMPORTABLE[network]}")
    imported = []
    for name, layout, state in translated:
        official = name in RELEASES and sha256.startswith(RELEASES[name].hash_start)
        about = {"sha256": sha256, "origin": f"{file_name} ({layout.program})", **layout.facts,
                 **beside.get(name, {})}
        write_weights(user_path(name), Weights(state, about))
        imported.append(Imported(name, user_path(name), layout.program, official))
    return imported


def read_arrays(data: bytes, source: str) -> dict[str, np.ndarray]:
    """The arrays of a weight file by name, as PyTorch or DeepFaceLab wrote them.

    Raises:
        WeightsFileError: The file is damaged, hostile or of another kind.
    """
    if data.startswith((ZIP_MAGIC, STREAM_MAGIC)):
        return read_torch(data, source)
    if data.startswith(_DEEPFACELAB_MAGIC):
        try:
            value = loads(data, source)
        except LegacyPickleError as error:
            raise WeightsFileError(str(error)) from error
        if type(value) is dict and all(isinstance(a, np.ndarray) for a in value.values()):
            return {str(key): array for key, array in value.items()}
    raise WeightsFileError(f"{source}: this is no weight file of PyTorch or DeepFaceLab; give a "
                           ".pth, .pt, .pth.tar or .npy file")


def recognise(arrays: dict[str, np.ndarray],
              source: str) -> list[tuple[Layout, dict[str, np.ndarray]]]:
    """Which networks the arrays are, whatever stands before all their names ("module.").

    Raises:
        WeightsFileError: None that is known.
    """
    prefixes = {""}
    for name in arrays:
        parts = name.split(".")
        prefixes |= {".".join(parts[:n]) + "." for n in range(1, min(len(parts), 4))}
    for prefix in sorted(prefixes, key=len):
        inside = {name.removeprefix(prefix): array for name, array in arrays.items()
                  if name.startswith(prefix)}
        fitting = [(layout, inside) for layout in LAYOUTS if layout.fits(inside)]
        if fitting:
            return fitting
    known = ", ".join(sorted({layout.network for layout in LAYOUTS}))
    raise WeightsFileError(f"{source}: none of its {len(arrays)} arrays belong to a known network "
                           f"({known}); check that it is the right file")


def _name(layout: Layout, file_name: str, network: str | None, source: str) -> str:
    if layout.network != "fan":
        return layout.network
    if network in _FAN_NAMES:
        return network
    said = [name for name in _FAN_NAMES if name in file_name.lower().replace("-", "")]
    if len(said) != 1:
        raise UsageError(f"{source}: this may be 2DFAN or 3DFAN, which have the same arrays; say "
                         "which with --network")
    return said[0]


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise WeightsFileError(f"{path}: this is larger than any known weight file; check "
                                   "that it is the right one")
        return path.read_bytes()
    except OSError as error:
        raise WeightsFileError(f"{path}: cannot read the weight file ({error.strerror}); check "
                               "the path") from error
