"""Options of FaceEnhancer."""

from dataclasses import dataclass
from typing import ClassVar

from core.options import option
from models.options import BATCH_WORDS, TrainingOptions


@dataclass(frozen=True)
class FaceEnhancerOptions(TrainingOptions):
    """How FaceEnhancer is trained on the faces of src.

    The released network has a width of 1; a quarter of it learns one person's face on a CPU.
    """

    structural: ClassVar[tuple[str, ...]] = ("patch", "width")
    data: ClassVar[str] = "models.face_enhancer.data:EnhancerData"

    batch_size: int = option(
        4, low=1, high=512, words=BATCH_WORDS, ask=True,
        help="Faces per iteration, over all devices; more is steadier and needs more memory.")
    patch: int = option(
        64, low=32, high=192, multiple_of=32, ask=True,
        help="Side of the small faces that it enlarges four times, in pixels; aligned faces should "
        "be four times as large or more.")
    width: float = option(
        0.25, low=0.0625, high=1.0, ask=True,
        help="Share of the channels of the released network; half of it has a quarter of the "
        "weights and of the work.")
    softness: float = option(
        0.5, low=0.0, high=1.0, ask=True,
        help="How soft, noisy and compressed the small faces are at most. Predictions are soft, so "
        "0 teaches it too little.")
    learning_rate: float = option(
        2e-4, low=1e-7, high=1e-2, help="How far one iteration moves the weights.")
