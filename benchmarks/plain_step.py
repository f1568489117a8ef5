"""The plain graph step that stands in for the reference program on this machine.

One `tf.function` without XLA: both sides run through the shared networks one after the other,
DSSIM and blur are depthwise convolutions with square windows, gradients are those of the summed
loss, and every variable gets an RMSprop update with a mask of float16 random numbers. The same
networks with the same weights as the real step, so only the way of computing differs.
"""

import numpy as np
import tensorflow as tf

from leras.ops.image import blur_window, gaussian_window
from models.networks.df import DF

Tensors = list[tf.Tensor]


def plain_step(network: DF, *, learning_rate: float, dropout: float):
    """Returns a `tf.function` of (input, face, mask) of src, then of dst, giving both losses."""
    variables = [variable for _, variable in network.named_variables()]
    averages = [tf.Variable(tf.zeros_like(variable)) for variable in variables]

    @tf.function(autograph=False)
    def step(*tensors):
        with tf.GradientTape() as tape:
            losses = [_side_loss(network, decoder, *tensors[start:start + 3]) for start, decoder in
                      ((0, network.decoder_src), (3, network.decoder_dst))]
        gradients = tape.gradient(losses, variables)
        for variable, average, gradient in zip(variables, averages, gradients, strict=True):
            average.assign(0.9 * average + 0.1 * gradient**2)
            mask = tf.random.uniform(variable.shape, dtype=tf.float16) < dropout
            update = learning_rate * gradient / (tf.sqrt(average) + 1e-6)
            variable.assign_sub(update * tf.cast(mask, tf.float32))
        return [tf.reduce_mean(loss) for loss in losses]

    return step


def _side_loss(network: DF, decoder, source, face, mask) -> tf.Tensor:
    """(N,) loss of one side."""
    prediction, predicted_mask = decoder(network.code(source))
    side = face.shape[1]
    soft = _depthwise(mask, blur_window(max(1, side // 32)), "SAME")
    window = gaussian_window(int(side / 11.6), 1.5)
    dissimilarity = tf.reduce_mean(_dssim(face * soft, prediction * soft, window), -1)
    error = tf.reduce_mean(((face - prediction) * soft)**2, (1, 2, 3))
    mask_error = tf.reduce_mean((mask - predicted_mask)**2, (1, 2, 3))
    return 10 * dissimilarity + 10 * error + 10 * mask_error


def _dssim(a, b, window: np.ndarray) -> tf.Tensor:
    mean_a, mean_b, mean_ab, mean_squares = (
        _depthwise(x, window, "VALID") for x in (a, b, a * b, a**2 + b**2))
    luminance = (2 * mean_a * mean_b + 1e-4) / (mean_a**2 + mean_b**2 + 1e-4)
    structure = (2 * (mean_ab - mean_a * mean_b) + 9e-4) / (
        mean_squares - mean_a**2 - mean_b**2 + 9e-4)
    return (1 - tf.reduce_mean(luminance * structure, (1, 2))) / 2


def _depthwise(x, window: np.ndarray, padding: str) -> tf.Tensor:
    kernel = np.repeat(np.outer(window, window)[:, :, None, None], x.shape[-1], 2)
    return tf.nn.depthwise_conv2d(x, kernel.astype(np.float32), [1, 1, 1, 1], padding)
