"""merge, on real frames with a real small model."""

import cv2
import numpy as np
import pytest

from core.generations import GenerationStore
from core.imaging.io import read_image
from core.paths import image_paths
from core.provenance import read_manifest
from tests.commands import run


def merged(workspace, name=""):
    return workspace.path("data_dst/merged") / name


def masks(workspace, name=""):
    return workspace.path("data_dst/merged_mask") / name


@pytest.fixture
def merged_workspace(workspace):
    assert run(*workspace.merge_words()).code == 0
    return workspace


def test_every_frame_is_merged_inside_its_mask_and_signed(workspace):
    assert run(*workspace.merge_words(), "--mask-mode", "dst").code == 0  # needs no trained mask
    frames = image_paths(workspace.path("data_dst"))
    assert [path.stem for path in image_paths(merged(workspace))] == [
        path.stem for path in frames]
    for frame in frames:
        before = read_image(frame).astype(int)
        after = read_image(merged(workspace, frame.name)).astype(int)
        mask = cv2.imread(str(masks(workspace, frame.name)), cv2.IMREAD_GRAYSCALE)
        assert mask.shape == before.shape[:2]
        assert np.array_equal(after[mask == 0], before[mask == 0])
        assert 0.005 < (mask > 127).mean() < 0.5
        assert np.abs(after - before)[mask > 127].mean() > 3
    manifest = read_manifest(merged(workspace, frames[0].name))
    assert manifest.is_valid
    assert manifest.digital_source_type.endswith("compositeWithTrainedAlgorithmicMedia")


def test_frames_that_stay_as_they_came_carry_no_mark(workspace):
    assert run(*workspace.merge_words(), "--mode", "original").code == 0
    for frame in image_paths(workspace.path("data_dst")):
        assert np.array_equal(read_image(merged(workspace, frame.name)), read_image(frame))
        assert read_manifest(merged(workspace, frame.name)).state == "missing"


def test_raw_predictions_have_the_models_size_and_are_black_without_a_face(workspace):
    workspace.path("data_dst/aligned/00004_0.jpg").unlink()
    assert run(*workspace.merge_words(), "--mode", "raw-predict", "--mask-mode", "dst").code == 0
    frames = image_paths(workspace.path("data_dst"))
    pictures = {frame.name: read_image(merged(workspace, frame.name)) for frame in frames}
    assert len({picture.shape for picture in pictures.values()}) == 1
    side, width, _ = pictures["00004.png"].shape
    assert side == width < min(read_image(frames[0]).shape[:2])
    for name, picture in pictures.items():
        mask = cv2.imread(str(masks(workspace, name)), cv2.IMREAD_GRAYSCALE)
        assert mask.shape == (side, side)
        assert picture.any() == mask.any() == (name != "00004.png")
        state = read_manifest(merged(workspace, name)).state
        assert (state == "missing") == (name == "00004.png")


def test_running_again_changes_nothing_and_says_so(merged_workspace):
    before = merged_workspace.snapshot()
    outcome = run(*merged_workspace.merge_words())
    assert outcome.code == 0 and "nothing left to do" in outcome.infos()[-1]
    assert merged_workspace.snapshot() == before


def test_what_is_missing_is_merged_again_alike(merged_workspace):
    before = merged_workspace.snapshot("*.png")
    merged(merged_workspace, "00002.png").unlink()
    masks(merged_workspace, "00005.png").unlink()
    outcome = run(*merged_workspace.merge_words())
    assert outcome.event("merging")["done_now"] == 2
    after = merged_workspace.snapshot("*.png")
    assert after.keys() == before.keys()
    # Signatures differ; pictures do not.
    assert after["data_dst/merged_mask/00005.png"] == before["data_dst/merged_mask/00005.png"]


def test_changed_options_are_refused_and_leave_all_files_untouched(merged_workspace):
    before = merged_workspace.snapshot()
    outcome = run(*merged_workspace.merge_words(), "--mode", "seamless", "--erode-mask", 5)
    assert outcome.code == 2
    message = outcome.error()
    assert str(merged(merged_workspace)) in message and "--overwrite" in message
    assert "mode 'overlay' instead of 'seamless'" in message
    assert merged_workspace.snapshot() == before


def test_changed_options_replace_every_frame_with_overwrite(merged_workspace):
    before = merged_workspace.snapshot("*.png")
    outcome = run(*merged_workspace.merge_words(), "--mode", "seamless", "--overwrite")
    assert outcome.code == 0 and outcome.event("merging")["done_now"] == 12
    after = merged_workspace.snapshot("*.png")
    assert after.keys() == before.keys()
    for frame in image_paths(merged_workspace.path("data_dst")):
        name = f"data_dst/merged/{frame.name}"
        assert after[name] != before[name]
    outcome = run(*merged_workspace.merge_words(), "--mode", "seamless")
    assert outcome.code == 0 and outcome.event("merging")["done_now"] == 0


def test_overwrite_drops_frames_that_are_no_longer_wanted(merged_workspace):
    merged_workspace.path("data_dst/00012.png").unlink()
    outcome = run(*merged_workspace.merge_words(), "--blur-mask", 3, "--overwrite")
    assert outcome.code == 0
    assert not merged(merged_workspace, "00012.png").exists()
    assert not masks(merged_workspace, "00012.png").exists()
    assert len(image_paths(merged(merged_workspace))) == 11


def save_again(workspace):
    """Writes the model as one more generation; returns its folder."""
    store = GenerationStore(workspace.path("model/new_Quick96"))
    saved = store.load()
    return store.save(saved.arrays, saved.state)


def test_a_model_saved_since_asks_for_overwrite(merged_workspace):
    save_again(merged_workspace)
    outcome = run(*merged_workspace.merge_words())
    assert outcome.code == 2 and "generation 1 instead of 2" in outcome.error()
    outcome = run(*merged_workspace.merge_words(), "--overwrite")
    assert outcome.code == 0 and outcome.event("merging")["done_now"] == 12


def test_a_frame_whose_face_was_deleted_is_merged_again_without_it(merged_workspace):
    merged_workspace.path("data_dst/aligned/00004_0.jpg").unlink()
    outcome = run(*merged_workspace.merge_words())
    facts = outcome.event("merging")
    # And those around it, in whose colours it had a say.
    assert (facts["done_now"], facts["merged"], facts["frames"]) == (8, 11, 12)
    frame = read_image(merged_workspace.path("data_dst/00004.png"))
    assert np.array_equal(read_image(merged(merged_workspace, "00004.png")), frame)
    assert read_image(masks(merged_workspace, "00004.png")).max() == 0
    assert read_manifest(merged(merged_workspace, "00004.png")).state == "missing"


def test_faces_of_other_frames_merge_nothing(workspace):
    words = list(workspace.merge_words())
    words[words.index("--input-dir") + 1] = workspace.path("data_src/aligned")
    outcome = run(*words)
    assert outcome.code == 1
    message = outcome.error()
    assert str(workspace.path("data_dst/aligned")) in message
    assert str(workspace.path("data_src/aligned")) in message and "extract" in message
    assert not merged(workspace).exists()


def test_without_a_model_nothing_is_made(faces_workspace):
    before = faces_workspace.snapshot()
    outcome = run(*faces_workspace.merge_words())
    assert outcome.code == 1
    assert str(faces_workspace.path("model/new_Quick96")) in outcome.error()
    assert "`train`" in outcome.error() and "--name" in outcome.error()
    assert faces_workspace.snapshot() == before


def test_a_damaged_generation_falls_back_with_a_warning(workspace):
    (save_again(workspace) / "encoder.h5").write_bytes(b"")
    outcome = run(*workspace.merge_words())
    assert outcome.code == 0
    assert any("gen-000002" in line and "using gen-000001" in line
               for line in outcome.warnings())


@pytest.mark.parametrize("name", ["output_dir", "model_dir"])
def test_a_folder_that_is_not_named_is_asked_for(workspace, name):
    words = [str(word) for word in workspace.merge_words()]
    place = words.index("--" + name.replace("_", "-"))
    outcome = run(*words[:place], *words[place + 2:])
    assert outcome.code == 2
    assert outcome.error() == f"--{name.replace('_', '-')} missing; see --help"
