"""Layers that XLA compiles in ways of its own, with its compiler, against PyTorch."""

import numpy as np
import pytest

from leras.ops.convolution import fast_convolutions
from models.networks.blocks import PairUpscale
from models.networks.discriminators.unet import UNetDiscriminator
from models.networks.hd import SubpixelDownscale
from tests.models.networks import torch_reference as reference
from tests.models.networks.comparison import assert_equal_to_reference, faces, fill


def noise(*shape):
    return np.random.default_rng(3).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("kernel_size, dilation", [(3, 1), (5, 2), (7, 2)])
def test_a_subpixel_downscale_is_a_dilated_convolution(kernel_size, dilation):
    down = fill(SubpixelDownscale(3, 2, kernel_size, dilation))
    assert_equal_to_reference(
        down, lambda x: [down(x)],
        lambda weights, x: [reference.channels_last(reference.to_depth(
            reference.Net(weights).conv(reference.pictures(x), "conv1", dilation=dilation)))],
        [faces(12)], jit=True)


@pytest.mark.parametrize("channels, repeats", [(3, 2), (6, 1)])
def test_a_pair_upscale_takes_one_map_for_two(channels, repeats):
    up = fill(PairUpscale(6, 4))

    def ours(x):
        with fast_convolutions():
            return [up(x)]

    assert_equal_to_reference(
        up, ours,
        lambda weights, x: [reference.channels_last(reference.up(
            reference.Net(weights), reference.pictures(x).repeat(1, repeats, 1, 1)))],
        [noise(2, 6, 6, channels)], jit=True)


def test_a_unet_of_a_side_that_its_strides_do_not_divide():
    discriminator = fill(UNetDiscriminator(15, 2))
    assert_equal_to_reference(discriminator, discriminator.judge,
                              lambda weights, x: reference.unet(weights, x, (2, 2, 2)),
                              [faces(20)], jit=True)
