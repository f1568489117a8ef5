"""S3FD and FAN are trained on photographs that FaceLab labels itself, and then find faces."""

import json
import shutil

import numpy as np
import pytest

from core.errors import UsageError
from core.imaging.io import read_image
from core.video import read_frames
from facelib.registry import DETECTORS, LANDMARKERS
from facelib.user_weights import read_weights, user_path
from facelib.weights import load_weights
from models.fan.data import FANData
from models.fan.options import FANOptions
from models.finder_weights import network_name
from models.s3fd.data import S3FDData
from models.s3fd.options import S3FDOptions
from models.training_data import Folders, Share
from samplelib.photographs import labels_path, load_photographs
from tests.commands import run
from tests.samplelib.photos import make_photos

SMALL = {"S3FD": ("--width", "0.125", "--scene-side", "128", "--batch-size", "2"),
         "FAN": ("--width", "0.125", "--n-stacks", "1", "--batch-size", "2")}


class NowherePlaced:
    """A model whose arrays stay where they are."""

    def place(self, batch):
        return batch


@pytest.fixture(scope="module", name="photos")
def fixture_photos(clips, tmp_path_factory):
    """Two frames of a clip, as pictures without labels."""
    from core.imaging.io import write_image

    folder = tmp_path_factory.mktemp("photos")
    for frame in read_frames(clips["dst"], indices=[0, 9]):
        write_image(folder / f"{frame.index}.png", frame.image)
    return folder


@pytest.fixture(scope="module", name="trained")
def fixture_trained(photos, tmp_path_factory):
    """Kind -> folder of models with one that was trained for two iterations."""
    folder = tmp_path_factory.mktemp("models")
    for kind, shape in SMALL.items():
        outcome = run("train", "--model", kind, "--name", "tiny", "--data-dir", photos,
                      "--model-dir", folder, "--target-iteration", "2", "--no-xla", *shape)
        assert outcome.code == 0, outcome.events
    return folder


def test_the_teachers_label_what_has_no_labels(trained, photos):
    loaded = load_photographs(photos)
    assert len(loaded.faces) == 2 and not loaded.plain
    labels = json.loads(labels_path(photos / "0.png").read_text())
    assert labels["origin"] == "yunet, facemesh"
    (face,) = DETECTORS.load("yunet")().detect([read_image(photos / "0.png")])[0]
    (landmarks,) = loaded.faces[0].landmarks
    inside = ((landmarks > face.box[:2] - 5) & (landmarks < face.box[2:] + 5)).all(axis=1)
    assert inside.mean() > 0.95


@pytest.mark.parametrize("kind", SMALL)
def test_previews_and_generations_are_saved(trained, kind):
    folder = trained / f"tiny_{kind}"
    assert read_image(folder / f"preview_{kind}.png").shape[0] > 500
    outcome = run("models", "info", "tiny", "--kind", kind, "--model-dir", trained)
    assert outcome.code == 0
    assert run("models", "list", "--model-dir", trained).code == 0


def test_batch_norms_followed_the_crops(trained):
    """Running means start at zero and variances at one; two steps move them off."""
    from core.report import SilentReporter
    from mainscripts.models_store import load_saved
    from models.catalog import find
    from models.loading import restore

    entry = find(trained, "tiny", "FAN")
    state = restore("FAN", load_saved(entry, SilentReporter())).parts()["fan"].state()
    assert all(np.any(state[path] != 0) for path in state if path.endswith("running_mean"))
    assert all(np.any(state[path] != 1) for path in state if path.endswith("running_var"))


@pytest.mark.parametrize(("kind", "name"), [("S3FD", "s3fd"), ("FAN", "2dfan")])
def test_a_trained_network_is_installed_for_extraction(trained, kind, name, monkeypatch, tmp_path):
    monkeypatch.setenv("FACELAB_DATA_DIR", str(tmp_path))
    words = "models", "export-network", "tiny", "--kind", kind, "--model-dir", trained
    assert run(*words).code == 0
    weights = load_weights(name)
    assert weights.about["origin"] == "trained by FaceLab, 2 iterations"
    assert weights.about["width"] == "0.125"
    assert run(*words).code == 2  # it is there
    assert run(*words, "--overwrite").code == 0
    picture = np.zeros((120, 160, 3), np.uint8)
    if kind == "S3FD":
        assert weights.about["least_overlap"] == "0.1"
        assert len(DETECTORS.load(name)().detect([picture])) == 1
    else:
        assert LANDMARKERS.load(name)().extract([picture], [[]])[0].shape == (0, 68, 2)


def test_a_file_of_half_precision_holds_the_rounded_weights(trained, tmp_path):
    files = {dtype: tmp_path / f"{dtype}.npz" for dtype in ("float16", "float32")}
    for dtype, path in files.items():
        assert run("models", "export-network", "tiny", "--kind", "S3FD", "--model-dir", trained,
                   "--output-file", path, "--dtype", dtype).code == 0
    half, whole = (read_weights(files[dtype], dtype).state for dtype in files)
    assert files["float16"].stat().st_size < 0.75 * files["float32"].stat().st_size
    for path, array in whole.items():
        np.testing.assert_array_equal(half[path], array.astype(np.float16).astype(np.float32))
    assert not user_path("s3fd").exists()


def test_models_that_find_no_faces_are_refused():
    with pytest.raises(UsageError, match="finds no faces"):
        network_name("Quick96")
    with pytest.raises(UsageError, match="--network 2dfan or 3dfan"):
        network_name("FAN", "s3fd")
    assert network_name("fan", "3dfan") == "3dfan"


@pytest.mark.parametrize(("data", "options"), [
    (S3FDData, S3FDOptions(scene_side=128, batch_size=4, sample_threads=3, seed=2)),
    (FANData, FANOptions(batch_size=4, sample_threads=3, seed=2))])
def test_samples_follow_from_seed_and_position(data, options, tmp_path):
    make_photos(tmp_path)
    loaded = data.load(Folders(data_dir=tmp_path), options, warn=print)
    assert loaded.counts() == {"photographs": 5, "faces": 3}
    with loaded.sources(NowherePlaced(), Share(0, 4))["photos"] as source:
        first, second = source.next_batch(), source.next_batch()
    with loaded.sources(NowherePlaced(), Share(1, 2, {"photos": 4}))["photos"] as source:
        rows = source.next_batch()
        assert source.position == 8
    for name, array in rows.items():
        np.testing.assert_array_equal(array, second[name][1:3])
        assert not np.array_equal(first[name], second[name])


def test_two_folders_with_the_same_files_have_one_fingerprint(tmp_path):
    make_photos(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    prints = [FANData.load(Folders(data_dir=tmp_path / name), FANOptions(), print).fingerprints()
              for name in "ab"]
    assert prints[0] == prints[1] and prints[0]["photos"].startswith("5 photographs ")
