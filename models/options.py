"""Options that models share. A model's options inherit the groups that it has."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

from core.options import option

T = TypeVar("T", bound="TrainingOptions")

AUTO = 0
BATCH_WORDS = MappingProxyType({"auto": AUTO})  # resolved before a model is built


RENAMED = MappingProxyType({"workers": "sample_threads"})  # old name -> the one of today


def with_new_names(saved: Mapping[str, Any]) -> dict[str, Any]:
    """Saved options under the names that they have today."""
    return {RENAMED.get(name, name): value for name, value in saved.items()}


@dataclass(frozen=True)
class TrainingOptions:
    """How any model is trained; options of its shape are declared by each model."""

    structural: ClassVar[tuple[str, ...]] = ()
    """Names of the options that fix what is saved: they cannot change after the first run."""
    data: ClassVar[str] = "models.swap_data:SwapData"
    """Address of the `models.training_data.TrainingData` that the model trains on."""

    batch_size: int = option(
        4, low=1, high=512, words=BATCH_WORDS, ask=True,
        help="Faces of each side per iteration, over all devices; more is steadier and needs more "
        "memory. auto takes what fits.")
    target_iteration: int = option(
        0, low=0, ask=True, help="Stop after this many iterations; 0 trains until you stop it.")
    target_minutes: float = option(
        0.0, low=0, help="Stop after this much training time, over all runs; 0 is no limit.")
    save_minutes: float = option(
        10.0, low=0.0, help="Minutes between saved generations; 0 saves after every iteration.")
    autobackup_hours: int = option(
        0, low=0, high=24, help="Hours between backups that stay beside the model; 0 makes none.")
    preview_seconds: float = option(
        60.0, low=1, help="Seconds between previews.")
    write_preview_history: bool = option(
        False, help="Keep pictures of the previews by iteration, to see how they grew.")
    preview_history_iterations: int = option(
        100, low=1, help="Iterations between the pictures of the preview history.")
    keep_generations: int = option(
        3, low=1, high=100, help="Saved generations that stay on disk.")
    learning_rate: float = option(
        5e-5, low=1e-7, high=1e-2, help="How far one iteration moves the weights.")
    optimizer: str = option(
        "adabelief", choices=("rmsprop", "adabelief", "adam"), help="How gradients become steps.")
    adabelief_compat: bool = option(
        False, help="Let AdaBelief do without bias correction, as models of DeepFaceLab expect.")
    lr_dropout: float = option(
        1.0, low=0.05, high=1.0,
        help="Share of the weights that one iteration moves, drawn anew each time; 1 moves all. "
        "0.3, late in a training, brings out detail.")
    lr_cosine_period: int = option(
        0, low=0, help="Iterations in which the learning rate falls to zero and rises again; 0 is "
        "off, 500 is usual together with lr_dropout.")
    lr_decay: float = option(
        0.0, low=0.0, high=1.0,
        help="Share of the way to the target over which the learning rate falls to zero; needs "
        "a target iteration or target minutes.")
    clip_gradients: float = option(
        0.0, low=0, high=100,
        help="Longest gradient; longer ones are shortened to it. 0 is off, 1 is usual against "
        "collapse.")
    accumulate: int = option(
        1, low=1, high=64,
        help="Equal parts of the batch that pass through the networks one after the other; more "
        "need less memory.")
    precision: str = option(
        "float32", choices=("float32", "float16", "bfloat16"),
        help="Numbers inside the networks; half precision is for GPUs that are faster with it.")
    recompute: bool = option(
        False, help="Compute activations again instead of keeping them: a third more time, much "
        "less memory.")
    guard: bool = option(
        True, help="Skip iterations whose loss leaps up, lower the rate if that happens often, and "
        "go back to the last saved model if nothing else helps.")
    guard_limit: float = option(
        4.0, low=1.2, high=1000.0,
        help="How many times its recent level a loss may reach before the guard skips the "
        "iteration; lower is stricter.")
    seed: int = option(
        0, low=0, help="Fixes the first weights, the order of the faces and all chance.")
    xla: bool = option(
        True, help="Compile the step with XLA: a slower start, faster iterations.")
    sample_threads: int = option(
        2, low=1, high=64, help="Threads that make samples.")


@dataclass(frozen=True)
class SwapOptions(TrainingOptions):
    """What all models have that train on two sides."""

    random_src_flip: bool = option(
        False, ask=True, help="Mirror src faces at random; fills in missing poses.")
    random_dst_flip: bool = option(
        False, ask=True, help="Mirror dst faces at random.")


@dataclass(frozen=True)
class AugmentationOptions(SwapOptions):
    """How samples are varied, for models that leave it to the user."""

    uniform_yaw: bool = option(
        False, ask=True, help="Show faces of all yaws equally often; helps rare side views.")
    random_warp: bool = option(
        True, ask=True,
        help="Distort the model's input at random; switch it off late, for sharper faces.")
    random_hsv_power: float = option(
        0.0, low=0, high=0.3, ask=True,
        help="How far hue, saturation and light of the model's input are shifted at random; 0.05 "
        "is usual.")
    ct_mode: str = option(
        "none", choices=("none", "rct", "lct", "mkl", "idt", "sot"), ask=True,
        help="Colour transfer from random dst faces to src faces before training on them.")


@dataclass(frozen=True)
class AdversarialOptions(TrainingOptions):
    """A discriminator that judges faces."""

    gan_power: float = option(
        0.0, low=0, high=5, ask=True,
        help="Weight of a discriminator that asks for fine detail; only late in a training, 0.1 "
        "is usual. 0 is off.")
    gan_patch_size: int = option(
        0, low=0, high=640, ask=True, when=lambda options: options.gan_power > 0,
        help="Pixels of the face that one judgement sees; 0 is an eighth of the resolution.")
    gan_dims: int = option(
        16, low=4, high=512, ask=True, when=lambda options: options.gan_power > 0,
        help="Width of the discriminator.")
    gan_discriminator: str = option(
        "unet", choices=("unet", "multi-scale", "realness"),
        help="Kind of discriminator: judges pixels and patches, three scales, or how real a patch "
        "may be.")


@dataclass(frozen=True)
class PretrainingOptions(TrainingOptions):
    """Training on many people before the two of a swap."""

    pretrain: bool = option(
        False, ask=True,
        help="Train both sides on the faces of the pretraining folder; a training on src and dst "
        "then starts from what all faces share.")


PRETRAINING = MappingProxyType({
    "random_warp": False, "random_src_flip": True, "random_dst_flip": True,
    "random_hsv_power": 0.0, "uniform_yaw": True, "ct_mode": "none", "lr_dropout": 1.0,
    "lr_cosine_period": 0, "gan_power": 0.0, "true_face_power": 0.0, "face_style_power": 0.0,
    "bg_style_power": 0.0,
})
"""What options are while pretraining, whatever the user chose."""


def effective(options: T) -> T:
    """What training really uses: pretraining switches the finishing tools off."""
    if not getattr(options, "pretrain", False):
        return options
    known = {field.name for field in dataclasses.fields(options)}
    return dataclasses.replace(
        options, **{name: value for name, value in PRETRAINING.items() if name in known})
