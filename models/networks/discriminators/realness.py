"""A discriminator that answers with a distribution instead of yes or no."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from models.networks.discriminators.base import Discriminator, mean_per_sample
from models.networks.discriminators.patch import PatchCritic

N_OUTCOMES = 51
ANCHOR_MEAN, ANCHOR_SPREAD = 0.5, 0.5  # of the real anchor; outcomes lie in [-1, 1]


def anchor(mean: float, n_outcomes: int = N_OUTCOMES) -> np.ndarray:
    """(n_outcomes,) float32 probabilities: a normal distribution on equally spaced outcomes.

    The paper leaves the anchors free but for their distance. These two are mirror images that
    overlap, so no outcome has a probability near zero, under which the losses would explode.
    """
    outcomes = np.linspace(-1, 1, n_outcomes)
    weight = np.exp(-(outcomes - mean)**2 / (2 * ANCHOR_SPREAD**2))
    return np.float32(weight / weight.sum())


class RealnessDiscriminator(Discriminator):
    """RealnessGAN (Xiangli et al., 2020): every patch has a distribution of how real it may be.

    The discriminator pulls the distributions of real faces to one anchor and of fake ones to
    another. The generator pulls those of its faces away from the fake anchor and towards those of
    the real faces. Patches are paired by place: a fake face is here the prediction of the real one.

    Args: see `Discriminator`.
    """

    def __init__(self, patch_size: int, base_ch: int, compute_dtype: tf.DType = tf.float32):
        super().__init__()
        self.critic = PatchCritic(patch_size, base_ch, N_OUTCOMES, compute_dtype)
        self._real_anchor, self._fake_anchor = anchor(ANCHOR_MEAN), anchor(-ANCHOR_MEAN)

    def judge(self, faces: tf.Tensor) -> list[tf.Tensor]:
        """(N, R, R, 3) -> one tensor of log probabilities (N, R', R', N_OUTCOMES)."""
        return [tf.nn.log_softmax(self.critic(faces))]

    def generator_loss(self, fake: Sequence[tf.Tensor], real: Sequence[tf.Tensor]) -> tf.Tensor:
        """KL(real || fake) - KL(fake anchor || fake), mean over the patches."""
        towards = divergence(tf.exp(real[0]), real[0], fake[0])
        return mean_per_sample(towards - from_anchor(self._fake_anchor, fake[0]))

    def discriminator_loss(self, real: Sequence[tf.Tensor],
                           fake: Sequence[tf.Tensor]) -> tf.Tensor:
        """KL(real anchor || real) + KL(fake anchor || fake), mean over the patches."""
        return mean_per_sample(from_anchor(self._real_anchor, real[0])
                               + from_anchor(self._fake_anchor, fake[0]))


def divergence(p: tf.Tensor, log_p: tf.Tensor, log_q: tf.Tensor) -> tf.Tensor:
    """Kullback-Leibler divergence KL(p || q) over the last axis: (..., K) -> (...)."""
    return tf.reduce_sum(p * (log_p - log_q), -1)


def from_anchor(probabilities: np.ndarray, log_q: tf.Tensor) -> tf.Tensor:
    """KL(anchor || q): (K,) and (..., K) -> (...)."""
    return divergence(tf.constant(probabilities), tf.constant(np.log(probabilities)), log_q)
