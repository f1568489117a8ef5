import numpy as np
import pytest
import tensorflow as tf

from leras.graph import compile, image_spec
from models import losses
from tests.leras import reference as ref
from tests.models import network_reference as net

TERMS = {"dssim": losses.masked_dssim, "mse": losses.masked_mse}


def side(resolution, n=2, seed=0):
    """(face, mask, target face, target mask): a smooth mask with soft and hard edges."""
    rng = np.random.default_rng(seed)
    face, target = rng.random((2, n, resolution, resolution, 3), np.float32)
    mask, target_mask = rng.random((2, n, resolution, resolution, 1), np.float32)
    target_mask = np.float32(ref.gaussian_blur(target_mask, 2) > 0.4)
    return face, mask, target, target_mask


def run(function, *arrays, jit=False):
    return compile(function, *(image_spec(*a.shape[1:]) for a in arrays), jit=jit)(*arrays)


def terms(face, mask, target, target_mask):
    return losses.reconstruction_terms(face, mask, losses.soft_target(target, target_mask))


@pytest.mark.parametrize("resolution, sigma", [(32, 1), (64, 2), (96, 3), (62, 1), (20, 1)])
def test_the_mask_is_softened_by_a_thirty_second_of_the_resolution(resolution, sigma):
    _, _, target, mask = side(resolution)
    soft = run(lambda f, m: losses.soft_target(f, m).soft_mask, target, mask)
    np.testing.assert_allclose(soft, ref.gaussian_blur(mask.astype(float), sigma), atol=1e-5)
    assert soft.min() >= 0 and soft.max() <= 1 + 1e-5


def test_the_softened_mask_is_one_deep_inside_and_half_at_a_straight_edge():
    mask = np.zeros((1, 64, 64, 1), np.float32)
    mask[:, :, :32] = 1
    face = np.zeros((1, 64, 64, 3), np.float32)
    soft = losses.soft_target(face, mask).soft_mask.numpy()[0, 32, :, 0]
    assert soft[20] == pytest.approx(1, abs=1e-5) and soft[44] == pytest.approx(0, abs=1e-5)
    assert (soft[31] + soft[32]) / 2 == pytest.approx(0.5, abs=1e-5)


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("resolution", [64, 96])
def test_every_term_and_their_sum_equal_the_reference(resolution, jit):
    face, mask, target, target_mask = side(resolution)
    actual = run(terms, face, mask, target, target_mask, jit=jit)
    f, m, t, tm = (a.astype(np.float64) for a in (face, mask, target, target_mask))
    soft = ref.gaussian_blur(tm, resolution // 32)
    window = {64: 5, 96: 8}[resolution]  # the table of section 2.6a
    expected = {"dssim": 10 * ref.dssim(t * soft, f * soft, filter_size=window).mean(-1),
                "mse": 10 * ((t * soft - f * soft)**2).mean((1, 2, 3)),
                "mask": 10 * ((tm - m)**2).mean((1, 2, 3))}
    assert set(actual) == set(expected)
    for name, value in expected.items():
        assert actual[name].shape == (2,)
        np.testing.assert_allclose(actual[name], value, rtol=1e-4, err_msg=name)
    np.testing.assert_allclose(sum(actual.values()), net.side_loss(f, m, t, tm), rtol=1e-4)


def test_a_perfect_prediction_costs_nothing():
    _, _, target, target_mask = side(64)
    for name, value in run(terms, target, target_mask, target, target_mask).items():
        np.testing.assert_allclose(value, 0, atol=1e-5, err_msg=name)


def test_outside_of_the_mask_the_face_does_not_count():
    face, mask, target, target_mask = side(64)
    target_mask[:] = 0
    target_mask[:, 20:40, 20:40] = 1
    other = face.copy()
    other[:, :10] = 1 - other[:, :10]
    first, second = (run(terms, f, mask, target, target_mask) for f in (face, other))
    for name, value in first.items():
        np.testing.assert_allclose(value, second[name], rtol=1e-6, err_msg=name)


def test_each_sample_has_its_own_loss():
    arrays = side(64, n=3)
    together = run(terms, *arrays)
    for i in range(3):
        alone = run(terms, *(a[i:i + 1] for a in arrays))
        for name, value in together.items():
            np.testing.assert_allclose(value[i], alone[name][0], rtol=1e-5, err_msg=name)


def test_the_gradient_of_the_loss_equals_exact_derivatives_of_the_reference():
    face, mask, target, target_mask = side(48, n=1)

    def differentiate(f, m):
        with tf.GradientTape() as tape:
            tape.watch([f, m])
            total = tf.reduce_sum(tf.add_n(list(terms(f, m, target, target_mask).values())))
        return tape.gradient(total, [f, m])

    actual = run(differentiate, face, mask)
    t, tm = target.astype(np.float64), target_mask.astype(np.float64)
    positions = np.random.default_rng(4).permutation(face.size)[:60]
    of_face = ref.gradient(lambda v: net.side_loss(v, mask.astype(float), t, tm).sum(), face,
                           positions)
    np.testing.assert_allclose(actual[0].flat[positions], of_face, rtol=1e-3,
                               atol=1e-4 * np.abs(of_face).max())
    positions = positions % mask.size
    of_mask = ref.gradient(lambda v: net.side_loss(face.astype(float), v, t, tm).sum(), mask,
                           positions)
    np.testing.assert_allclose(actual[1].flat[positions], of_mask, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("name", TERMS)
def test_terms_hold_for_the_smallest_resolution_of_the_options(name):
    face, _, target, target_mask = side(64)
    value = run(lambda f, t, m: TERMS[name](f, losses.soft_target(t, m)), face, target, target_mask)
    assert np.all(np.isfinite(value)) and np.all(value > 0)
