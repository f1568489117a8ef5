"""Models of another resolution: dense layers against Pillow's resampling, all else unchanged."""

import numpy as np
import pytest
from PIL import Image

from core.errors import OptionError
from models.dense_maps import (
    MapSides,
    architecture_of,
    map_sides,
    resample_maps,
    resampling,
    sides_of,
)
from models.resize import resize
from models.store import ModelStore
from tests.models.saved import save, tiny_model, tiny_options


def by_pillow(maps, side):
    """(H, W, C) -> (side, side, C), bilinear; where it shrinks, over all pixels."""
    planes = [Image.fromarray(plane).resize((side, side), Image.Resampling.BILINEAR)
              for plane in np.moveaxis(np.float32(maps), -1, 0)]
    return np.stack([np.asarray(plane) for plane in planes], -1)


@pytest.mark.parametrize("old, new", [(2, 3), (3, 2), (4, 8), (8, 4), (6, 7), (7, 3), (5, 5),
                                      (1, 4), (4, 1)])
def test_the_matrix_resamples_as_pillow_does(old, new):
    maps = np.random.default_rng(0).standard_normal((old, old, 3))
    matrix = resampling(old, new)
    assert matrix.shape == (new, old)
    np.testing.assert_allclose(matrix.sum(1), 1)
    found = np.einsum("yi,xj,ijc->yxc", matrix, matrix, maps)
    np.testing.assert_allclose(found, by_pillow(maps, new), atol=1e-5)


@pytest.mark.parametrize("old, new", [(MapSides(4, 2), MapSides(6, 3)),
                                      (MapSides(6, 3), MapSides(4, 2)),
                                      (MapSides(4, 8), MapSides(3, 6))])
def test_new_dense_layers_compute_what_the_old_ones_would_between_resampled_maps(old, new):
    rng, read_ch, made_ch = np.random.default_rng(0), 5, 3
    arrays = {"dense1/weight": rng.standard_normal((old.encoded**2 * read_ch, 4)),
              "dense1/bias": rng.standard_normal(4),
              "dense2/weight": rng.standard_normal((4, old.code**2 * made_ch)),
              "dense2/bias": rng.standard_normal(old.code**2 * made_ch),
              "upscale1/conv1/weight": rng.standard_normal((3, 3, 3, 12))}
    resampled = resample_maps(arrays, old, new)
    encoded = rng.standard_normal((new.encoded, new.encoded, read_ch))

    def run(weights, flat):
        code = flat @ weights["dense1/weight"] + weights["dense1/bias"]
        return code @ weights["dense2/weight"] + weights["dense2/bias"]

    found = run(resampled, encoded.ravel()).reshape(new.code, new.code, made_ch)
    between = run(arrays, by_pillow(encoded, old.encoded).ravel())
    wanted = by_pillow(between.reshape(old.code, old.code, made_ch), new.code)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)
    for path in ("dense1/bias", "upscale1/conv1/weight"):
        assert resampled[path] is arrays[path]


@pytest.mark.parametrize("kind, changes, sides", [
    ("SAEHD", {"archi": "df"}, (4, 4)), ("SAEHD", {"archi": "LIAE-D"}, (4, 2)),
    ("SAEHD", {"archi": "liae-T"}, (2, 4)), ("AMP", {}, (2, 2)), ("Quick96", {}, (4, 2))])
def test_sides_of_a_models_maps(kind, changes, sides):
    assert sides_of(kind, tiny_options(kind, **changes)) == sides


def test_models_of_ones_own_have_no_known_maps():
    with pytest.raises(OptionError, match="the shapes of package:Own models are not known"):
        architecture_of("package:Own", {"resolution": 64})
    with pytest.raises(OptionError, match="unknown architecture 'mobile'"):
        architecture_of("SAEHD", {"archi": "mobile"})
    assert map_sides(architecture_of("package:Own", {"archi": "DF-DU"}), 64) == (4, 2)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A tiny DF as saved; not to be changed."""
    folder = tmp_path_factory.mktemp("saved")
    save(folder, "SAEHD", "new", tiny_model("SAEHD", archi="df-ud"))
    return ModelStore(folder, "SAEHD", "new").require()


def test_convolutions_stay_with_the_state_of_their_optimizer(saved):
    resized = resize("SAEHD", saved, 96)
    assert resized.options.resolution == 96 and resized.options.archi == "df-ud"
    assert resized.notes == []
    state = resized.model.state()
    assert state.keys() == saved.arrays.keys()
    n_dense = 0
    for stem, arrays in saved.arrays.items():
        for path, array in arrays.items():
            if "dense1/weight" in path or "dense2" in path:
                n_dense += 1
                assert state[stem][path].size == array.size * 9 // 4
                if stem == "generator_optimizer":
                    assert not state[stem][path].any()
            else:
                np.testing.assert_array_equal(state[stem][path], array, err_msg=path)
    assert n_dense == 3 + 2 * 3  # of the inter, and of both slots


def test_dense_layers_can_start_anew(saved):
    resized = resize("SAEHD", saved, 96, resample=False)
    assert resized.notes == ["inter: 3 of 6 arrays start anew, among them dense1/weight"]
    again = resize("SAEHD", saved, 96)
    assert not np.array_equal(*(one.model.parts()["inter"].state()["dense2/weight"]
                                for one in (resized, again)))
    # A new bias is zero.
    assert not resized.model.parts()["inter"].state()["dense2/bias"].any()


@pytest.mark.parametrize("resolution, line", [
    (64, "a resolution of 64 already"), (80, "df-ud cannot have a resolution of 80"),
    (72, "must be a multiple of 16"), (1024, "between 64 and 640")])
def test_resolutions_that_the_model_cannot_have_are_refused(resolution, line, saved):
    with pytest.raises(OptionError, match=line):
        resize("SAEHD", saved, resolution)
