"""The DF autoencoder and its loss in plain NumPy, from the section 2 of the training specification.

Weights are {path: array} under the names that files of this field use. Every function also takes
complex weights or pictures, so that `tests.leras.reference.gradient` can differentiate it.
"""

import numpy as np

from tests.leras import reference as ref


def below(weights, name):
    """The weights of one sub-network, without its name."""
    return {path.removeprefix(f"{name}/"): value for path, value in weights.items()
            if path.startswith(f"{name}/")}


def conv(x, weights, name, **known):
    return ref.conv2d(x, weights[f"{name}/weight"], weights[f"{name}/bias"], **known)


def upscale(x, weights, name):
    return ref.depth_to_space(ref.leaky_relu(conv(x, weights, f"{name}/conv1"), 0.1), 2)


def residual(x, weights, name):
    y = ref.leaky_relu(conv(x, weights, f"{name}/conv1"), 0.2)
    return ref.leaky_relu(x + conv(y, weights, f"{name}/conv2"), 0.2)


def encoder(x, weights, options):
    for stage in range(4):
        x = ref.leaky_relu(conv(x, weights, f"down1/downs_{stage}/conv1", stride=2), 0.1)
    flat = x.reshape(len(x), -1)
    return ref.pixel_norm(flat, -1) if "u" in options else flat


def inter(code, weights, side):
    code = ref.dense(code, weights["dense1/weight"], weights["dense1/bias"])
    code = ref.dense(code, weights["dense2/weight"], weights["dense2/bias"])
    return upscale(code.reshape(len(code), side, side, -1), weights, "upscale1")


def decoder_face(x, weights, options):
    for stage in range(3):
        x = residual(upscale(x, weights, f"upscale{stage}"), weights, f"res{stage}")
    if "d" not in options:
        return ref.sigmoid(conv(x, weights, "out_conv"))
    # Convolution j fills the sub-pixel (j // 2, j % 2).
    heads = [conv(x, weights, name)
             for name in ("out_conv", "out_conv1", "out_conv2", "out_conv3")]
    n, height, width, _ = x.shape
    # The weights of one head may be complex.
    face = np.zeros((n, 2 * height, 2 * width, 3), np.result_type(*heads))
    for j, head in enumerate(heads):
        face[:, j // 2::2, j % 2::2] = head
    return ref.sigmoid(face)


def decoder_mask(x, weights, options):
    for stage in range(4 if "d" in options else 3):
        x = upscale(x, weights, f"upscalem{stage}")
    return ref.sigmoid(conv(x, weights, "out_convm"))


def side_loss(face, mask, target_face, target_mask):
    """10 DSSIM + 10 MSE inside the blurred mask + 10 MSE of the mask; (N,)."""
    resolution = face.shape[1]
    soft = ref.gaussian_blur(target_mask, max(1, resolution // 32))
    similarity = ref.dssim(target_face * soft, face * soft, filter_size=int(resolution / 11.6))
    return (10 * similarity.mean(-1) + 10 * ((target_face * soft - face * soft)**2).mean((1, 2, 3))
            + 10 * ((target_mask - mask)**2).mean((1, 2, 3)))


def side_of_map(resolution, options):
    return resolution // 32 if "d" in options else resolution // 16


def reconstruct(picture, weights, decoder, resolution, options):
    """(face, mask) of one side; `decoder` is the name of its network."""
    code = inter(encoder(picture, below(weights, "encoder"), options), below(weights, "inter"),
                 side_of_map(resolution, options))
    return (decoder_face(code, below(weights, decoder), options),
            decoder_mask(code, below(weights, decoder), options))


def total_loss(weights, batches, resolution, options):
    """Mean over the samples of both sides' losses added; `batches`: side -> input, face, mask."""
    losses = []
    for side, (picture, face, mask) in batches.items():
        prediction = reconstruct(picture, weights, f"decoder_{side}", resolution, options)
        losses.append(side_loss(*prediction, face, mask))
    return np.mean(sum(losses))
