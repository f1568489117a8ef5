"""Options of XSeg."""

from dataclasses import dataclass
from typing import ClassVar

from core.options import option
from models.options import BATCH_WORDS, TrainingOptions


@dataclass(frozen=True)
class XSegOptions(TrainingOptions):
    """Defaults are those of DeepFaceLab's XSeg."""

    structural: ClassVar[tuple[str, ...]] = ("resolution", "face_type", "base", "dense")
    data: ClassVar[str] = "models.xseg.data:XSegData"

    batch_size: int = option(
        4, low=1, high=512, words=BATCH_WORDS, ask=True,
        help="Faces per iteration, over all devices; more is steadier and needs more memory.")
    resolution: int = option(
        256, low=64, high=512, multiple_of=64, ask=True,
        help="Side of the square that the model sees, in pixels.")
    face_type: str = option(
        "wf", choices=("h", "mf", "f", "wf", "head"), ask=True,
        help="How much of the head the model sees: half, mid-full, full, whole face or head. "
        "Labelled faces must show at least as much.")
    base: int = option(
        32, low=4, high=64, ask=True,
        help="Channels of the first level. 16 has a quarter of the weights and of the work.")
    dense: int = option(
        512, low=16, high=2048, help="Numbers that describe a face as a whole.")
    labels: str = option(
        "auto", choices=("auto", "drawn", "stored", "hull"),
        help="Which masks to learn: drawn ones if there are any, else stored ones (auto); or the "
        "hull of the landmarks, which knows nothing of hair and hands.")
    occluders: float = option(
        0.0, low=0.0, high=1.0,
        help="Share of the samples with drawn hands, glasses, hair and other things in front of "
        "the face.")
    background_mix: float = option(
        0.5, low=0.0, high=1.0,
        help="Share of the samples in front of the surroundings of another face.")
    pretrain: bool = option(
        False, ask=True,
        help="Learn to draw the faces of the pretraining folder in grey; a training on labels "
        "then starts from what all faces share.")
    learning_rate: float = option(
        1e-4, low=1e-7, high=1e-2, help="How far one iteration moves the weights.")
    optimizer: str = option(
        "rmsprop", choices=("rmsprop", "adabelief", "adam"), help="How gradients become steps.")
    lr_dropout: float = option(
        0.3, low=0.05, high=1.0,
        help="Share of the weights that one iteration moves, drawn anew each time; 1 moves all.")
