"""Options of XSeg."""

from dataclasses import dataclass
from typing import ClassVar

from core.options import option
from models.segmenter_options import SegmenterOptions


@dataclass(frozen=True)
class XSegOptions(SegmenterOptions):
    """Defaults are those of DeepFaceLab's XSeg."""

    structural: ClassVar[tuple[str, ...]] = ("resolution", "face_type", "base", "dense")

    resolution: int = option(
        256, low=64, high=512, multiple_of=64, ask=True,
        help="Side of the square that the model sees, in pixels.")
    base: int = option(
        32, low=4, high=64, ask=True,
        help="Channels of the first level. 16 has a quarter of the weights and of the work.")
    dense: int = option(
        512, low=16, high=2048, help="Numbers that describe a face as a whole.")
