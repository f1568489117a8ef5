"""What stands beside a weight file of DeepFaceLab: the options of the model."""

from pathlib import Path

from core.errors import OptionError
from core.legacy_pickle import LegacyPickleError, loads
from facelib.face_type import FaceType

_XSEG_DATA = "XSeg_data.dat"


def xseg_face_type(weights: Path) -> str | None:
    """The crop that an XSeg was trained on, from the model's options beside its weights.

    Args:
        weights: Path of `XSeg_256.npy`.

    Returns:
        The short name of a face type; None where the options are not there or do not say.
    """
    try:
        data = loads((weights.parent / _XSEG_DATA).read_bytes(), _XSEG_DATA)
        return FaceType.parse(data["options"]["face_type"]).short
    except (OSError, LegacyPickleError, KeyError, TypeError, AttributeError, OptionError):
        return None
