"""`train --model XSeg`: the command with a model that is no swap."""

import hashlib
import shutil

import numpy as np
import pytest

from core.imaging.io import read_image
from core.polygons import Polygon
from core.prompt import ScriptedPrompter
from facelib import weights
from facelib.face_type import FaceType
from facelib.weights import WeightFile
from mainscripts.training import starter
from models.store import ModelStore
from models.weights_file import read_weights_file
from samplelib.face_image import write_face
from samplelib.face_info import FaceInfo
from samplelib.face_labels import write_polygons
from tests.commands import run
from tests.samplelib.conftest import draw_face, mean_landmarks

SIZES = ("--model", "XSeg", "--resolution", "64", "--base", "4", "--dense", "16")
FLAGS = (*SIZES, "--face-type", "f", "--batch-size", "2", "--no-xla", "--lr-dropout", "1",
         "--sample-threads", "1", "--seed", "3")


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """Six faces, two of them with polygons."""
    folder = tmp_path_factory.mktemp("faces") / "aligned"
    folder.mkdir()
    landmarks = mean_landmarks(96, FaceType.FULL)
    for number in range(6):
        path = folder / f"{number}.jpg"
        write_face(path, draw_face(landmarks, 96, 20 + 30 * number),
                   FaceInfo(FaceType.FULL, landmarks))
        if number in (1, 4):
            write_polygons(path, [Polygon([(20, 20), (70, 20), (45, 80)])])
    return folder


@pytest.fixture(scope="module")
def models(faces, tmp_path_factory):
    """A folder with the model `few` after four iterations."""
    folder = tmp_path_factory.mktemp("models")
    outcome = train(faces, folder, "--target-iteration", 4)
    assert outcome.code == 0
    return folder


def train(faces, models, *words, **settings):
    return run("train", "--src-dir", faces, "--model-dir", models, "--name", "few", *FLAGS,
               *words, **settings)


def saved(models, name="few"):
    return ModelStore(models, "XSeg", name).require()


def test_it_is_saved_with_its_loss_and_its_previews(models):
    made = saved(models)
    assert made.progress.history.names == ("loss",) and len(made.progress.history) == 4
    assert np.isfinite(made.progress.history.column("loss")).all()
    assert made.progress.positions == {"faces": 8}
    for name in ("preview.png", "preview_XSeg_training_faces.png", "preview_XSeg_src_faces.png"):
        assert min(read_image(models / "few_XSeg" / name).shape[:2]) >= 3 * 160


def test_it_goes_on_where_it_was(faces, models, tmp_path):
    """Its kind is that of the saved model."""
    shutil.copytree(models, tmp_path / "models")
    outcome = run("train", "--src-dir", faces, "--model-dir", tmp_path / "models", "--name", "few",
                  "--target-iteration", 5, "--preview", "none")
    assert outcome.event("training")["iterations"] == 5
    assert outcome.event("training")["images"] == 2
    made = saved(tmp_path / "models")
    assert made.progress.positions == {"faces": 10}
    np.testing.assert_array_equal(made.progress.history.column("loss")[:4],
                                  saved(models).progress.history.column("loss"))


def test_the_action_of_xseg_has_the_same_flags(faces, tmp_path):
    outcome = run("xseg", "train", "--src-dir", faces, "--model-dir", tmp_path, *FLAGS[2:],
                  "--dry-run")
    assert outcome.event("plan")["model"] == "XSeg"
    assert outcome.event("plan")["options"]["dense"] == 16


def test_a_dry_run_counts_labelled_faces_and_writes_nothing(faces, tmp_path):
    outcome = train(faces, tmp_path / "none", "--dry-run")
    plan = outcome.event("plan")
    assert plan["faces"] == {"labelled (drawn)": 2} and plan["options"]["base"] == 4
    assert "2 labelled (drawn) faces" in plan["message"]
    assert train(faces, tmp_path / "none", "--dry-run", "--labels", "hull").event(
        "plan")["faces"] == {"labelled (hull)": 6}
    assert not (tmp_path / "none").exists()


def test_folders_are_asked_for_and_one_is_enough(faces, tmp_path):
    prompter = ScriptedPrompter({"dst_dir": str(faces)})
    outcome = run("train", "--model-dir", tmp_path, "--name", "few", *FLAGS, "--dry-run",
                  prompter=prompter)
    assert outcome.event("plan")["faces"] == {"labelled (drawn)": 2}
    assert {"src_dir", "dst_dir"} <= set(prompter.asked) and "data_dir" not in prompter.asked
    assert "random_src_flip" not in prompter.asked
    outcome = run("train", "--model-dir", tmp_path, *FLAGS)
    assert "give --src-dir, --dst-dir or both" in outcome.error()


def test_the_starter_gives_a_new_model_its_sizes(faces, models, tmp_path, monkeypatch):
    """The starter here is the model `few`, exported."""
    file = tmp_path / "few.npz"
    run("models", "export-weights", "few", "--model-dir", models, "--output-file", file)
    known = WeightFile("XSeg", file.name, hashlib.sha256(file.read_bytes()).hexdigest(),
                       file.stat().st_size, "MIT", "this test")
    monkeypatch.setattr(weights, "WEIGHTS_FOLDER", tmp_path)
    monkeypatch.setattr(starter, "WEIGHTS", {"xseg": known})
    outcome = run("train", "--src-dir", faces, "--model-dir", tmp_path, "--name", "mine",
                  "--model", "XSeg", "--no-xla", "--batch-size", 2, "--start-from", "starter",
                  "--lr-dropout", 1, "--learning-rate", 1e-6, "--target-iteration", 1,
                  "--preview", "none")
    assert outcome.code == 0 and any("starting from" in line for line in outcome.infos())
    arrays = saved(tmp_path, "mine").arrays["xseg"]
    for path, array in read_weights_file(file).parts["xseg"].items():
        assert np.abs(arrays[path] - array).max() < 1e-3, path
    made = saved(tmp_path, "mine")
    assert [made.options[name] for name in ("resolution", "base", "dense", "face_type")] == [
        64, 4, 16, "f"]
    file.write_bytes(b"damaged")
    outcome = run("train", "--src-dir", faces, "--model-dir", tmp_path, "--name", "other",
                  "--model", "XSeg", "--start-from", "starter", "--dry-run")
    assert "are damaged" in outcome.error()
    outcome = run("train", "--src-dir", faces, "--dst-dir", faces, "--model-dir", tmp_path,
                  "--name", "other", "--model", "Quick96", "--start-from", "starter")
    assert "Quick96 comes without one" in outcome.error()
