"""Options that all models share."""

from dataclasses import dataclass
from typing import ClassVar

from core.options import option


@dataclass(frozen=True)
class TrainingOptions:
    """How a model is trained; options of its shape are declared by each model."""

    structural: ClassVar[tuple[str, ...]] = ("optimizer",)
    """Names of the options that fix what is saved: they cannot change after the first run."""

    batch_size: int = option(
        4, low=1, high=128, ask=True,
        help="Faces of each side per iteration; more is steadier and needs more memory.")
    target_iteration: int = option(
        0, low=0, ask=True, help="Stop after this many iterations; 0 trains until you stop it.")
    target_minutes: float = option(
        0.0, low=0, help="Stop after this much training time, over all runs; 0 is no limit.")
    random_src_flip: bool = option(
        False, ask=True, help="Mirror src faces at random; fills in missing poses.")
    random_dst_flip: bool = option(
        False, ask=True, help="Mirror dst faces at random.")
    save_minutes: float = option(
        10.0, low=0.1, help="Minutes between saved generations.")
    preview_seconds: float = option(
        60.0, low=1, help="Seconds between previews.")
    keep_generations: int = option(
        3, low=1, high=100, help="Saved generations that stay on disk.")
    learning_rate: float = option(
        2e-4, low=1e-7, high=1e-2, help="How far one iteration moves the weights.")
    optimizer: str = option(
        "rmsprop", choices=("rmsprop", "adabelief"), help="How gradients become steps.")
    lr_dropout: float = option(
        0.3, low=0.05, high=1.0,
        help="Share of the weights that one iteration moves, drawn anew each time; 1 moves all.")
    lr_decay: float = option(
        0.0, low=0.0, high=1.0,
        help="Share of the way to the target over which the learning rate falls to zero; needs "
        "a target iteration or target minutes.")
    seed: int = option(
        0, low=0, help="Fixes the first weights, the order of the faces and all chance.")
    xla: bool = option(
        True, help="Compile the step with XLA: a slower start, faster iterations.")
    workers: int = option(
        2, low=1, high=64, help="Threads that make samples.")
