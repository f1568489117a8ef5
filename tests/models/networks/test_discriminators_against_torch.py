"""Every discriminator's judgements and gradients against PyTorch in float64."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from models.networks.code_discriminator import CodeDiscriminator
from models.networks.discriminators.registry import DISCRIMINATORS
from tests.models.networks import torch_reference as reference
from tests.models.networks.comparison import assert_equal_to_reference, faces, fill

REFERENCES = {"unet": reference.unet, "multi-scale": reference.multi_scale,
              "realness": reference.realness}


# Strides by hand, from the specification's table; 64 pixels divide by their product, 36 do not.
@pytest.mark.parametrize("name, patch_size, strides, side", [
    ("unet", 15, (2, 2, 2), 32), ("unet", 27, (2, 1, 2, 1, 2), 36), ("unet", 3, (2,), 16),
    ("multi-scale", 11, (2, 1, 2), 32), ("realness", 7, (2, 2), 20),
])
def test_judgements_and_gradients_equal_pytorch(name, patch_size, strides, side):
    discriminator = fill(DISCRIMINATORS.load(name)(patch_size, 3))
    assert_equal_to_reference(
        discriminator, discriminator.judge,
        lambda weights, x: REFERENCES[name](weights, x, strides), [faces(side)])


@pytest.mark.parametrize("side, n_layers", [(4, 1), (8, 2), (17, 3)])
def test_judgements_of_codes_and_gradients_equal_pytorch(side, n_layers):
    discriminator = fill(CodeDiscriminator(4, side, 3))
    code = np.random.default_rng(2).standard_normal((2, side, side, 4)).astype(np.float32)
    assert_equal_to_reference(
        discriminator, discriminator.judge,
        lambda weights, x: reference.code_discriminator(weights, x, n_layers), [code])


def cross_entropy(logits, label):
    """Mean over the positions, (N,)."""
    target = torch.full_like(logits, label)
    return F.binary_cross_entropy_with_logits(logits, target, reduction="none").mean((1, 2, 3))


def judgements(name, side=24):
    """What an untrained discriminator says of two batches, also as tensors of PyTorch."""
    discriminator = fill(DISCRIMINATORS.load(name)(11, 3))
    real, fake = (discriminator.judge(faces(side, n=3, seed=seed)) for seed in (1, 2))
    as_torch = [[torch.tensor(x.numpy(), dtype=torch.float64) for x in xs] for xs in (real, fake)]
    return discriminator, real, fake, *as_torch


@pytest.mark.parametrize("name", ["unet", "multi-scale"])
def test_logistic_losses_are_cross_entropies(name):
    discriminator, real, fake, exact_real, exact_fake = judgements(name)
    np.testing.assert_allclose(discriminator.generator_loss(fake, real),
                               sum(cross_entropy(x, 1.0) for x in exact_fake), rtol=1e-4)
    expected = sum(0.5 * (cross_entropy(a, 1.0) + cross_entropy(b, 0.0))
                   for a, b in zip(exact_real, exact_fake))
    np.testing.assert_allclose(discriminator.discriminator_loss(real, fake), expected, rtol=1e-4)


def test_realness_losses_are_divergences():
    discriminator, real, fake, (real_log,), (fake_log,) = judgements("realness")
    outcomes = torch.linspace(-1, 1, 51, dtype=torch.float64)
    anchors = [torch.softmax(-(outcomes - mean)**2 / 0.5, 0) for mean in (0.5, -0.5)]

    def divergence(log_q, p):
        return F.kl_div(log_q, p.expand_as(log_q), reduction="none").sum(-1).mean((1, 2))

    expected = divergence(real_log, anchors[0]) + divergence(fake_log, anchors[1])
    np.testing.assert_allclose(discriminator.discriminator_loss(real, fake), expected, rtol=1e-4)
    expected = divergence(fake_log, real_log.exp()) - divergence(fake_log, anchors[1])
    np.testing.assert_allclose(discriminator.generator_loss(fake, real), expected, rtol=1e-3,
                               atol=1e-4)


@pytest.mark.parametrize("name", DISCRIMINATORS.names())
def test_half_precision_judges_nearly_alike_in_float32(name):
    plain, half = (fill(DISCRIMINATORS.load(name)(11, 3, dtype))
                   for dtype in ("float32", "bfloat16"))
    for exact, judgement in zip(plain.judge(faces(24)), half.judge(faces(24)), strict=True):
        assert judgement.dtype.name == "float32"
        assert np.abs(judgement - exact).mean() < 0.05 * np.abs(exact).mean()
