"""Every architecture's pictures and gradients against PyTorch in float64."""

import pytest

from models.networks.architecture import ARCHITECTURES
from tests.models.networks import torch_reference as reference
from tests.models.networks.comparison import assert_equal_to_reference, faces, fill

TINY = dict(ae_ch=4, encoder_ch=2, decoder_ch=2, mask_ch=2)
CASES = [("df", letters) for letters in ("", "d", "t", "c", "ud", "udt", "udtc")]
CASES += [("liae", letters) for letters in ("", "t", "ud", "dc", "udt", "udtc")]
CASES += [("dfhd", ""), ("dfhd", "ud"), ("liaehd", "u"), ("liaehd", "dc")]


def decode_everything(model):
    def run(src, dst):
        return [part for decoded in model.decode_all(model.all_codes(src, dst))
                for part in decoded]
    return run


@pytest.mark.parametrize("kind, letters", CASES, ids=[f"{kind}-{l}" for kind, l in CASES])
def test_reconstructions_swap_and_gradients_equal_pytorch(kind, letters):
    resolution = 64 if set(letters) & {"d", "t"} else 32
    model = fill(ARCHITECTURES.load(kind)(resolution, options=letters, **TINY),
                 gain=0.9 if "c" in letters else 2.0)
    assert_equal_to_reference(
        model, decode_everything(model),
        lambda weights, src, dst: reference.autoencoder(kind, weights, letters, src, dst),
        [faces(resolution, seed=1), faces(resolution, seed=2)])
