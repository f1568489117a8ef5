"""Options of TernausNet."""

from dataclasses import dataclass
from typing import ClassVar

from core.options import option
from models.segmenter_options import SegmenterOptions


@dataclass(frozen=True)
class TernausNetOptions(SegmenterOptions):
    """Those of its size; the way down is VGG11's."""

    structural: ClassVar[tuple[str, ...]] = ("resolution", "face_type", "base")

    resolution: int = option(
        256, low=64, high=512, multiple_of=32, ask=True,
        help="Side of the square that the model sees, in pixels.")
    base: int = option(
        32, low=2, high=64, ask=True, help="Channels of the last level of the way up.")
