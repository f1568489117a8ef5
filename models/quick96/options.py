"""Options of Quick96."""

from dataclasses import dataclass
from typing import ClassVar

from core.options import option
from models.options import SwapOptions


@dataclass(frozen=True)
class Quick96Options(SwapOptions):
    """The defaults are Quick96 itself; smaller shapes train on a CPU within minutes."""

    structural: ClassVar[tuple[str, ...]] = (
        "resolution", "face_type", "ae_dims", "e_dims", "d_dims", "d_mask_dims")

    resolution: int = option(
        96, low=64, high=640, multiple_of=32, ask=True,
        help="Side of the square that the model sees, in pixels.")
    face_type: str = option(
        "f", choices=("h", "mf", "f", "wf", "head"), ask=True,
        help="How much of the head is swapped: half, mid-full, full, whole face or head.")
    ae_dims: int = option(
        128, low=32, high=1024, help="Width of the bottleneck that both sides share.")
    e_dims: int = option(
        64, low=16, high=256, multiple_of=2, help="Width of the encoder.")
    d_dims: int = option(
        64, low=16, high=256, multiple_of=2, help="Width of the decoders.")
    d_mask_dims: int = option(
        16, low=4, high=256, multiple_of=2, help="Width of the decoders' mask branch.")
    learning_rate: float = option(
        2e-4, low=1e-7, high=1e-2, help="How far one iteration moves the weights.")
    optimizer: str = option(
        "rmsprop", choices=("rmsprop", "adabelief", "adam"), help="How gradients become steps.")
    lr_dropout: float = option(
        0.3, low=0.05, high=1.0,
        help="Share of the weights that one iteration moves, drawn anew each time; 1 moves all.")
