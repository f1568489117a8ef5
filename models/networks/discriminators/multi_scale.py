"""Three critics that look at a face from three distances."""

import tensorflow as tf

from models.networks.discriminators.base import LogisticDiscriminator
from models.networks.discriminators.patch import PatchCritic

N_SCALES = 3


class MultiScaleDiscriminator(LogisticDiscriminator):
    """The same critic for the face at 1, 1/2 and 1/4 of its side (Wang et al., 2018, section 3.2).

    The patches have the same number of pixels at each scale, so the last critic sees four times as
    far: it judges the shape of the face, the first one skin and edges. The scales come from means
    of 2 x 2 pixels; the losses are logistic (the paper's are quadratic), so that their size is
    that of the other discriminators.

    Args: see `Discriminator`; each critic has `base_ch`.
    """

    def __init__(self, patch_size: int, base_ch: int, compute_dtype: tf.DType = tf.float32):
        super().__init__()
        self.critics = [PatchCritic(patch_size, base_ch, 1, compute_dtype)
                        for _ in range(N_SCALES)]

    def judge(self, faces: tf.Tensor) -> list[tf.Tensor]:
        """(N, R, R, 3) -> the logits of each scale's patches, (N, R', R', 1), finest first."""
        judgements = []
        for scale, critic in enumerate(self.critics):
            if scale:
                faces = tf.nn.avg_pool2d(faces, 2, 2, "SAME")
            judgements.append(critic(faces))
        return judgements
