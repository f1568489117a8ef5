"""The Quick96 model: repeatable, resumable, and it learns."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from benchmarks.sampler import write_faceset
from core.errors import OptionError
from core.options import resolve
from facelib.face_type import FaceType
from models.loading import build, restore
from models.quick96.model import Quick96Model
from models.quick96.options import Quick96Options
from models.side import Side
from models.store import Progress, SavedModel
from samplelib.sampler import BatchGenerator, preview_batch
from tests.models.tiny import OPTIONS, options, random_batches

LEARNING = options(learning_rate=2e-3, lr_dropout=0.7, optimizer="adabelief")


def losses_of(model, iterations, seed=0):
    """Losses of some iterations, each on noise of its own."""
    return [model.train_step(iteration, random_batches(seed + iteration)).losses
            for iteration in iterations]


def assert_equal_states(one, other):
    assert one.keys() == other.keys() == {
        "encoder", "inter", "decoder_src", "decoder_dst", "generator_optimizer"}
    for stem in one:
        assert one[stem].keys() == other[stem].keys()
        for path, array in one[stem].items():
            np.testing.assert_array_equal(array, other[stem][path], err_msg=path)


@pytest.fixture(scope="module")
def model():
    """One model for all tests, since tracing a training step takes seconds."""
    return Quick96Model(LEARNING)


@pytest.fixture(scope="module")
def twin():
    """Another one of the same options."""
    return Quick96Model(LEARNING)


@pytest.fixture(scope="module")
def first_state(model):
    return model.state()


def test_the_same_seed_gives_the_same_weights(first_state, twin):
    assert_equal_states(twin.state(), first_state)


def test_two_iterations_saved_and_loaded_and_one_more_are_three(model, first_state, twin):
    """Also the optimizer's memory and its place in the masks of learning-rate dropout."""
    model.load_state(first_state)
    expected = losses_of(model, (1, 2, 3))
    twin.load_state(first_state)
    losses = losses_of(twin, (1, 2))
    saved = twin.state()
    losses_of(twin, (3, 4))  # goes on, as a training that is interrupted before its next save
    twin.load_state(saved)
    losses += losses_of(twin, (3,))
    assert losses == expected
    assert_equal_states(twin.state(), model.state())


def test_another_seed_gives_other_weights():
    one, other = (Quick96Model(options(seed=seed)).network.state() for seed in (3, 4))
    assert all(np.any(one[path] != other[path]) for path in one if path.endswith("weight"))


def test_every_third_iteration_reads_the_unwarped_face(model, first_state):
    assert [model.needs_new_batch(iteration) for iteration in range(1, 8)] == [
        True, True, False, True, True, False, True]
    batches = random_batches(7)
    unwarped = {side: batches[side] | {"warped": batches[side]["target"]} for side in Side}
    losses = {}
    for name, iteration, samples in (("warped", 4, batches), ("third", 6, batches),
                                     ("target as input", 4, unwarped)):
        model.load_state(first_state)
        losses[name] = model.train_step(iteration, samples).losses
    assert losses["third"] == losses["target as input"] != losses["warped"]


def test_an_iteration_moves_weights_of_every_network(model, first_state):
    model.load_state(first_state)
    losses_of(model, (3,))
    moved = {part for part in model.parts() for path, array in model.state()[part].items()
             if np.any(array != first_state[part][path])}
    assert moved == {"encoder", "inter", "decoder_src", "decoder_dst"}


def test_the_losses_of_both_sides_are_separate(model, first_state):
    one, other = random_batches(1), random_batches(2)
    losses = []
    for batches in (one, {Side.SRC: one[Side.SRC], Side.DST: other[Side.DST]}):
        model.load_state(first_state)
        losses.append(model.train_step(1, batches).losses)
    assert losses[0]["src"] == pytest.approx(losses[1]["src"], rel=1e-5)
    assert abs(losses[0]["dst"] - losses[1]["dst"]) > 1e-4


def test_losses_come_with_the_sides_first_and_the_terms_they_are_made_of(model, first_state):
    model.load_state(first_state)
    result = model.train_step(1, random_batches(1))
    assert list(result.losses)[:2] == ["src", "dst"]
    for side in ("src", "dst"):
        terms = [value for name, value in result.losses.items() if name.startswith(f"{side} ")]
        assert len(terms) == 3 and result.losses[side] == pytest.approx(sum(terms), rel=1e-5)
    assert result.total == pytest.approx(result.losses["src"] + result.losses["dst"], rel=1e-5)


def test_batches_placed_ahead_by_another_thread_train_alike(model, first_state):
    batches, results = random_batches(1), []
    with ThreadPoolExecutor(1) as pool:
        placed = {side: pool.submit(model.place, batch).result()
                  for side, batch in batches.items()}
    for samples in (batches, placed):
        model.load_state(first_state)
        results.append(model.train_step(1, samples))
    assert results[0] == results[1]


def test_batches_of_floats_are_refused(model):
    batches = {side: {name: array / np.float32(255) for name, array in batch.items()}
               for side, batch in random_batches().items()}
    with pytest.raises(TypeError, match="warped: batches hold uint8, not float32"):
        model.train_step(1, batches)
    with pytest.raises(TypeError, match="warped"):
        model.place(batches[Side.SRC])


def test_weights_that_do_not_fit_are_refused_by_name(model, first_state):
    path = next(iter(first_state["inter"]))
    with pytest.raises(ValueError, match=f"inter/{path}"):
        model.load_state(first_state | {"inter": first_state["inter"] | {path: np.zeros(3)}})
    with pytest.raises(KeyError, match="unknown: .*inter/more"):
        model.load_state(first_state | {"inter": first_state["inter"] | {"more": np.zeros(3)}})
    with pytest.raises(KeyError, match="missing: .*encoder/down1"):
        model.load_state({name: arrays for name, arrays in first_state.items()
                          if name != "encoder"})
    with pytest.raises(KeyError, match="unknown parts: inter_AB"):
        model.load_state(first_state | {"inter_AB": {}})
    assert_equal_states(model.state(), model.state())


def test_the_state_of_another_optimizer_is_not_taken_and_said_so(model, first_state):
    """The step count too: bias correction belongs to the moments."""
    model.load_state(first_state)
    losses_of(model, (1, 2))
    trained = model.state()
    assert trained["generator_optimizer"]["step"] == 2
    other = Quick96Model(options(optimizer="adam"))
    assert other.load_state(trained) == [
        "generator_optimizer starts anew: the saved one is of another kind"]
    assert other.optimizers()["generator"].state()["step"] == 0
    for path, array in trained["encoder"].items():
        np.testing.assert_array_equal(other.state()["encoder"][path], array)
    anew = {stem: arrays for stem, arrays in trained.items() if stem != "generator_optimizer"}
    assert model.load_state(anew) == ["generator_optimizer starts anew: none is saved"]
    assert not any(array.any() for array in model.state()["generator_optimizer"].values())


def test_a_model_saved_as_one_file_of_weights_is_read_too(model, first_state):
    weights = {f"{part}/{path}": array + 1 for part in model.parts()
               for path, array in first_state[part].items()}
    optimizer = {path: array + 1 for path, array in first_state["generator_optimizer"].items()}
    assert model.load_state({"weights": weights, "optimizer": optimizer}) == []
    for stem, arrays in model.state().items():
        for path, array in arrays.items():
            np.testing.assert_array_equal(array, first_state[stem][path] + 1)


def test_the_previews_show_a_row_for_each_face(model, first_state):
    model.load_state(first_state)
    batches = random_batches(5)
    previews = model.preview(batches)
    assert list(previews) == ["Quick96", "Quick96 masked"]
    rows, masked = previews.values()
    columns = ["src", "src again", "dst", "dst again", "swap"]
    assert list(rows[0]) == [*columns, "swap pasted"] and list(masked[0]) == columns
    assert len(rows) == len(masked) == 2
    for k, row in enumerate([*rows, *masked]):
        assert all(picture.shape == (64, 64, 3) and picture.dtype == np.float32
                   and 0 <= picture.min() and picture.max() <= 1 for picture in row.values())
    for k, row in enumerate(rows):
        for side in Side:
            assert np.array_equal(np.rint(row[side] * 255), batches[side]["target"][k])
    swap = model.predictor()(batches[Side.DST]["target"] / np.float32(255))
    np.testing.assert_allclose(rows[1]["swap"], swap.face[1], atol=1e-5)
    mask = swap.face_mask[1] * swap.dst_mask[1]
    np.testing.assert_allclose(masked[1]["swap"], mask * rows[1]["swap"], atol=1e-5)
    np.testing.assert_allclose(
        rows[1]["swap pasted"], mask * rows[1]["swap"] + (1 - mask) * rows[1]["dst"], atol=1e-5)
    np.testing.assert_allclose(masked[1]["dst again"], rows[1]["dst again"] * swap.dst_mask[1],
                               atol=1e-5)
    inside = batches[Side.SRC]["mask"][1] / np.float32(255)
    np.testing.assert_allclose(masked[1]["src"], rows[1]["src"] * inside, atol=1e-6)


def test_swap_and_reconstruction_use_the_decoders_of_their_sides(model, first_state):
    """The swap of dst's face is what src's decoder makes of it."""
    model.load_state(first_state)
    batches = random_batches(5)
    turned = {Side.SRC: batches[Side.DST], Side.DST: batches[Side.DST]}
    rows = model.preview(turned)["Quick96"]
    assert np.allclose(rows[0]["swap"], rows[0]["src again"], atol=1e-5)
    assert np.abs(rows[0]["swap"] - rows[0]["dst again"]).max() > 1e-3


def test_samples_are_flipped_only_on_the_side_that_wants_it():
    model = Quick96Model(options(random_src_flip=True, face_type="wf"))
    flips = {side: model.recipe(side).options.random_flip for side in Side}
    assert flips == {Side.SRC: True, Side.DST: False}
    assert model.recipe(Side.SRC).face_type == FaceType.WHOLE_FACE
    assert model.recipe(Side.SRC).resolution == 64


def test_a_saved_model_comes_back_with_its_options(model, first_state):
    saved = SavedModel({"resolution": 64, "ae_dims": 32, "e_dims": 16, "d_dims": 16,
                        "d_mask_dims": 4, "batch_size": 2, "xla": False,
                        "optimizer": "adabelief"}, Progress(), first_state, 1)
    assert_equal_states(restore("Quick96", saved).state(), first_state)
    with pytest.raises(OptionError, match="Quick96"):
        build("Quick69", OPTIONS, None)


@pytest.mark.parametrize("wrong", [
    {"resolution": 80}, {"batch_size": -1}, {"face_type": "x"}, {"lr_dropout": 0},
    {"optimizer": "sgd"}, {"resolution": 32}])
def test_options_outside_their_domain_are_refused(wrong):
    with pytest.raises(OptionError, match=next(iter(wrong))):
        resolve(Quick96Options, given=wrong)


def test_a_short_training_teaches_masks_and_begins_to_teach_faces(model, first_state, tmp_path):
    """On four faces of each side."""
    facesets = {}
    for number, side in enumerate(Side):
        facesets[side] = write_faceset(tmp_path / side.value, 4, 96, seed=number)
    model.load_state(first_state)
    views = {side: preview_batch(facesets[side], model.recipe(side), [0, 1]) for side in Side}
    before = _errors(model, views)
    losses = _losses_of_training(model, facesets, 140)
    for side in Side:
        course = [loss[side.value] for loss in losses]
        assert np.mean(course[-5:]) < 0.75 * np.mean(course[:5])
    after = _errors(model, views)
    assert after["mask"] < 0.3 * before["mask"]
    for side in Side:  # pictures come slower than masks
        assert after[side.value] < 0.95 * before[side.value]


def _losses_of_training(model, facesets, n_iterations):
    generators = {side: BatchGenerator(facesets[side], model.recipe(side), 2, seed=number)
                  for number, side in enumerate(Side)}
    losses = []
    with generators[Side.SRC], generators[Side.DST]:
        for iteration in range(1, n_iterations + 1):
            if model.needs_new_batch(iteration):
                batches = {side: model.place(generator.next_batch())
                           for side, generator in generators.items()}
            losses.append(model.train_step(iteration, batches).losses)
    return losses


def _errors(model, views):
    """Mean distance of the reconstructions inside their masks, and of dst's mask."""
    rows = model.preview(views)["Quick96"]
    errors = {}
    for side in Side:
        distances = [np.abs(row[side.value] - row[f"{side.value} again"]) for row in rows]
        mask = np.broadcast_to(views[side]["mask"] / 255, np.shape(distances))
        errors[side.value] = float(np.average(distances, weights=mask))
    masks = model.predictor()(views[Side.DST]["target"] / np.float32(255)).dst_mask
    return errors | {"mask": float(np.abs(masks - views[Side.DST]["mask"] / 255).mean())}
