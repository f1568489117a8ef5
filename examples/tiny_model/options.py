"""Options of the tiny model: each is a flag, a key of TOML files and a question."""

from dataclasses import dataclass
from typing import ClassVar

from core.options import option
from models.options import AugmentationOptions


@dataclass(frozen=True)
class TinyOptions(AugmentationOptions):
    """What all models have (batch size, learning rate, ...), how samples vary, and these."""

    # What fixes the shapes of the weights cannot change once a model is saved.
    structural: ClassVar[tuple[str, ...]] = ("resolution", "face_type", "width", "code_length")

    resolution: int = option(
        64, low=32, high=256, multiple_of=16, ask=True,
        help="Side of the square that the model sees, in pixels.")
    face_type: str = option(
        "f", choices=("h", "mf", "f", "wf", "head"), help="How much of the head is swapped.")
    width: int = option(16, low=4, high=256, ask=True, help="Channels of the first layer.")
    code_length: int = option(64, low=8, high=1024, help="Numbers that describe a face.")
    learning_rate: float = option(
        1e-3, low=1e-7, high=1e-1, help="How far one iteration moves the weights.")
