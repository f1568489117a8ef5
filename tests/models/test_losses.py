"""Every term of the losses, and its gradient, against PyTorch in float64."""

import numpy as np
import pytest
import tensorflow as tf
import torch

from leras.graph import compile
from leras.ops.statistics import total_variation
from models import losses
from models.losses import Target, Window
from models.networks.autoencoder import Decoded
from models.side import Side
from tests.leras import reference as ref
from tests.models import loss_reference as expected

SMALL = losses.ssim_windows(64, two_scales=False)


def pictures(resolution=64, n=2, seed=0):
    """Smooth noise: a face, a mask, what they should be, and eyes and mouth; masks have soft and
    hard edges, and touch the border of the picture."""
    rng = np.random.default_rng(seed)
    face, target = rng.random((2, n, resolution, resolution, 3))
    mask, eyes = rng.random((2, n, resolution, resolution, 1))
    hard = np.zeros_like(mask)
    hard[:, resolution // 3:, resolution // 5:resolution // 2] = 1
    return [np.float32(array) for array in (face, mask, target, hard, eyes)]


def of_ours(function, arrays, jit=False):
    """Value (N,), and the gradient of its sum by every array."""
    def run(*tensors):
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = function(*tensors)
        return value, tape.gradient(value, tensors, unconnected_gradients="zero")

    specs = [tf.TensorSpec(array.shape, tf.float32) for array in arrays]
    return compile(run, *specs, jit=jit)(*arrays)


def of_torch(function, arrays):
    tensors = [torch.tensor(array, dtype=torch.float64, requires_grad=True) for array in arrays]
    value = function(*tensors)
    gradients = torch.autograd.grad(value.sum(), tensors, allow_unused=True)
    return value.detach().numpy(), [np.zeros(array.shape) if gradient is None else gradient.numpy()
                                    for gradient, array in zip(gradients, arrays)]


def assert_same(ours, reference, arrays, jit=False):
    value, gradients = of_ours(ours, arrays, jit)
    wanted, wanted_gradients = of_torch(reference, arrays)
    assert value.shape == wanted.shape and value.dtype == np.float32
    assert np.abs(wanted).min() > 1e-7, "a term of nothing compares nothing"
    np.testing.assert_allclose(value, wanted, rtol=1e-4)
    assert any(np.any(gradient) for gradient in wanted_gradients)
    for gradient, other in zip(gradients, wanted_gradients, strict=True):
        np.testing.assert_allclose(gradient, other, rtol=1e-4, atol=1e-4 * np.abs(other).max())


def pairs(windows):
    return [tuple(window) for window in windows]


# -- targets --------------------------------------------------------------------------------------

@pytest.mark.parametrize("resolution", [20, 64, 96])
@pytest.mark.parametrize("name", ["blurred_mask", "grown_mask"])
def test_masks_are_softened_as_the_reference(name, resolution):
    _, mask, _, hard, _ = pictures(resolution)
    for array in (mask, hard):
        soft = compile(getattr(losses, name), tf.TensorSpec(array.shape))(array)
        wanted = getattr(expected, name)(torch.tensor(array, dtype=torch.float64)).numpy()
        np.testing.assert_allclose(soft, wanted, atol=1e-5)
        assert 0 <= soft.min() and soft.max() <= 1 + 1e-5


def test_the_blurred_mask_is_one_deep_inside_half_at_a_straight_edge_and_whole_at_the_border():
    mask = np.zeros((1, 64, 64, 1), np.float32)
    mask[:, :, :32] = 1
    for soften, at_edge in ((losses.blurred_mask, 0.5), (losses.grown_mask, 0.9)):
        soft = soften(tf.constant(mask)).numpy()[0, :, :, 0]
        assert soft[32, 20] == pytest.approx(1, abs=1e-5) and soft[32, 44] == 0
        assert (soft[32, 31] + soft[32, 32]) / 2 == pytest.approx(at_edge, abs=0.1)
        np.testing.assert_allclose(soft[:, :20], 1, atol=1e-5)  # also where the picture ends


def test_the_grown_mask_covers_the_mask_and_ends_within_a_few_pixels():
    """Except at sharp corners, where less than half of what the blur sees is mask."""
    _, _, _, hard, _ = pictures(64)
    soft = losses.grown_mask(tf.constant(hard)).numpy()
    straight = np.zeros(hard.shape, bool)
    straight[:, 26:, 14:30] = True
    np.testing.assert_allclose(soft[straight], 1, atol=1e-5)
    assert np.all(soft[:, :15] == 0)


@pytest.mark.parametrize("resolution", [64, 160])
def test_what_is_blurred_out_equals_the_reference(resolution):
    face, mask, _, hard, _ = pictures(resolution)
    assert_same(losses.blur_out, expected.blur_out, [face, mask])
    blurred = losses.blur_out(tf.constant(face), tf.constant(hard)).numpy()
    inside = np.broadcast_to(hard == 1, face.shape)
    np.testing.assert_array_equal(blurred[inside], face[inside])
    assert np.abs(blurred - face)[~inside].mean() > 0.01


def test_blurring_out_takes_no_colour_from_inside_and_no_black_from_the_border():
    face = np.full((1, 128, 128, 3), 0.75, np.float32)
    mask = np.zeros((1, 128, 128, 1), np.float32)
    mask[:, 40:90, 40:90] = 1
    face[:, 40:90, 40:90] = 0.1
    blurred = losses.blur_out(tf.constant(face), tf.constant(mask)).numpy()
    np.testing.assert_allclose(blurred, face, atol=1e-6)


def test_masked_and_unmasked_targets():
    face, mask, _, hard, eyes = (tf.constant(array) for array in pictures())
    sample = {"target": face, "mask": hard, "eyes_mouth": eyes}
    plain = losses.make_target(sample, blur_outside=False, masked=False)
    assert plain.soft_mask is None and plain.face is face and plain.eyes_mouth is eyes
    assert losses.inside(face, plain) is face
    masked = losses.make_target(sample, blur_outside=True, masked=True)
    np.testing.assert_array_equal(masked.soft_mask, losses.grown_mask(hard))
    np.testing.assert_array_equal(masked.face, losses.blur_out(face, hard))
    assert losses.make_target({"target": face, "mask": hard}, blur_outside=False,
                              masked=True).eyes_mouth is None


# -- windows --------------------------------------------------------------------------------------

@pytest.mark.parametrize("resolution, sizes", [
    (64, (5, 2)), (96, (8, 4)), (128, (11, 5)), (192, (16, 8)), (224, (19, 9)), (256, (22, 11)),
    (320, (27, 13)), (384, (33, 16)), (512, (44, 22)), (640, (55, 27))])
def test_windows_have_the_sizes_of_the_specification(resolution, sizes):
    one = losses.ssim_windows(resolution, two_scales=False)
    assert one == (Window(sizes[0], 1.5),)
    compat = losses.ssim_windows(resolution, two_scales=True, compat=True)
    assert compat == (Window(sizes[0], 1.5), Window(sizes[1], 1.5))


def test_two_scales_see_differently_far():
    """At 256 pixels the smaller window is the one of the paper: 11 taps, a deviation of 1.5."""
    wide, narrow = losses.ssim_windows(256, two_scales=True)
    assert narrow == Window(11, 1.5) and wide == Window(22, 3.0)


# -- terms of one side ----------------------------------------------------------------------------

def ours_of(name, windows=SMALL, masked=True):
    def value(face, mask, target_face, target_mask, eyes):
        target = Target(target_face, target_mask,
                        losses.grown_mask(target_mask) if masked else None, eyes)
        terms = losses.reconstruction_terms(windows, eyes_mouth=True)
        return losses.weighted(terms, Decoded(face, mask), target)[name]

    return value


def reference_of(name, windows=SMALL, masked=True):
    def value(face, mask, target_face, target_mask, eyes):
        target = {"face": target_face, "mask": target_mask, "eyes_mouth": eyes,
                  "soft": expected.grown_mask(target_mask) if masked else None}
        return expected.side_terms(face, mask, target, pairs(windows))[name]

    return value


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("name", ["dssim", "mse", "mask", "eyes mouth"])
def test_every_term_and_its_gradient_equal_the_reference(name, masked):
    arrays = pictures()
    arrays[3] = pictures(seed=5)[1]  # a soft mask: its gradient is compared too
    assert_same(ours_of(name, masked=masked), reference_of(name, masked=masked), arrays)


def test_the_terms_under_xla():
    assert_same(ours_of("dssim"), reference_of("dssim"), pictures(), jit=True)


@pytest.mark.parametrize("compat", [False, True])
def test_the_two_windows_of_256_pixels_equal_the_reference(compat):
    windows = losses.ssim_windows(256, two_scales=True, compat=compat)
    arrays = pictures(64, n=1)  # a part of such a face: the windows are what counts
    assert_same(ours_of("dssim", windows), reference_of("dssim", windows), arrays)


def test_a_perfect_prediction_costs_nothing_and_terms_have_their_weights():
    _, _, target, hard, eyes = (tf.constant(array) for array in pictures())
    terms = losses.reconstruction_terms(SMALL, eyes_mouth=True)
    assert {term.name: term.weight for term in terms} == {
        "dssim": 10, "mse": 10, "mask": 10, "eyes mouth": 300}
    assert len(losses.reconstruction_terms(SMALL)) == 3
    wanted = Target(target, hard, losses.grown_mask(hard), eyes)
    for name, value in losses.weighted(terms, Decoded(target, hard), wanted).items():
        np.testing.assert_allclose(value, 0, atol=1e-5, err_msg=name)


def test_outside_of_the_mask_the_face_does_not_count():
    face, mask, target, hard, _ = pictures()
    hard[:] = 0
    hard[:, 20:40, 20:40] = 1
    other = face.copy()
    other[:, :10] = 1 - other[:, :10]
    terms = losses.reconstruction_terms(SMALL)
    wanted = losses.make_target({"target": tf.constant(target), "mask": tf.constant(hard)},
                                blur_outside=False, masked=True)
    first, second = (losses.weighted(terms, Decoded(tf.constant(f), tf.constant(mask)), wanted)
                     for f in (face, other))
    for name, value in first.items():
        np.testing.assert_allclose(value, second[name], rtol=1e-5, err_msg=name)


def test_each_sample_has_its_own_loss():
    arrays = pictures(n=3)
    for name in ("dssim", "mse", "mask", "eyes mouth"):
        together = ours_of(name)(*map(tf.constant, arrays))
        for i in range(3):
            alone = ours_of(name)(*(tf.constant(array[i:i + 1]) for array in arrays))
            np.testing.assert_allclose(together[i], alone[0], rtol=1e-5, err_msg=name)


def test_losses_are_named_by_side_sums_first():
    one, two = tf.constant([1.0, 2.0]), tf.constant([10.0, 20.0])
    named = losses.by_side({Side.SRC: {"mse": one, "mask": two}, Side.DST: {"mse": two}})
    assert list(named) == ["src", "dst", "src mse", "src mask", "dst mse"]
    assert named["src"].numpy().tolist() == [11, 22] and named["dst"].numpy().tolist() == [10, 20]


def test_terms_hold_for_the_smallest_resolution_of_the_options():
    for name in ("dssim", "mse"):
        value = ours_of(name)(*map(tf.constant, pictures(64)))
        assert np.all(np.isfinite(value)) and np.all(value > 0)


# -- styles, and what stands beside a discriminator -----------------------------------------------

def four(seed=0):
    """Swap face and mask, dst face and mask."""
    one, other = pictures(seed=seed), pictures(seed=seed + 1)
    return [one[0], one[1], other[0] * np.float32(0.5), other[1]]


def test_the_face_style_and_its_gradient_equal_the_reference():
    def ours(swap_face, swap_mask, dst_face, dst_mask):
        return losses.face_style(Decoded(swap_face, swap_mask), Decoded(dst_face, dst_mask))

    assert_same(ours, expected.face_style, four())
    _, gradients = of_ours(ours, four())
    assert gradients[0].any() and not any(gradient.any() for gradient in gradients[1:]), (
        "masks and dst must not learn from the style")


def test_the_background_style_and_its_gradient_equal_the_reference():
    wanted = pictures(seed=9)[2]

    def ours(swap_face, swap_mask, dst_face, dst_mask, target):
        return losses.background_style(Decoded(swap_face, swap_mask), Decoded(dst_face, dst_mask),
                                       target, SMALL)

    def reference(*tensors):
        return expected.background_style(*tensors, tuple(SMALL[0]))

    arrays = [*four(), wanted]
    arrays[1] *= 0.3  # or the masks would leave no background
    assert_same(ours, reference, arrays)
    _, gradients = of_ours(ours, arrays)
    assert not gradients[1].any() and not gradients[3].any(), "masks must not grow to hide it"


def test_the_background_is_where_the_predicted_masks_are_not():
    """Of the swap, not of the src photograph, whose pose is another."""
    ones = tf.ones((1, 64, 64, 1)).numpy()
    left, top = ones.copy(), ones.copy()
    left[:, :, 32:], top[:, 32:] = 0, 0
    behind = losses.behind(Decoded(None, tf.constant(left)), Decoded(None, tf.constant(top)))
    behind = behind.numpy()[0, :, :, 0]
    assert behind[:26, :26].max() < 1e-5
    assert behind[40:].min() == 1 and behind[:, 40:].min() == 1


def test_the_error_outside_of_the_mask_equals_the_reference():
    def ours(face, target_face, soft):
        return losses.outside_error(Decoded(face, None), Target(target_face, None, soft))

    def reference(face, target_face, soft):
        return expected.mse((face - target_face) * (1 - soft))

    face, mask, target, _, _ = pictures()
    assert_same(ours, reference, [face, target, mask])


def test_the_total_variation_counts_height_and_width_and_equals_the_reference():
    assert_same(total_variation, expected.total_variation, pictures()[:1])
    for axis in (1, 2):
        step = np.zeros((1, 8, 8, 3), np.float32)
        step[(slice(None),) * axis + (slice(4, None),)] = 1
        assert total_variation(tf.constant(step)).numpy() == 8 * 3
    colour = np.zeros((1, 8, 8, 3), np.float32)
    colour[..., 0] = 1
    assert total_variation(tf.constant(colour)).numpy() == 0


def test_softening_equals_numpy_too():
    """A second source for the blur, from the layers' reference."""
    _, mask, _, _, _ = pictures(96)
    wanted = (ref.gaussian_blur(mask.astype(float), 3)
              / ref.gaussian_blur(np.ones(mask.shape), 3))
    np.testing.assert_allclose(losses.blurred_mask(tf.constant(mask)), wanted, atol=1e-5)
