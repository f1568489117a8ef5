"""models export-weights, export-options, resize, and import of what FaceLab itself wrote."""

import os
import shutil
import subprocess

import numpy as np
import pytest

from core.generations import GenerationStore
from core.options import load_toml, resolve
from models.backups import Backups
from models.loading import restore
from models.registry import options_type
from models.store import ModelStore
from models.weights_file import WeightsFile, write_weights_file
from tests.commands import run
from tests.models.saved import (
    as_saved,
    assert_equal_states,
    save,
    snapshot,
    tiny_model,
    tiny_options,
)

JUDGED = {"archi": "df-ud", "gan_power": 0.1, "gan_dims": 4}
NETWORKS = {"encoder", "inter", "decoder_src", "decoder_dst"}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The store of a SAEHD with a discriminator, named "new"; not to be changed."""
    return save(tmp_path_factory.mktemp("models"), "SAEHD", "new", tiny_model("SAEHD", **JUDGED))


@pytest.fixture
def models(source):
    """A function (action, ...) that runs it in the folder of "new"."""
    def call(action, *words):
        return run("models", action, *words, "--model-dir", source.folder.parent)

    return call


def import_from(path, model_dir, *words):
    return run("models", "import", path, "--model-dir", model_dir, *words)


def networks_of(saved):
    return {stem: arrays for stem, arrays in saved.arrays.items() if stem in NETWORKS}


# -- weights --------------------------------------------------------------------------------------

def test_weights_go_out_and_come_in_under_the_name_of_their_file(models, source, tmp_path):
    path = tmp_path / "sub" / "alice.npz"
    outcome = models("export-weights", "new", "--output-file", path, "--dtype", "float32")
    assert outcome.code == 0
    exported = outcome.event("exported")
    assert exported["files"] == [str(path)] and exported["bytes"] == path.stat().st_size
    outcome = import_from(path, tmp_path / "models")
    imported = outcome.event("imported")
    assert (imported["name"], imported["model_kind"]) == ("alice", "SAEHD")
    assert imported["notes"] == ["GAN starts anew: the weights hold none",
                                 "optimizers start anew"]
    found, wanted = ModelStore(tmp_path / "models", "SAEHD", "alice").require(), source.require()
    assert_equal_states(networks_of(found), networks_of(wanted))
    assert found.options == wanted.options and found.progress.iteration == 6
    assert not found.arrays["generator_optimizer"]["mean/encoder/down1/downs_0/conv1/weight"].any()


def test_half_precision_is_the_default_and_half_as_large(models, source, tmp_path):
    models("export-weights", "new", "--output-file", tmp_path / "a.npz")
    models("export-weights", "new", "--output-file", tmp_path / "b.npz", "--dtype", "float32",
           "--training-networks")
    with np.load(tmp_path / "a.npz") as half, np.load(tmp_path / "b.npz") as full:
        assert half["encoder/down1/downs_0/conv1/weight"].dtype == np.float16
        assert set(full.files) - set(half.files) == {
            f"GAN/{path}" for path in source.require().arrays["GAN"]}
    outcome = import_from(tmp_path / "b.npz", tmp_path / "models", "--name", "c")
    assert outcome.event("imported")["notes"] == ["optimizers start anew"]


@pytest.mark.parametrize("action, name", [("export-weights", "a.npz"),
                                          ("export-options", "a.toml")])
def test_no_file_is_replaced_unasked(action, name, models, tmp_path):
    path = tmp_path / name
    path.write_text("mine")
    outcome = models(action, "new", "--output-file", path)
    assert outcome.code == 2 and "exists; choose another name, or say --overwrite" in (
        outcome.error())
    assert path.read_text() == "mine"
    outcome = models(action, "new", "--output-file", tmp_path / "a.txt")
    assert outcome.code == 2 and f"is written as {path.suffix}" in outcome.error()
    assert models(action, "new", "--output-file", path, "--overwrite").code == 0
    assert path.read_bytes() != b"mine"


def test_weights_that_lack_a_network_start_a_model_and_are_none(source, tmp_path):
    saved = source.require()
    parts = {stem: arrays for stem, arrays in networks_of(saved).items() if stem != "inter"}
    write_weights_file(tmp_path / "a.npz", WeightsFile("SAEHD", saved.options, 6, parts))
    outcome = import_from(tmp_path / "a.npz", tmp_path / "models")
    assert outcome.code == 1 and "does not hold the whole model (inter starts anew" in (
        outcome.error())
    assert not (tmp_path / "models").exists()


def test_code_of_somebodys_own_is_not_run_unasked(tmp_path):
    model, kind = tiny_model("Quick96"), "models.quick96.model:Quick96Model"
    parts = {stem: module.state() for stem, module in model.parts().items()}
    path, model_dir = tmp_path / "a.npz", tmp_path / "models"
    write_weights_file(path, WeightsFile(kind, as_saved(model.options), 6, parts))
    outcome = import_from(path, model_dir)
    assert outcome.code == 2
    assert f"code of somebody's own; if you trust it, say --kind {kind}" in outcome.error()
    outcome = import_from(path, model_dir, "--kind", "AMP")
    assert outcome.code == 2 and f"holds a {kind} model, not AMP" in outcome.error()
    assert not model_dir.exists()
    assert import_from(path, model_dir, "--kind", kind).code == 0
    assert (model_dir / "a_Quick96Model").is_dir()


def test_wrong_options_in_a_file_are_told(tmp_path):
    write_weights_file(tmp_path / "a.npz", WeightsFile("SAEHD", {"resolution": 65}, 6, {}))
    outcome = import_from(tmp_path / "a.npz", tmp_path / "models")
    assert outcome.code == 2 and "option resolution must be a multiple of 16" in outcome.error()
    assert not (tmp_path / "models").exists()


# -- folders --------------------------------------------------------------------------------------

def test_a_models_folder_comes_in_whole(source, tmp_path):
    outcome = import_from(source.folder, tmp_path / "models", "--name", "alice")
    assert outcome.code == 0 and outcome.event("imported")["notes"] == []
    found = ModelStore(tmp_path / "models", "SAEHD", "alice").require()
    assert_equal_states(found.arrays, source.require().arrays)


def test_a_backup_comes_in_under_the_name_of_its_model(source, tmp_path):
    folder = shutil.copytree(source.folder, tmp_path / "here" / "new_SAEHD", copy_function=os.link)
    path = Backups(GenerationStore(folder)).make()
    outcome = import_from(path, tmp_path / "here")
    assert outcome.code == 2 and "new_SAEHD exists; choose another name" in outcome.error()
    assert import_from(path, tmp_path / "models").event("imported")["name"] == "new"
    found = ModelStore(tmp_path / "models", "SAEHD", "new").require()
    assert_equal_states(found.arrays, source.require().arrays)


def test_a_damaged_folder_gives_its_last_whole_generation_and_says_so(tmp_path):
    folder = save(tmp_path / "here", "Quick96", "new", iterations=4).folder
    save(tmp_path / "here", "Quick96", "new", iterations=6)
    (folder / "gen-000002" / "inter.h5").write_bytes(b"x")
    outcome = import_from(folder, tmp_path / "models")
    assert outcome.code == 0 and "using gen-000001" in outcome.infos()[0]
    assert ModelStore(tmp_path / "models", "Quick96", "new").require().progress.iteration == 4
    (folder / "gen-000001" / "inter.h5").write_bytes(b"x")
    outcome = import_from(folder, tmp_path / "models", "--name", "other")
    assert outcome.code == 1 and "no saved generation can be read" in outcome.error()
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["new_Quick96"]


# -- options --------------------------------------------------------------------------------------

def test_options_go_out_as_train_reads_them(models, extracted, tmp_path):
    path = tmp_path / "sub" / "new.toml"
    outcome = models("export-options", "new", "--output-file", path)
    assert outcome.code == 0
    assert f"`train --config {path}`" in outcome.event("exported")["message"]
    assert path.read_text().startswith("# new, 6 iterations.\n[train]\nmodel = \"SAEHD\"\n")
    values = load_toml(path, "train")
    assert values.pop("model") == "SAEHD"
    assert resolve(options_type("SAEHD"), file=values) == tiny_options("SAEHD", **JUDGED)
    outcome = run("train", "--config", path, "--model-dir", tmp_path / "models", "--name", "other",
                  "--src-dir", extracted.path("data_src/aligned"),
                  "--dst-dir", extracted.path("data_dst/aligned"), "--dry-run")
    assert outcome.code == 0, outcome.events
    assert outcome.event("plan")["options"] == as_saved(tiny_options("SAEHD", **JUDGED))


# -- resolution -----------------------------------------------------------------------------------

def test_a_resized_model_is_a_second_one_that_can_be_used(models, source, tmp_path):
    before = snapshot(source.folder)
    outcome = models("resize", "new", "--resolution", 96, "--new-name", "larger")
    # Its patch grows with the resolution, and so does the discriminator.
    assert outcome.event("resized")["notes"] == [
        "GAN starts anew: the weights are of another size"]
    assert "train it for a while before you merge with it" in outcome.event("resized")["message"]
    assert snapshot(source.folder) == before
    saved = ModelStore(source.folder.parent, "SAEHD", "larger").require()
    assert saved.progress.iteration == 6 and saved.options["resolution"] == 96
    kept = "decoder_src", "upscale0/conv1/weight"
    np.testing.assert_array_equal(saved.arrays[kept[0]][kept[1]],
                                  source.require().arrays[kept[0]][kept[1]])
    faces = np.random.default_rng(0).random((1, 96, 96, 3), np.float32)
    assert restore("SAEHD", saved).predictor()(faces).face.shape == (1, 96, 96, 3)
    shutil.rmtree(source.folder.parent / "larger_SAEHD")


@pytest.mark.parametrize("words, code, line", [
    (("--resolution", 64, "--new-name", "x"), 2, "a resolution of 64 already"),
    (("--resolution", 72, "--new-name", "x"), 2, "must be a multiple of 16"),
    (("--resolution", 80, "--new-name", "x"), 2, "use a multiple of 32, such as 64"),
    (("--resolution", 96, "--new-name", "new"), 2, "new_SAEHD exists; choose another name"),
    (("--resolution", 9, "--new-name", "x"), 2, "must be between 32 and 1024"),
    (("--resolution", 96, "--new-name", "a/b"), 2, "cannot be a model's name")])
def test_resolutions_and_names_that_cannot_be_are_refused(words, code, line, models, source):
    before = snapshot(source.folder.parent)
    outcome = models("resize", "new", *words)
    assert outcome.code == code and line in outcome.error()
    assert snapshot(source.folder.parent) == before


# -- a full disk ----------------------------------------------------------------------------------

@pytest.fixture
def small_disk(tmp_path):
    """A folder on a file system of 8 MB, less than the model."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder],
                          capture_output=True)
    if made.returncode:
        pytest.skip("needs the right to mount a file system")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.parametrize("action, words", [
    ("export-weights", ("--dtype", "float32", "--output-file", "{}/a.npz")),
    ("export-dfl", ("--output-dir", "{}/dfl"))])
def test_a_full_disk_is_told_and_no_part_of_an_export_stays(action, words, models, small_disk):
    outcome = models(action, "new", *(word.format(small_disk) for word in words))
    assert outcome.code == 1 and str(small_disk) in outcome.error()
    assert "free some space" in outcome.error()
    assert list(small_disk.iterdir()) == []


def test_a_full_disk_is_told_and_no_part_of_an_import_stays(models, source, small_disk, tmp_path):
    models("export-weights", "new", "--output-file", tmp_path / "a.npz")
    for path in (tmp_path / "a.npz", source.folder):
        outcome = import_from(path, small_disk)
        assert outcome.code == 1 and "free some space" in outcome.error()
        assert list(small_disk.iterdir()) == []
