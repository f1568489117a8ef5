"""AMP's pictures and gradients against PyTorch, and how it chooses channels."""

import numpy as np
import pytest
import tensorflow as tf

from models.networks.amp import AMPAutoencoder, random_channels
from tests.models.networks import torch_reference as reference
from tests.models.networks.comparison import assert_equal_to_reference, faces, fill

TINY = dict(ae_ch=4, inter_ch=6, encoder_ch=2, decoder_ch=2, mask_ch=2)


def test_reconstructions_swap_and_gradients_equal_pytorch():
    model = fill(AMPAutoencoder(64, **TINY))
    src_channels = random_channels(np.random.default_rng(0), 2, 6, 0.5)

    def run(src, dst, channels):
        decoded = (*model.decode(*model.codes(src, dst, channels)),
                   model.decoder_src(model.swap_code(dst, 0.7)))
        return [part for pair in decoded for part in pair]

    assert_equal_to_reference(
        model, run, lambda weights, src, dst, channels:
        reference.amp(weights, src, dst, channels, 0.7),
        [faces(64, seed=1), faces(64, seed=2), src_channels])


@pytest.mark.parametrize("value, n_of_src", [(0.0, 0), (0.29, 29), (0.5, 50), (0.999, 99),
                                             (1.0, 100)])
def test_the_slider_counts_channels(value, n_of_src):
    model = AMPAutoencoder(32, **{**TINY, "inter_ch": 100})
    code = np.random.default_rng(0).standard_normal((1, 4)).astype(np.float32)
    map_, of_src, of_dst = (np.ravel(x) for x in (
        model.morph(code, tf.constant(value)), model.inter_src(code), model.inter_dst(code)))
    np.testing.assert_array_equal(map_[:n_of_src], of_src[:n_of_src])
    np.testing.assert_array_equal(map_[n_of_src:], of_dst[n_of_src:])


def test_each_face_may_have_its_own_slider():
    model = AMPAutoencoder(32, **TINY)
    code = np.random.default_rng(0).standard_normal((2, 4)).astype(np.float32)
    both = model.morph(code, tf.constant([[0.0], [1.0]]))
    np.testing.assert_array_equal(both[0], model.inter_dst(code)[0])
    np.testing.assert_array_equal(both[1], model.inter_src(code)[1])


def test_random_channels_are_as_many_for_every_face_and_differ():
    chosen = random_channels(np.random.default_rng(0), 50, 40, 0.25)
    assert chosen.shape == (50, 40) and chosen.dtype == np.float32
    np.testing.assert_array_equal(chosen.sum(1), 10)
    np.testing.assert_array_equal(np.unique(chosen), [0, 1])
    assert len(np.unique(chosen, axis=0)) == 50
    assert np.all(chosen.sum(0) > 0)


def test_a_resolution_that_is_no_multiple_of_32_is_refused():
    with pytest.raises(ValueError, match="48 is no multiple of 32"):
        AMPAutoencoder(48, **TINY)
