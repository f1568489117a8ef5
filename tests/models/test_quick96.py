"""The Quick96 model: repeatable, resumable, and it learns."""

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
from models.trainer import Limits, train
from samplelib.sampler import BatchGenerator, preview_batch
from tests.models.tiny import OPTIONS, options, random_batches

LEARNING = options(learning_rate=2e-3, lr_dropout=0.7, optimizer="adabelief")


def losses_of(model, iterations, seed=0):
    """Losses of some iterations, each on noise of its own."""
    return [model.train_step(iteration, random_batches(seed + iteration))
            for iteration in iterations]


def assert_equal_states(one, other):
    assert one.keys() == other.keys() == {"weights", "optimizer"}
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
    one, other = (Quick96Model(options(seed=seed)).state()["weights"] for seed in (3, 4))
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
        losses[name] = model.train_step(iteration, samples)
    assert losses["third"] == losses["target as input"] != losses["warped"]


def test_an_iteration_moves_weights_of_every_network(model, first_state):
    model.load_state(first_state)
    losses_of(model, (3,))
    moved = {path.split("/")[0] for path, array in model.state()["weights"].items()
             if np.any(array != first_state["weights"][path])}
    assert moved == {path.split("/")[0] for path in first_state["weights"]}


def test_the_losses_of_both_sides_are_separate(model, first_state):
    one, other = random_batches(1), random_batches(2)
    losses = []
    for batches in (one, {Side.SRC: one[Side.SRC], Side.DST: other[Side.DST]}):
        model.load_state(first_state)
        losses.append(model.train_step(1, batches))
    assert losses[0]["src"] == pytest.approx(losses[1]["src"], rel=1e-5)
    assert abs(losses[0]["dst"] - losses[1]["dst"]) > 1e-4


def test_weights_that_do_not_fit_are_refused_by_name(model, first_state):
    path = next(iter(first_state["weights"]))
    with pytest.raises(ValueError, match=path):
        model.load_state({"weights": first_state["weights"] | {path: np.zeros(3)}})
    with pytest.raises(KeyError, match="unknown: .*more"):
        model.load_state({"weights": first_state["weights"] | {"more": np.zeros(3)}})


def test_the_preview_shows_a_row_for_each_face(model, first_state):
    model.load_state(first_state)
    batches = random_batches(5)
    rows = model.preview(batches)
    assert len(rows) == 2
    assert list(rows[0]) == ["src", "src again", "dst", "dst again", "swap", "swap pasted"]
    for k, row in enumerate(rows):
        assert all(picture.shape == (64, 64, 3) and 0 <= picture.min() and picture.max() <= 1
                   for picture in row.values())
        assert np.array_equal(row["src"], batches[Side.SRC]["target"][k])
        assert np.array_equal(row["dst"], batches[Side.DST]["target"][k])
    swap = model.predictor()(batches[Side.DST]["target"])
    assert np.array_equal(rows[1]["swap"], swap.face[1])
    mask = swap.face_mask[1] * swap.dst_mask[1]
    np.testing.assert_allclose(
        rows[1]["swap pasted"], mask * rows[1]["swap"] + (1 - mask) * rows[1]["dst"], atol=1e-6)


def test_swap_and_reconstruction_use_the_decoders_of_their_sides(model, first_state):
    """The swap of dst's face is what src's decoder makes of it."""
    model.load_state(first_state)
    batches = random_batches(5)
    turned = {Side.SRC: batches[Side.DST], Side.DST: batches[Side.DST]}
    rows = model.preview(turned)
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
    {"resolution": 80}, {"batch_size": 0}, {"face_type": "x"}, {"lr_dropout": 0},
    {"optimizer": "sgd"}, {"resolution": 32}])
def test_options_outside_their_domain_are_refused(wrong):
    with pytest.raises(OptionError, match=next(iter(wrong))):
        resolve(Quick96Options, given=wrong)


def test_thirty_iterations_teach_masks_and_begin_to_teach_faces(model, first_state, tmp_path):
    """On four faces of each side."""
    facesets = {}
    for number, side in enumerate(Side):
        (tmp_path / side.value).mkdir()
        facesets[side] = write_faceset(tmp_path / side.value, 4, 96, seed=number)
    model.load_state(first_state)
    views = {side: preview_batch(facesets[side], model.recipe(side), [0, 1]) for side in Side}
    before = _errors(model, views)
    progress = Progress()
    generators = {side: BatchGenerator(facesets[side], model.recipe(side), 2, seed=number)
                  for number, side in enumerate(Side)}
    with generators[Side.SRC], generators[Side.DST]:
        train(model, generators, progress, Limits(iteration=30), on_iteration=lambda _: None)
    for name in ("src", "dst"):
        losses = progress.history.column(name)
        assert losses[-5:].mean() < 0.75 * losses[:5].mean()
    after = _errors(model, views)
    assert after["mask"] < 0.3 * before["mask"]
    for side in Side:  # pictures come slower than masks
        assert after[side.value] < 0.95 * before[side.value]
    assert progress.positions == {"src": 40, "dst": 40}  # every third of 30 took none


def _errors(model, views):
    """Mean distance of the reconstructions inside their masks, and of dst's mask."""
    rows = model.preview(views)
    errors = {}
    for side in Side:
        distances = [np.abs(row[side.value] - row[f"{side.value} again"]) for row in rows]
        mask = np.broadcast_to(views[side]["mask"], np.shape(distances))
        errors[side.value] = float(np.average(distances, weights=mask))
    masks = model.predictor()(views[Side.DST]["target"]).dst_mask
    return errors | {"mask": float(np.abs(masks - views[Side.DST]["mask"]).mean())}
