"""Weights from one model into another, and starting a new model from exported weights."""

import numpy as np
import pytest

from core.errors import CheckpointError, ModelNotFound
from models.registry import MODELS
from models.starting_point import load_start
from models.transfer import kind_of, transfer, transfer_optimizers
from models.weights_file import WeightsFile, write_weights_file
from tests.models.saved import as_saved, assert_equal_states, tiny_model, tiny_options


@pytest.fixture(scope="module")
def source():
    """A SAEHD with a discriminator; not to be changed."""
    return tiny_model("SAEHD", archi="df-ud", gan_power=0.1, gan_dims=4)


def new(**changes):
    return MODELS.load("SAEHD")(tiny_options("SAEHD", **changes))


def parts_of(model):
    return {stem: module.state() for stem, module in model.parts().items()}


def write(path, model, kind="SAEHD", parts=None):
    write_weights_file(path, WeightsFile(kind, as_saved(model.options), 100,
                                         parts or parts_of(model)), "float32")
    return path


def test_a_model_of_the_same_shape_takes_everything(source):
    model = new(archi="df-ud", gan_power=0.1, gan_dims=4)
    before = {group: optimizer.state() for group, optimizer in model.optimizers().items()}
    taken = transfer(parts_of(source), model)
    assert taken.n_taken == taken.n == sum(
        array.size for arrays in parts_of(source).values() for array in arrays.values())
    assert taken.notes == []
    assert_equal_states(parts_of(model), parts_of(source))
    assert_equal_states({group: optimizer.state() for group, optimizer
                         in model.optimizers().items()}, before)


def test_what_does_not_fit_stays_as_it_was_drawn_and_is_told(source):
    model = new(archi="df-ud", d_dims=20, true_face_power=0.1)
    drawn = parts_of(model)
    taken = transfer(parts_of(source), model)
    fitting = {stem: {path for path, array in arrays.items()
                      if stem in source.parts()
                      and source.parts()[stem].state()[path].shape == array.shape}
               for stem, arrays in drawn.items()}
    for stem, arrays in parts_of(model).items():
        for path, array in arrays.items():
            wanted = (parts_of(source) if path in fitting[stem] else drawn)[stem][path]
            np.testing.assert_array_equal(array, wanted)
    assert taken.n_taken == sum(drawn[stem][path].size for stem, paths in fitting.items()
                                for path in paths)
    assert taken.n_taken < taken.n and set(taken.incomplete) == {
        "decoder_src", "decoder_dst", "code_discriminator"}
    assert taken.incomplete["code_discriminator"] == (
        "code_discriminator starts anew: the weights hold none")
    n = len(drawn["decoder_src"])
    assert taken.incomplete["decoder_src"] == (
        f"decoder_src: {n - len(fitting['decoder_src'])} of {n} arrays start anew, among them "
        "upscale0/conv1/weight")


def test_optimizers_go_along_where_shapes_are_the_same(source):
    model = new(archi="df-ud", d_dims=20, gan_power=0.1, gan_dims=4)
    transfer_optimizers(source, model)
    for group in ("generator", "GAN"):
        own, given = (one.optimizers()[group].state() for one in (model, source))
        assert own["step"] == 7
        for path, array in own.items():
            fits = array.shape == given[path].shape
            np.testing.assert_array_equal(array, given[path] if fits else np.zeros(array.shape))
            assert fits or "decoder" in path


def test_a_discriminator_of_another_size_starts_anew_as_a_whole(source):
    model = new(archi="df-ud", gan_power=0.1, gan_dims=8)
    drawn, before = parts_of(model)["GAN"], model.optimizers()["GAN"].state()
    taken = transfer(parts_of(source), model)
    transfer_optimizers(source, model)
    assert taken.notes == ["GAN starts anew: the weights are of another size"]
    assert_equal_states({"": parts_of(model)["GAN"]}, {"": drawn})
    assert_equal_states({"": model.optimizers()["GAN"].state()}, {"": before})


def test_kinds_are_known_by_their_options():
    class Own(type(tiny_options("SAEHD"))):
        pass

    assert [kind_of(tiny_options(kind)) for kind in ("Quick96", "SAEHD", "AMP")] == [
        "Quick96", "SAEHD", "AMP"]
    assert kind_of(Own()) == "Own"


# -- a starting point -----------------------------------------------------------------------------

def test_a_new_model_starts_from_a_file(source, tmp_path):
    path, model = write(tmp_path / "start.npz", source), new(archi="df-ud", seed=5)
    first, *notes = load_start(model, path)
    parts = parts_of(model)
    assert notes == [] and "GAN" not in parts
    assert_equal_states(parts, {stem: parts_of(source)[stem] for stem in parts})
    n = sum(array.size for arrays in parts.values() for array in arrays.values())
    assert first == f"starting from {path}: {n:,} of {n:,} parameters"


def test_a_quick96_can_start_from_a_saehd_of_its_architecture(source, tmp_path):
    model = tiny_model("Quick96", seed=3)
    assert load_start(model, write(tmp_path / "start.npz", source))[1:] == []
    assert_equal_states(parts_of(model), {stem: parts_of(source)[stem] for stem in model.parts()})


def test_another_resolution_resamples_the_dense_layers_and_takes_all_convolutions(
        source, tmp_path):
    model = new(archi="df-ud", resolution=96)
    first, *notes = load_start(model, write(tmp_path / "start.npz", source))
    assert first.endswith(" parameters, resampled from 64 px") and notes == []
    for stem, arrays in parts_of(model).items():
        for path, array in arrays.items():
            if not path.startswith("dense"):
                np.testing.assert_array_equal(array, parts_of(source)[stem][path])
    # The map that dense2 makes grows from 2 x 2 to 3 x 3; its middle is the mean of the four.
    old = parts_of(source)["inter"]["dense2/bias"].reshape(2, 2, -1)
    new_map = parts_of(model)["inter"]["dense2/bias"].reshape(3, 3, -1)
    np.testing.assert_allclose(new_map[1, 1], old.mean((0, 1)), atol=1e-6)
    np.testing.assert_allclose(new_map[0, 0], old[0, 0], atol=1e-6)


def test_other_widths_take_what_fits(source, tmp_path):
    model = new(archi="df-ud", ae_dims=48)
    first, *notes = load_start(model, write(tmp_path / "start.npz", source))
    assert [note.partition(":")[0] for note in notes] == ["inter", "decoder_src", "decoder_dst"]
    np.testing.assert_array_equal(model.parts()["encoder"].state()["down1/downs_0/conv1/weight"],
                                  parts_of(source)["encoder"]["down1/downs_0/conv1/weight"])


def test_weights_of_which_nothing_fits_are_refused(source, tmp_path):
    path = write(tmp_path / "start.npz", source, parts={"GAN": parts_of(source)["GAN"]})
    model = new(archi="df-ud")
    before = parts_of(model)
    with pytest.raises(CheckpointError, match="holds a SAEHD model of which nothing fits this"):
        load_start(model, path)
    assert_equal_states(parts_of(model), before)


def test_a_file_that_is_missing_is_told(tmp_path):
    with pytest.raises(ModelNotFound, match="start.npz: there is no such file"):
        load_start(new(archi="df-ud"), tmp_path / "start.npz")
