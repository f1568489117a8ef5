"""A model on disk, with a real small model."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from core.errors import CheckpointError, ModelNotFound
from models.history import LossHistory
from models.loading import restore
from models.quick96.model import Quick96Model
from models.store import ModelStore, Progress
from tests.models.tiny import OPTIONS


@pytest.fixture(scope="module")
def model():
    return Quick96Model(OPTIONS)


@pytest.fixture
def store(tmp_path):
    return ModelStore(tmp_path / "model", "Quick96", "new")


def progress_at(iteration):
    history = LossHistory()
    for i in range(iteration):
        history.append({"src": 1 / (i + 1), "dst": 0.25}, 0.5)
    return Progress(iteration, iteration / 2, history, {"src": 4 * iteration, "dst": 7}, 0.25)


def test_a_saved_model_comes_back_whole(store, model):
    folder = store.save(model, OPTIONS, progress_at(5), preview_png=b"a picture")
    assert folder.parent == store.folder and store.folder.name == "new_Quick96"
    saved = ModelStore(store.folder.parent, "Quick96", "new").require()
    assert saved.options == asdict(OPTIONS)
    assert saved.number == 1
    assert (saved.progress.iteration, saved.progress.seconds) == (5, 2.5)
    assert saved.progress.positions == {"src": 20, "dst": 7}
    assert saved.progress.guard_rate == 0.25
    np.testing.assert_array_equal(saved.progress.history.column("src"),
                                  np.float32([1, 1 / 2, 1 / 3, 1 / 4, 1 / 5]))
    assert saved.arrays.keys() == model.state().keys() > {"encoder", "generator_optimizer"}
    for stem, arrays in model.state().items():
        assert saved.arrays[stem].keys() == arrays.keys()
        for path, array in arrays.items():
            np.testing.assert_array_equal(saved.arrays[stem][path], array)
    assert (folder / "preview.png").read_bytes() == b"a picture"


def test_a_saved_model_predicts_as_before(store, model):
    store.save(model, OPTIONS, progress_at(1))
    again = restore("Quick96", store.require())
    faces = np.random.default_rng(0).random((1, 64, 64, 3), np.float32)
    np.testing.assert_array_equal(again.predictor()(faces).face, model.predictor()(faces).face)


def test_a_model_without_an_iteration_can_be_saved(store, model):
    store.save(model, OPTIONS, Progress())
    saved = store.require()
    assert saved.progress.iteration == 0 and len(saved.progress.history) == 0
    saved.progress.history.append({"src": 1, "dst": 2}, 3)
    assert saved.progress.history.column("dst").tolist() == [2]


def test_nothing_saved_is_none_and_an_error_where_a_model_is_needed(store):
    assert store.load() is None
    with pytest.raises(ModelNotFound) as caught:
        store.require()
    message = str(caught.value)
    assert str(store.folder) in message and "`train`" in message and "--name" in message
    assert not store.folder.exists()


def test_models_of_other_names_and_kinds_are_apart(store, model):
    store.save(model, OPTIONS, progress_at(2))
    folder = store.folder.parent
    assert ModelStore(folder, "Quick96", "other").load() is None
    assert ModelStore(folder, "SAEHD", "new").load() is None


@pytest.mark.parametrize("change", [{"kind": "SAEHD"}, {"format": 2}, {"format": None}])
def test_a_model_of_another_kind_or_format_is_refused(store, model, change):
    state = {"format": 1, "kind": "Quick96", "options": asdict(OPTIONS), "iteration": 1,
             "seconds": 1.0, "positions": {}} | change
    store.generations.save({**model.state(), "history": LossHistory().state()}, state)
    with pytest.raises(CheckpointError) as caught:
        store.load()
    assert str(store.folder) in str(caught.value)
    assert "not Quick96 of format 1" in str(caught.value)


@pytest.mark.parametrize("damage", [
    lambda folder: (folder / "encoder.h5").write_bytes(b""),
    lambda folder: (folder / "generator_optimizer.h5").unlink(),
    lambda folder: (folder / "history.h5").write_bytes(
        (folder / "history.h5").read_bytes()[:-9]),
    lambda folder: (folder / "state.json").write_text("{"),
])
def test_a_damaged_newest_generation_falls_back_to_the_one_before_with_a_warning(store, model,
                                                                                 damage):
    store.save(model, OPTIONS, progress_at(3))
    damage(store.save(model, OPTIONS, progress_at(8)))
    saved = store.require()
    assert (saved.number, saved.progress.iteration) == (1, 3)
    (problem,) = store.generations.problems
    assert "gen-000002" in problem and "using gen-000001" in problem


def test_a_model_without_a_readable_generation_is_never_begun_anew(store, model):
    folder = store.save(model, OPTIONS, progress_at(3))
    (folder / "encoder.h5").write_bytes(b"")
    with pytest.raises(CheckpointError) as caught:
        store.load()
    assert str(store.folder) in str(caught.value) and "backup" in str(caught.value)


def test_as_many_generations_stay_as_are_wanted(tmp_path, model):
    store = ModelStore(tmp_path, "Quick96", "new", keep=2)
    for iteration in range(1, 5):
        store.save(model, replace(OPTIONS, batch_size=iteration), progress_at(iteration))
    assert store.generations.numbers() == [3, 4]
    assert store.require().options["batch_size"] == 4


def test_the_options_can_be_read_without_facelab(store, model):
    folder = store.save(model, OPTIONS, progress_at(1))
    state = json.loads((folder / "state.json").read_text())
    text = json.dumps(state)
    assert '"resolution": 64' in text and '"kind": "Quick96"' in text


def test_more_losses_come_back_in_their_order(store, model):
    history = LossHistory(("src", "dst", "true face", "gan"))
    history.append({"src": 1, "dst": 2, "gan": 3}, 0.5)
    store.save(model, OPTIONS, Progress(1, 0.5, history))
    found = store.require().progress.history
    assert found.names == ("src", "dst", "true face", "gan")
    assert found.column("gan").tolist() == [3] and np.isnan(found.column("true face")).all()


def test_a_save_of_an_older_version_is_read(store, model):
    """Before the guard, and when sample_threads had another name."""
    options = {("workers" if name == "sample_threads" else name): value
               for name, value in asdict(OPTIONS).items() if not name.startswith("guard")}
    state = {"format": 1, "kind": "Quick96", "options": options, "iteration": 0, "seconds": 0.0,
             "positions": {}}
    store.generations.save({**model.state(), "history": LossHistory().state()}, state)
    saved = store.require()
    assert saved.progress.guard_rate == 1.0 and saved.progress.history.names == ("src", "dst")
    assert saved.options["sample_threads"] == OPTIONS.sample_threads
    assert restore("Quick96", saved).options == OPTIONS


def test_going_back_takes_iteration_and_history_and_keeps_what_was_spent():
    now, then = progress_at(9), progress_at(4)
    now.go_back(then)
    assert (now.iteration, len(now.history)) == (4, 4)
    assert (now.seconds, now.positions["src"], now.guard_rate) == (4.5, 36, 0.25)


def test_a_model_of_ones_own_lies_in_a_folder_named_after_its_class(tmp_path, model):
    kind = "models.quick96.model:Quick96Model"
    store = ModelStore(tmp_path, kind, "mine")
    store.save(model, OPTIONS, progress_at(1))
    assert store.folder.name == "mine_Quick96Model"
    assert isinstance(restore(kind, store.require()), Quick96Model)
    store.folder.rename(tmp_path / "mine_Quick96")
    with pytest.raises(CheckpointError, match="not Quick96"):
        ModelStore(tmp_path, "Quick96", "mine").load()


def test_a_backup_is_a_model_of_its_own(store, model):
    store.save(model, OPTIONS, progress_at(3))
    store.backups.make()
    store.save(model, OPTIONS, progress_at(8))
    assert store.backups.newest()["iteration"] == 3
    kept = ModelStore(store.backups.folder, "Quick96", "new")
    (store.backups.folder / "01").rename(kept.folder)
    assert kept.require().progress.iteration == 3 and store.require().progress.iteration == 8
