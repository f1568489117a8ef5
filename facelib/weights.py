"""Where the weights of each network are, what they are, and whether they are sound."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from core.errors import WeightsMissing

WEIGHTS_FOLDER = Path(__file__).with_name("weights")

_NEXT_STEP = "restore the folder facelib/weights from the FaceLab distribution"


@dataclass(frozen=True)
class WeightFile:
    """One file of network parameters.

    Attributes:
        network: What the parameters are for.
        file_name: Inside WEIGHTS_FOLDER.
        sha256: Of the file, hexadecimal.
        n_bytes: Size of the file.
        licence: SPDX name.
        origin: Where the parameters come from.
    """

    network: str
    file_name: str
    sha256: str
    n_bytes: int
    licence: str
    origin: str

    @property
    def path(self) -> Path:
        """Full path; the file need not exist."""
        return WEIGHTS_FOLDER / self.file_name

    def read(self) -> bytes:
        """The file's content, known to be whole.

        Raises:
            WeightsMissing: The file is absent, unreadable or damaged.
        """
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise WeightsMissing(
                f"{self.path}: cannot read the weights of {self.network} "
                f"({error.strerror}); {_NEXT_STEP}"
            ) from error
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise WeightsMissing(
                f"{self.path}: the weights of {self.network} are damaged "
                f"({len(data)} of {self.n_bytes} bytes, wrong checksum); {_NEXT_STEP}"
            )
        return data

    def problem(self) -> str | None:
        """What is wrong with the file in one line, or None if it can be used."""
        try:
            self.read()
        except WeightsMissing as error:
            return str(error)
        return None


WEIGHTS = MappingProxyType(
    {
        "yunet": WeightFile(
            network="YuNet face detector",
            file_name="yunet_2023mar.npz",
            sha256="11d410efc468aeff253af1dccd92874eeacabad145abb460667d37e80600cb1f",
            n_bytes=126503,
            licence="MIT",
            origin="OpenCV Zoo, face_detection_yunet 2023mar (Wu, Peng and Yu, 2023)",
        ),
        "facemesh": WeightFile(
            network="FaceMesh landmarks",
            file_name="facemesh_mp.npz",
            sha256="9ff9561f690ba061940d67288c53d9d96b92c1b9db478c6805c3327973bade42",
            n_bytes=1135226,
            licence="Apache-2.0",
            origin="MediaPipe, face_landmark.tflite (Kartynnik et al., 2019)",
        ),
        "landmark_map": WeightFile(
            network="map from the 468 FaceMesh vertices to 68 landmarks",
            file_name="map68.json",
            sha256="d8ffb2a07d13250a5b1a55cdd7146d64b095ee3af0e68d196c8c25b28d0931b6",
            n_bytes=4096,
            licence="MIT",
            origin="fitted for FaceLab",
        ),
    }
)
"""Name -> file, for every network that comes with FaceLab."""


def load_arrays(name: str) -> dict[str, np.ndarray]:
    """The arrays of a weight file under the names of the graph they come from.

    Args:
        name: A key of WEIGHTS whose file is an `.npz`.

    Returns:
        Array name -> array; float arrays as float32.

    Raises:
        WeightsMissing: The file is absent or damaged.
    """
    with np.load(io.BytesIO(WEIGHTS[name].read()), allow_pickle=False) as archive:
        arrays = {key: archive[key] for key in archive.files}
    return {
        key: array.astype(np.float32) if array.dtype == np.float16 else array
        for key, array in arrays.items()
    }
