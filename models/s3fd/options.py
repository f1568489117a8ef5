"""Options of the training of S3FD."""

from dataclasses import dataclass
from typing import ClassVar

from core.options import option
from models.options import TrainingOptions


@dataclass(frozen=True)
class S3FDOptions(TrainingOptions):
    """The defaults train a small network on a CPU within an hour."""

    data: ClassVar[str] = "models.s3fd.data:S3FDData"
    structural: ClassVar[tuple[str, ...]] = ("width",)

    width: float = option(
        0.1875, low=0.125, high=1.0, ask=True,
        help="Share of the channels of the released network; 1 is that network.")
    scene_side: int = option(
        192, low=128, high=640, multiple_of=32,
        help="Side of the pictures that the network learns from, in pixels.")
    batch_size: int = option(
        8, low=1, high=512, ask=True, help="Pictures per iteration, over all devices.")
    learning_rate: float = option(
        5e-4, low=1e-7, high=1e-2, help="How far one iteration moves the weights.")
    optimizer: str = option(
        "adam", choices=("rmsprop", "adabelief", "adam"), help="How gradients become steps.")
    clip_gradients: float = option(
        10.0, low=0, high=100,
        help="Longest gradient; longer ones are shortened to it. 0 is off.")
    guard_limit: float = option(
        20.0, low=1.2, high=1000.0,
        help="How many times its recent level a loss may reach before the guard skips the "
        "iteration; lower is stricter.")
