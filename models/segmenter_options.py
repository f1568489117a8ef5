"""Options that all segmenters share."""

from dataclasses import dataclass
from typing import ClassVar

from core.options import option
from models.options import BATCH_WORDS, TrainingOptions


@dataclass(frozen=True)
class SegmenterOptions(TrainingOptions):
    """How a segmenter is trained; those of its sizes are declared by each."""

    data: ClassVar[str] = "models.segmenter_data:SegmenterData"

    batch_size: int = option(
        4, low=1, high=512, words=BATCH_WORDS, ask=True,
        help="Faces per iteration, over all devices; more is steadier and needs more memory.")
    face_type: str = option(
        "wf", choices=("h", "mf", "f", "wf", "head"), ask=True,
        help="How much of the head the model sees: half, mid-full, full, whole face or head. "
        "Labelled faces must show at least as much.")
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
    filters: float = option(
        1.0, low=0.0, high=1.0,
        help="Share of the samples whose light, colours, sharpness and compression vary; fewer "
        "suit faces that all look alike, as those of one shot.")
    jaccard: float = option(
        0.0, low=0.0, high=10.0,
        help="Weight of one minus the overlap of mask and prediction beside the cross entropy; it "
        "counts faces that are mostly hidden as much as others.")
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
