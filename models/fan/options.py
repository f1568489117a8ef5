"""Options of the training of FAN."""

from dataclasses import dataclass
from typing import ClassVar

from core.options import option
from facelib.fan_sizes import N_STACKS
from models.options import TrainingOptions


@dataclass(frozen=True)
class FANOptions(TrainingOptions):
    """The defaults train a small network on a CPU within an hour."""

    data: ClassVar[str] = "models.fan.data:FANData"
    structural: ClassVar[tuple[str, ...]] = ("width", "n_stacks")

    width: float = option(
        0.25, low=0.125, high=1.0, ask=True,
        help="Share of the channels of the released network; 1 is that network.")
    n_stacks: int = option(
        2, low=1, high=N_STACKS, ask=True, help="Hourglasses, one behind the other.")
    batch_size: int = option(
        8, low=1, high=512, ask=True, help="Faces per iteration, over all devices.")
    learning_rate: float = option(
        1e-3, low=1e-7, high=1e-2, help="How far one iteration moves the weights.")
    optimizer: str = option(
        "adam", choices=("rmsprop", "adabelief", "adam"), help="How gradients become steps.")
