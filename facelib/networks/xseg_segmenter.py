"""XSeg as a segmenter: with weights that the user imported, or those that come with FaceLab."""

import io
import json
from typing import Any

import numpy as np

from core.errors import WeightsMissing
from facelib.face_type import FaceType
from facelib.networks.batch_segmenter import BatchSegmenter
from facelib.networks.xseg import DENSE, XSeg
from facelib.user_weights import read_weights, user_path
from facelib.weights import WEIGHTS, source_of

NAME = "xseg"
_HEADER = "facelab.json"
_PREFIX = "xseg/"
_RELEASED = {"base": 32, "resolution": 256, "dense": DENSE}
"""Sizes of DeepFaceLab's XSeg, for weights that do not say theirs."""


class XSegSegmenter:
    """How segmenters are made of XSeg's weights."""

    @staticmethod
    def load(**options: Any) -> BatchSegmenter:
        """The user's imported XSeg, or else the starter.

        Args:
            options: Of `BatchSegmenter`.

        Raises:
            WeightsMissing: There are no weights, or they are damaged.
        """
        return _imported(options) if source_of(NAME) == "imported" else _starter(options)


def segmenter_of(state: dict[str, np.ndarray], *, base: int, resolution: int, dense: int,
                 face_type: str, origin: str, **options: Any) -> BatchSegmenter:
    """A segmenter with these weights.

    Args:
        state: Path in `XSeg` -> array.
        base, resolution, dense: Of the network.
        face_type: A name of a face type.
        origin: What it is, in a few words.
        options: Of `BatchSegmenter`.

    Raises:
        KeyError, ValueError: The weights are of another network.
    """
    network = XSeg(base, resolution, dense)
    network.load_state(state)
    return BatchSegmenter(network, resolution, FaceType.parse(face_type), origin, **options)


def _imported(options: dict[str, Any]) -> BatchSegmenter:
    path = user_path(NAME)
    weights = read_weights(path, str(path))
    try:
        sizes = {name: int(weights.about.get(name, size)) for name, size in _RELEASED.items()}
        return segmenter_of(weights.state, **sizes,
                            face_type=weights.about.get("face_type", "wf"),
                            origin=weights.about.get("origin", str(path)), **options)
    except (KeyError, ValueError) as error:
        raise WeightsMissing(f"{path}: these are not the weights of XSeg ({error}); run `models "
                             "import` or `xseg install` again") from error


def _starter(options: dict[str, Any]) -> BatchSegmenter:
    """The file is one of `models export-weights`, so that a training can start from it too."""
    data = WEIGHTS[NAME].read()
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    known = json.loads(arrays.pop(_HEADER).tobytes())["options"]
    state = {name.removeprefix(_PREFIX): array.astype(np.float32)
             for name, array in arrays.items()}
    return segmenter_of(state, base=known["base"], resolution=known["resolution"],
                        dense=known["dense"], face_type=known["face_type"],
                        origin="FaceLab's starter XSeg", **options)
