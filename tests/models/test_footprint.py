"""Counts from options against the networks that the options build."""

from dataclasses import replace

import pytest

from models.amp.model import AMPModel
from models.amp.options import AMPOptions
from models.footprint import conv, footprint
from models.networks.architecture import LETTERS
from models.options import TrainingOptions
from models.quick96.model import Quick96Model
from models.quick96.options import Quick96Options
from models.saehd.model import SAEHDModel
from models.saehd.options import SAEHDOptions

NARROW = {"ae_dims": 32, "e_dims": 16, "d_dims": 18, "d_mask_dims": 6, "batch_size": 2,
          "resolution": 64}
NAMES = [f"{kind}-{letters}" if letters else kind for kind in LETTERS
         for letters in ("", "u", "d", "t", "dt", "ud") if set(letters) <= set(LETTERS[kind])]


def parameters_of(model):
    return sum(part.n_parameters() for part in model.parts().values())


@pytest.mark.parametrize("archi", NAMES)
def test_parameters_of_every_architecture_are_those_of_the_networks(archi):
    options = SAEHDOptions(archi=archi, **NARROW)
    assert footprint(options).parameters == parameters_of(SAEHDModel(options))


@pytest.mark.parametrize("changes", [
    {"gan_power": 0.1}, {"gan_power": 0.1, "gan_patch_size": 21, "gan_dims": 10},
    {"gan_power": 0.1, "gan_discriminator": "multi-scale"},
    {"gan_power": 0.1, "gan_discriminator": "realness", "gan_dims": 6},
    {"true_face_power": 0.1}, {"true_face_power": 0.1, "archi": "df-t"},
    {"true_face_power": 0.1, "archi": "liae", "resolution": 128},
    {"pretrain": True, "gan_power": 0.1, "true_face_power": 0.1}])
def test_discriminators_are_counted_where_they_are_trained(changes):
    options = replace(SAEHDOptions(archi="df-ud", **NARROW), **changes)
    assert footprint(options).parameters == parameters_of(SAEHDModel(options))


def test_quick96_and_amp_are_counted_too():
    for model, options in ((Quick96Model, Quick96Options(**NARROW)),
                           (AMPModel, AMPOptions(inter_dims=48, gan_power=0.1, **NARROW))):
        assert footprint(options).parameters == parameters_of(model(options))


def test_maps_are_those_of_the_faces_that_pass():
    """By hand, of the spec's table: a convolution of stride 2, and what styles add."""
    assert conv(64, 3, 16, 5, 2).maps == 32 * 32 * 16
    plain = SAEHDOptions(archi="df-ud", **NARROW)
    styled = replace(plain, face_style_power=1.0)
    ups = [(8 * 18, 4), (4 * 18, 8), (2 * 18, 16)]  # width, side of the upscale's map
    face = sum((4 * ch * side**2) + 2 * ch * (2 * side)**2 for ch, side in ups) + 12 * 32**2
    mask = sum(4 * 6 * factor * side**2 for factor, side in ((8, 4), (4, 8), (2, 16), (1, 32)))
    swap = footprint(styled).maps - footprint(plain).maps
    assert swap == face + mask + 64**2
    assert footprint(styled).parameters == footprint(plain).parameters


def test_an_unknown_model_has_no_count():
    assert footprint(TrainingOptions()) is None
