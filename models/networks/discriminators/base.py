"""What every discriminator offers, and the losses of those that answer real or fake."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import tensorflow as tf

from leras.module import Module


class Discriminator(Module, ABC):
    """Judges whether faces are real.

    Subclasses in `DISCRIMINATORS` are built as (patch_size, base_ch, compute_dtype): the receptive
    field of one judgement in pixels, the channels of the first map, and the convolutions' dtype.
    """

    @abstractmethod
    def judge(self, faces: tf.Tensor) -> list[tf.Tensor]:
        """(N, R, R, 3) faces in [0, 1] -> float32 tensors (N, H, W, K): what the losses read."""

    @abstractmethod
    def generator_loss(self, fake: Sequence[tf.Tensor], real: Sequence[tf.Tensor]) -> tf.Tensor:
        """How far the generator is from passing: (N,) float32.

        Args:
            fake: What `judge` says of the generator's faces.
            real: What it says of the faces they should be; not every loss looks at it.
        """

    @abstractmethod
    def discriminator_loss(self, real: Sequence[tf.Tensor],
                           fake: Sequence[tf.Tensor]) -> tf.Tensor:
        """How badly the discriminator tells them apart: (N,) float32."""


class LogisticDiscriminator(Discriminator):
    """A discriminator whose judgements are logits; real is 1 (Goodfellow et al., 2014).

    The losses of several judgements of one face are added.
    """

    def generator_loss(self, fake: Sequence[tf.Tensor], real: Sequence[tf.Tensor]) -> tf.Tensor:
        """The non-saturating loss: cross entropy between the judgement and 1; ignores `real`."""
        return tf.add_n([mean_per_sample(tf.nn.softplus(-logits)) for logits in fake])

    def discriminator_loss(self, real: Sequence[tf.Tensor],
                           fake: Sequence[tf.Tensor]) -> tf.Tensor:
        """Half the cross entropy of real with 1 and of fake with 0."""
        return tf.add_n([
            0.5 * mean_per_sample(tf.nn.softplus(-of_real) + tf.nn.softplus(of_fake))
            for of_real, of_fake in zip(real, fake, strict=True)])


def mean_per_sample(x: tf.Tensor) -> tf.Tensor:
    """(N, ...) -> (N,)."""
    return tf.reduce_mean(x, tuple(range(1, x.shape.rank)))
