"""Terms of the losses. A term knows no weight and returns (N,); everything is float32."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import tensorflow as tf

from leras.ops.image import blur_window, gaussian_blur, same_filter_matrix, separable_filter
from leras.ops.similarity import dssim
from leras.ops.statistics import channel_statistics
from models.networks.autoencoder import Decoded
from models.side import Side

TWO_SCALES_FROM = 256  # pixels; below, one window sees enough of a face
SIGMA_PER_TAP = 1.5 / 11  # as in the window of Wang et al., 2004


class Target(NamedTuple):
    """What one side's prediction should be.

    Args:
        face: (N, R, R, 3).
        mask: (N, R, R, 1).
        soft_mask: (N, R, R, 1), the weight of each pixel of the face; None: all count alike.
        eyes_mouth: (N, R, R, 1), 1 at the eyes and in the mouth; None where no term asks.
    """

    face: tf.Tensor
    mask: tf.Tensor
    soft_mask: tf.Tensor | None
    eyes_mouth: tf.Tensor | None = None


class Term(NamedTuple):
    """One line of a loss: weight * value(prediction, target)."""

    name: str
    weight: float
    value: Callable[[Decoded, Target], tf.Tensor]


class Window(NamedTuple):
    """A Gaussian window of the structural similarity."""

    size: int
    sigma: float


# -- targets --------------------------------------------------------------------------------------

def blur_inside(x: tf.Tensor, sigma: float) -> tf.Tensor:
    """(N, H, W, C) -> the same shape, blurred; weights that fall outside count for the rest.

    A plain blur takes the outside for black, so that masks fade and pictures darken at the border.
    """
    window = blur_window(sigma)
    matrices = (same_filter_matrix(window, n) for n in x.shape[1:3])
    rows, columns = (matrix / matrix.sum(1, keepdims=True) for matrix in matrices)
    return separable_filter(x, rows, columns)


def blurred_mask(mask: tf.Tensor) -> tf.Tensor:
    """Softens the edge on both sides, by a Gaussian of R / 32: the border trains a little less."""
    return blur_inside(mask, max(1, mask.shape[1] // 32))


def grown_mask(mask: tf.Tensor) -> tf.Tensor:
    """Softens the edge outwards only: 1 in the whole mask, then falling to 0 over R / 32 pixels."""
    return 2 * tf.clip_by_value(blurred_mask(mask), 0.0, 0.5)


def blur_out(face: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Replaces what lies outside of the mask by its own blur of R / 128, free of the face inside.

    Args:
        face: (N, R, R, 3).
        mask: (N, R, R, 1).

    Returns:
        (N, R, R, 3).
    """
    outside, sigma = 1 - mask, face.shape[1] / 128
    blurred = tf.math.divide_no_nan(blur_inside(face * outside, sigma), blur_inside(outside, sigma))
    return face * mask + blurred * outside


def make_target(sample: Mapping[str, tf.Tensor], *, blur_outside: bool, masked: bool) -> Target:
    """The target of one side.

    Args:
        sample: "target", "mask" and perhaps "eyes_mouth".
        blur_outside: Whether what lies outside of the mask is blurred.
        masked: Whether only the inside of the mask counts.
    """
    face, mask = sample["target"], sample["mask"]
    if blur_outside:
        face = blur_out(face, mask)
    return Target(face, mask, grown_mask(mask) if masked else None, sample.get("eyes_mouth"))


# -- reconstruction -------------------------------------------------------------------------------

def inside(face: tf.Tensor, target: Target) -> tf.Tensor:
    """What counts of a face, (N, R, R, 3)."""
    return face if target.soft_mask is None else face * target.soft_mask


def structure(prediction: Decoded, target: Target, *, windows: Sequence[Window]) -> tf.Tensor:
    """Structural dissimilarity inside the soft mask, mean over the windows; (N,)."""
    return dissimilarity(inside(prediction.face, target), inside(target.face, target), windows)


def dissimilarity(a: tf.Tensor, b: tf.Tensor, windows: Sequence[Window]) -> tf.Tensor:
    """(N, R, R, 3) pictures -> (N,), mean over windows and channels."""
    values = [dssim(a, b, filter_size=window.size, sigma=window.sigma) for window in windows]
    return tf.reduce_mean(tf.add_n(values), -1) / len(windows)


def square_error(prediction: Decoded, target: Target) -> tf.Tensor:
    """Mean squared error inside the soft mask; (N,)."""
    return mean_square(inside(prediction.face - target.face, target))


def eyes_mouth_error(prediction: Decoded, target: Target) -> tf.Tensor:
    """Mean absolute error at the eyes and the mouth; (N,)."""
    return tf.reduce_mean(tf.abs((prediction.face - target.face) * target.eyes_mouth), (1, 2, 3))


def mask_error(prediction: Decoded, target: Target) -> tf.Tensor:
    """Mean squared error of the predicted mask; (N,)."""
    return mean_square(prediction.mask - target.mask)


def mean_square(x: tf.Tensor) -> tf.Tensor:
    """(N, H, W, C) -> (N,)."""
    return tf.reduce_mean(tf.square(x), (1, 2, 3))


def ssim_windows(resolution: int, *, two_scales: bool, compat: bool = False) -> tuple[Window, ...]:
    """The windows of `structure`.

    One has R / 11.6 taps; a second, if wanted, has half of that. Two windows of one deviation, cut
    off at different places, see nearly the same; so it grows with the number of taps.

    Args:
        resolution: Side of the faces, R.
        two_scales: Whether there is a second window.
        compat: Both have a deviation of 1.5 all the same, as DeepFaceLab's.
    """
    if not two_scales:
        return (Window(int(resolution / 11.6), 1.5),)
    sizes = int(resolution / 11.6), int(resolution / 23.2)
    return tuple(Window(size, 1.5 if compat else size * SIGMA_PER_TAP) for size in sizes)


def reconstruction_terms(windows: Sequence[Window], *,
                         eyes_mouth: bool = False) -> tuple[Term, ...]:
    """What makes the loss of one side.

    Args:
        windows: From `ssim_windows`.
        eyes_mouth: Whether eyes and mouth count more.
    """
    structural = functools.partial(structure, windows=windows)
    terms = [Term("dssim", 10.0, structural), Term("mse", 10.0, square_error),
             Term("mask", 10.0, mask_error)]
    if eyes_mouth:
        terms.append(Term("eyes mouth", 300.0, eyes_mouth_error))
    return tuple(terms)


def weighted(terms: Sequence[Term], prediction: Decoded, target: Target) -> dict[str, tf.Tensor]:
    """Name -> weight * value, (N,) each."""
    return {term.name: term.weight * term.value(prediction, target) for term in terms}


def by_side(losses: Mapping[Side, Mapping[str, tf.Tensor]]) -> dict[str, tf.Tensor]:
    """The loss of each side, "src" and "dst", and then its terms, such as "src mse"; (N,) each."""
    sums = {side.value: tf.add_n(list(terms.values())) for side, terms in losses.items()}
    return sums | {f"{side.value} {name}": value for side, terms in losses.items()
                   for name, value in terms.items()}


# -- style ----------------------------------------------------------------------------------------

def style_distance(a: tf.Tensor, b: tf.Tensor, sigma: float) -> tf.Tensor:
    """How far the channels' means and deviations are apart, once blurred; (N,).

    Args:
        a, b: (N, R, R, C) pictures.
        sigma: Of the blur, which leaves colour and light and takes away detail.
    """
    of_a, of_b = (channel_statistics(gaussian_blur(x, sigma)) for x in (a, b))
    return tf.add_n([tf.reduce_mean(tf.square(one - other), -1)
                     for one, other in zip(of_a, of_b, strict=True)])


def face_style(swap: Decoded, dst: Decoded) -> tf.Tensor:
    """How much the swapped face differs from dst's in colour and light; (N,).

    Only the swap's face learns from it: neither do the masks, nor dst's reconstruction.
    """
    face = swap.face * tf.stop_gradient(swap.mask)
    return style_distance(face, tf.stop_gradient(dst.face * dst.mask), face.shape[1] // 8)


def behind(swap: Decoded, dst: Decoded) -> tf.Tensor:
    """(N, R, R, 1): 1 where neither the swapped nor dst's face is; no gradient.

    If masks learned from what lies behind them, they would grow to hide it.
    """
    return tf.stop_gradient(1 - grown_mask(swap.mask * dst.mask))


def background_style(swap: Decoded, dst: Decoded, dst_face: tf.Tensor,
                     windows: Sequence[Window]) -> tf.Tensor:
    """How much the swap differs from dst (N, R, R, 3) around the faces; (N,)."""
    where = behind(swap, dst)
    picture, wanted = swap.face * where, dst_face * where
    return dissimilarity(picture, wanted, windows[:1]) + mean_square(picture - wanted)


# -- beside adversaries ---------------------------------------------------------------------------

def outside_error(prediction: Decoded, target: Target) -> tf.Tensor:
    """Mean squared error outside of the soft mask; (N,)."""
    return mean_square((prediction.face - target.face) * (1 - target.soft_mask))
