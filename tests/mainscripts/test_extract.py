"""extract, on real frames."""

import json
import shutil

import numpy as np
import pytest

from core.imaging.io import read_image, write_image
from core.paths import image_paths
from core.pipeline import Failed
from core.report import SilentReporter
from facelib.align import crop_face
from mainscripts.extract import ExtractOptions, extract
from samplelib.face_image import read_face
from samplelib.faceset import load_faceset
from tests.commands import ROOT, run

MULTI_FACE = ROOT / "tests/data/multi_face.jpg"


def aligned(workspace, side="src"):
    return workspace.path(f"data_{side}/aligned")


def journal_lines(workspace, side="src"):
    text = (aligned(workspace, side) / "extraction.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_every_frame_gives_its_face_with_all_that_is_known_of_it(extracted):
    frames = image_paths(extracted.path("data_src"))
    faces = load_faceset(aligned(extracted)).faces
    assert [face.path.name for face in faces] == [f"{frame.stem}_0.jpg" for frame in frames]
    for index, (frame, face) in enumerate(zip(frames, faces, strict=True)):
        picture, info = read_face(face.path)
        image = read_image(frame)
        assert picture.shape == (256, 256, 3)
        assert (info.source_filename, info.frame_index) == (frame.name, index)
        assert info.source_size == image.shape[:2] and info.score > 0.5
        again = crop_face(image, info.image_to_face_mat, 256)
        assert np.abs(again.astype(int) - picture).mean() < 3  # what the JPEG changes
        x1, y1, x2, y2 = info.source_rect
        centre = info.source_landmarks.mean(0)
        assert x1 < centre[0] < x2 and y1 < centre[1] < y2


def test_running_again_changes_nothing_and_says_so(faces_workspace):
    before = faces_workspace.snapshot()
    outcome = run(*faces_workspace.extract_words("src"))
    assert outcome.code == 0
    assert "nothing left to do" in outcome.infos()[-1]
    assert outcome.event("extraction")["done_now"] == 0
    assert faces_workspace.snapshot() == before


def test_an_interrupted_extraction_does_only_the_rest(faces_workspace):
    whole = faces_workspace.snapshot()
    journal = aligned(faces_workspace) / "extraction.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:8]) + lines[8][:20])  # header, 7 frames, a torn line
    for number in (9, 10, 11, 12):
        (aligned(faces_workspace) / f"{number:05d}_0.jpg").unlink()
    outcome = run(*faces_workspace.extract_words("src"))
    assert outcome.code == 0 and outcome.event("extraction")["done_now"] == 5
    assert outcome.event("extraction")["faces"] == 12
    assert faces_workspace.snapshot() == whole


def test_faces_deleted_by_hand_stay_deleted_until_overwrite(faces_workspace):
    whole = faces_workspace.snapshot("*.jpg")
    (aligned(faces_workspace) / "00003_0.jpg").unlink()
    outcome = run(*faces_workspace.extract_words("src"))
    assert outcome.code == 0
    assert outcome.infos()[-1] == ("11 faces in 11 of 12 frames, nothing left to do (1 deleted "
                                   "since; --overwrite brings them back)")
    assert not (aligned(faces_workspace) / "00003_0.jpg").exists()
    outcome = run(*faces_workspace.extract_words("src"), "--overwrite")
    assert outcome.event("extraction")["done_now"] == 1
    assert faces_workspace.snapshot("*.jpg") == whole


def test_other_settings_are_refused_and_replace_all_faces_with_overwrite(tmp_path):
    frames, output = tmp_path / "frames", tmp_path / "aligned"
    frames.mkdir()
    shutil.copy(MULTI_FACE, frames / "a.jpg")
    words = ("extract", "--input-dir", frames, "--output-dir", output)
    assert run(*words).code == 0
    names = {path.name for path in image_paths(output)}
    assert len(names) > 1
    before = {name: (output / name).read_bytes() for name in names}
    outcome = run(*words, "--max-faces", 1, "--image-size", 128)
    assert outcome.code == 2
    assert str(output) in outcome.error() and "--overwrite" in outcome.error()
    assert "max_faces 0 instead of 1" in outcome.error()
    assert {path.name: path.read_bytes() for path in image_paths(output)} == before
    assert run(*words, "--max-faces", 1, "--image-size", 128, "--overwrite").code == 0
    (face,) = image_paths(output)  # none of the former ones is left among them
    assert read_image(face).shape == (128, 128, 3)


def test_a_moved_workspace_goes_on_where_it_was(faces_workspace, tmp_path):
    moved = type(faces_workspace)(faces_workspace.folder.rename(tmp_path / "elsewhere"))
    outcome = run(*moved.extract_words("dst"))
    assert outcome.code == 0 and outcome.event("extraction")["done_now"] == 0


def test_new_frames_are_added(faces_workspace):
    shutil.copy(faces_workspace.path("data_src/00001.png"),
                faces_workspace.path("data_src/00013.png"))
    outcome = run(*faces_workspace.extract_words("src"))
    assert outcome.event("extraction")["done_now"] == 1
    assert outcome.event("extraction")["faces"] == 13


def test_a_frame_without_a_face_is_noted_and_not_looked_at_again(faces_workspace):
    write_image(faces_workspace.path("data_src/00013.png"), np.zeros((90, 160, 3), np.uint8))
    for done_now in (1, 0):
        outcome = run(*faces_workspace.extract_words("src"))
        assert outcome.code == 0
        facts = outcome.event("extraction")
        assert (facts["done_now"], facts["frames_with_faces"], facts["frames"]) == (
            done_now, 12, 13)
    assert journal_lines(faces_workspace)[-1] == {"item": "00013.png", "faces": []}


def test_options_shape_the_faces(frames_workspace, tmp_path):
    outcome = run(*frames_workspace.extract_words("src"), "--image-size", 128, "--face-type", "wf",
                  "--jpeg-quality", 60)
    assert outcome.code == 0
    face = load_faceset(aligned(frames_workspace)).faces[0]
    assert face.info.face_type.short == "wf"
    assert read_image(face.path).shape == (128, 128, 3)


def test_the_smallest_face_kept_can_be_set(frames_workspace):
    outcome = run(*frames_workspace.extract_words("src"), "--min-face-size", 200)
    assert outcome.code == 1
    assert str(frames_workspace.path("data_src")) in outcome.error()
    assert "--min-face-size" in outcome.error()


def test_stages_and_seconds_are_told(frames_workspace):
    options = ExtractOptions(frames_workspace.path("data_dst"), aligned(frames_workspace, "dst"))
    result = extract(options, SilentReporter())
    assert result.stages["landmarks"]["items"] == result.done_now == 12
    assert 0 < result.stages["decode"]["busy_seconds"] < result.seconds


@pytest.mark.parametrize("name, message", [
    ("--detector", "yunet"), ("--landmarks", "facemesh")])
def test_an_unknown_network_is_refused_with_the_known_ones(frames_workspace, name, message):
    outcome = run(*frames_workspace.extract_words("src"), name, "s3df")
    assert outcome.code == 2 and message in outcome.error()


def test_a_failed_item_of_a_full_disk_ends_the_run(tmp_path):
    from core.errors import DiskFull
    from mainscripts.command import stop_if_disk_full

    stop_if_disk_full(Failed("a.png", ValueError("odd")), tmp_path)
    with pytest.raises(DiskFull, match=str(tmp_path)):
        stop_if_disk_full(Failed("a.png", OSError(28, "No space left on device")), tmp_path)
