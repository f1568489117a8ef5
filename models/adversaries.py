"""Discriminators of a model: building them, and what they say."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import tensorflow as tf

from core.errors import OptionError
from models.networks.discriminators.base import Discriminator
from models.networks.discriminators.registry import DISCRIMINATORS
from models.options import AdversarialOptions
from models.training_parts import GENERATOR

GAN, CODE_DISCRIMINATOR = "GAN", "code_discriminator"
LABELS = {GAN: "gan", CODE_DISCRIMINATOR: "true face"}  # in the log
SMALLEST_PATCH = 3


class Contest(NamedTuple):
    """What one discriminator has to tell apart.

    Args:
        power: Weight of the generator's side.
        pairs: (real, fake) of each side of the swap that is judged, (N, ...) each as `judge` takes
            them. Only what made the fakes learns from the generator's loss.
        share: Weight of the discriminator's own loss.
    """

    power: float
    pairs: Sequence[tuple[tf.Tensor, tf.Tensor]]
    share: float = 1.0


def patch_size(options: AdversarialOptions, resolution: int) -> int:
    """Pixels that one judgement sees.

    Raises:
        OptionError: No discriminator can have such a patch.
    """
    size = options.gan_patch_size or resolution // 8
    if not SMALLEST_PATCH <= size <= resolution:
        raise OptionError(
            f"a GAN patch of {size} pixels does not fit a face of {resolution}; use "
            f"--gan-patch-size {SMALLEST_PATCH} to {resolution}, or 0 for {resolution // 8}")
    return size


def build_gan(options: AdversarialOptions, patch: int, compute_dtype: tf.DType) -> Discriminator:
    """The discriminator of faces that the options name."""
    return DISCRIMINATORS.load(options.gan_discriminator)(patch, options.gan_dims, compute_dtype)


def hold_contests(adversaries: Mapping[str, Discriminator],
                  contests: Mapping[str, Contest]) -> tuple[dict[str, tf.Tensor],
                                                            dict[str, tf.Tensor]]:
    """Asks every discriminator once; its own gradient and the generator's share these answers.

    Args:
        adversaries: Name -> discriminator.
        contests: Name -> what it judges.

    Returns:
        Totals, (N,) each: for the generator what all discriminators together ask of it, and for
        each discriminator, by its name, how badly it did. And both for the log.
    """
    totals, reported = {}, {}
    for name, judge in adversaries.items():
        contest = contests[name]
        # Real and fake apart: the generator's gradient passes through the fakes only.
        of_real, of_fake = (judge.judge(tf.concat(faces, 0)) for faces in zip(*contest.pairs))
        asked = _over_sides(judge.generator_loss(of_fake, of_real), contest)
        totals[name] = contest.share * _over_sides(judge.discriminator_loss(of_real, of_fake),
                                                   contest)
        reported |= {LABELS[name]: asked, f"{LABELS[name]} discriminator": totals[name]}
        totals[GENERATOR] = totals.get(GENERATOR, 0.0) + contest.power * asked
    return totals, reported


def _over_sides(loss: tf.Tensor, contest: Contest) -> tf.Tensor:
    """(sides * N,) -> (N,): the sum over the sides."""
    return tf.add_n(tf.split(loss, len(contest.pairs)))
