"""TernausNet against PyTorch, the encoder as torchvision's checkpoint names it."""

import numpy as np
import pytest
import tensorflow as tf
import torch
import torch.nn.functional as F

from core.errors import WeightsMissing
from facelib.checkpoints.importing import import_checkpoint
from facelib.networks.ternausnet import TernausNet
from facelib.registry import SEGMENTERS
from facelib.weights import load_weights

PLACES = {0: (0, 64), 3: (1, 128), 6: (2, 256), 8: (3, 256), 11: (4, 512), 13: (5, 512),
          16: (6, 512), 18: (7, 512)}
"""Place in torchvision's `features` -> number of the convolution, channels."""

POOLED_BEFORE = (3, 6, 11, 16)


@pytest.fixture(scope="module")
def network():
    network, rng = TernausNet(2), np.random.default_rng(2)
    network.load_state({path: rng.normal(0, _deviation(array), array.shape).astype(np.float32)
                        for path, array in network.state().items()})
    return network


def _deviation(array):
    """Large enough that what differs between faces reaches the end."""
    return 0.04 if array.ndim < 4 else (2 / np.prod(array.shape[:2]) / min(array.shape[2:]))**0.5


def checkpoint(state):
    """Our encoder as torchvision saves VGG11, with its classifier (cut short)."""
    named = {"classifier.6.bias": torch.zeros(3)}
    for place, (number, _) in PLACES.items():
        weight, bias = (state[f"encoder/convs_{number}/{part}"] for part in ("weight", "bias"))
        named[f"features.{place}.weight"] = torch.tensor(weight.transpose(3, 2, 0, 1).copy())
        named[f"features.{place}.bias"] = torch.tensor(bias)
    return named


def reference(state, faces, with_skips=True):
    """Logits, channels first inside."""
    p = {path: torch.tensor(array) for path, array in state.items()}
    vgg = checkpoint(state)

    def conv(name, x, padding=1):
        return F.conv2d(x, p[f"{name}/weight"].permute(3, 2, 0, 1), p[f"{name}/bias"],
                        padding=padding)

    def block(name, x):
        x = F.relu(conv(f"{name}/conv", x))
        kernel = p[f"{name}/up/weight"].permute(3, 2, 0, 1)
        x = F.conv_transpose2d(x, kernel, p[f"{name}/up/bias"], stride=2)
        return F.relu(x[:, :, :-1, :-1])

    x = torch.tensor(faces[..., ::-1].copy()).permute(0, 3, 1, 2)
    mean, deviation = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])
    x = (x - mean[:, None, None]) / deviation[:, None, None]
    maps = []
    for place in PLACES:
        if place in POOLED_BEFORE:
            maps.append(x)
            x = F.max_pool2d(x, 2)
        x = F.relu(F.conv2d(x, vgg[f"features.{place}.weight"], vgg[f"features.{place}.bias"],
                            padding=1))
    maps.append(x)
    x = block("center", F.max_pool2d(x, 2))
    maps = maps if with_skips else [torch.zeros_like(known) for known in maps]
    for number, known in enumerate(reversed(maps[1:])):
        x = block(f"decoders_{number}", torch.cat([x, known], 1))
    x = F.relu(conv("last_conv", torch.cat([x, maps[0]], 1)))
    return conv("out_conv", x, 0).permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize("with_skips", [True, False])
def test_logits_are_those_of_the_reference(network, with_skips):
    faces = np.random.default_rng(4).random((2, 64, 64, 3)).astype(np.float32)
    made = network(tf.constant(faces), with_skips=with_skips).numpy()
    expected = reference(network.state(), faces, with_skips)
    assert made.shape == (2, 64, 64, 1) and expected.std() > 1e-4
    np.testing.assert_allclose(made, expected, atol=1e-5 + 1e-3 * np.abs(expected).max())


def test_the_encoder_is_vgg11_and_every_gradient_arrives(network):
    encoder = sum(array.size for path, array in network.state().items()
                  if path.startswith("encoder/"))
    assert encoder == 9_220_480  # convolutions of VGG11 as published
    faces = tf.constant(np.random.default_rng(5).random((1, 32, 32, 3)).astype(np.float32))
    variables = dict(network.named_variables())
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(network(faces) - 1))
    for path, gradient in zip(variables, tape.gradient(loss, list(variables.values())),
                              strict=True):
        assert gradient is not None and np.abs(gradient).max() > 0, path


def test_the_public_checkpoint_is_imported(network, tmp_path, monkeypatch):
    monkeypatch.setenv("FACELAB_DATA_DIR", str(tmp_path / "data"))
    with pytest.raises(WeightsMissing, match="train --model TernausNet"):
        SEGMENTERS.load("ternausnet")()
    path = tmp_path / "vgg11-8a719046.pth"
    torch.save(checkpoint(network.state()), path)
    (imported,) = import_checkpoint(path)
    assert (imported.network, imported.program) == ("vgg11", "torchvision")
    state = load_weights("vgg11").state
    for number in range(8):
        np.testing.assert_array_equal(state[f"convs_{number}/weight"],
                                      network.encoder.convs[number].weight.numpy())
