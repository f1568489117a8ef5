"""What `extract` does beyond cutting out faces: videos, tracks, smoothing, debug frames."""

import shutil

import numpy as np
import pytest

from core.imaging.io import read_image, write_image
from core.paths import image_paths
from facelib.smoothing import Run, smooth
from mainscripts.extraction import job
from samplelib.faceset import load_faceset
from tests.commands import ROOT, run
from tests.e2e.short_clips import cut_clip

ACROSS_THE_CUT = 230  # the src clip has a cut before its frame 236


def contents(folder):
    """Name -> bytes of the aligned faces."""
    return {path.name: path.read_bytes() for path in image_paths(folder)}


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """12 small frames, with a cut after the sixth."""
    return cut_clip(ROOT / "demo/src_woman.mp4", tmp_path_factory.mktemp("clip") / "cut.mp4", 12,
                    320, 180, start=ACROSS_THE_CUT)


@pytest.fixture(scope="module")
def smoothed(clip, tmp_path_factory):
    """(folder of its smoothed faces, how that went)."""
    folder = tmp_path_factory.mktemp("smoothed") / "aligned"
    return folder, run("extract", "--input-dir", clip, "--output-dir", folder, "--smooth", 3)


def test_a_video_gives_the_same_faces_as_its_frames(clips, extracted, tmp_path):
    outcome = run("extract", "--input-file", clips["src"].with_suffix(".*"),
                  "--output-dir", tmp_path / "aligned")
    assert outcome.code == 0
    assert contents(tmp_path / "aligned") == contents(extracted.path("data_src/aligned"))


def test_every_nth_frame_keeps_its_number(clip, tmp_path):
    outcome = run("extract", "--input-dir", clip, "--output-dir", tmp_path, "--every", 5)
    assert outcome.code == 0
    infos = [face.info for face in load_faceset(tmp_path).faces]
    assert [(info.source_filename, info.frame_index) for info in infos] == [
        ("00001.png", 0), ("00006.png", 5), ("00011.png", 10)]


def test_tracks_and_sanity_are_stored_and_told(smoothed):
    folder, outcome = smoothed
    infos = [face.info for face in load_faceset(folder).faces]
    assert [info.track for info in infos] == [0] * 6 + [1] * 6
    assert all(0.8 < info.sanity <= info.score for info in infos)
    facts = outcome.event("extraction")
    assert (facts["tracks"], facts["cuts"], facts["doubtful"]) == (2, 1, [])
    assert outcome.infos()[-2].startswith("2 tracks, 1 cut, jitter 0.")


def test_landmarks_are_smoothed_inside_each_shot(clip, smoothed, tmp_path):
    assert run("extract", "--input-dir", clip, "--output-dir", tmp_path).code == 0
    raw, steady = (np.array([face.info.source_landmarks for face in load_faceset(folder).faces])
                   for folder in (tmp_path, smoothed[0]))
    assert np.abs(raw - steady).max() > 0.1
    for part in (slice(0, 6), slice(6, 12)):
        expected = smooth(Run(np.arange(12)[part], raw[part]), 3)
        np.testing.assert_allclose(steady[part], expected, atol=1e-3)
    facts = smoothed[1].event("extraction")
    assert facts["jitter"] < facts["jitter_found"]


@pytest.mark.parametrize("lost", ["written", "found", "both"])
def test_an_interrupted_smoothed_extraction_becomes_the_same(clip, smoothed, tmp_path, lost):
    """The journals end in the middle, as after a kill while faces are found or written."""
    folder = shutil.copytree(smoothed[0], tmp_path / "aligned")
    whole = contents(folder)
    for name in {"written": ["extraction"], "found": ["found", "extraction"],
                 "both": ["found", "extraction"]}[lost]:
        journal = folder / f"{name}.jsonl"
        lines = journal.read_bytes().splitlines(keepends=True)
        kept = 1 if lost == "found" and name == "extraction" else 6
        journal.write_bytes(b"".join(lines[:kept]) + lines[kept][:30])
        for number in range(kept, 13):
            (folder / f"{number:05d}_0.jpg").unlink(missing_ok=True)
    outcome = run("extract", "--input-dir", clip, "--output-dir", folder, "--smooth", 3)
    assert outcome.code == 0 and contents(folder) == whole
    assert outcome.event("extraction")["done_now"] == {"written": 7, "found": 12, "both": 7}[lost]


def test_other_crops_of_known_faces_need_no_network(clip, smoothed, tmp_path, monkeypatch):
    folder = shutil.copytree(smoothed[0], tmp_path / "aligned")

    def refuse(settings):
        raise AssertionError("networks were built")

    monkeypatch.setattr(job, "open_finder", refuse)
    outcome = run("extract", "--input-dir", clip, "--output-dir", folder, "--face-type",
                  "whole_face", "--image-size", 128, "--overwrite")
    assert outcome.code == 0
    faces = load_faceset(folder).faces
    assert [face.info.face_type.short for face in faces] == ["wf"] * 12
    assert read_image(faces[0].path).shape == (128, 128, 3)


def test_people_keep_their_track_after_a_cut_if_they_are_told_apart(clip, tmp_path):
    outcome = run("extract", "--input-dir", clip, "--output-dir", tmp_path, "--identity",
                  "appearance")
    assert outcome.code == 0
    assert {face.info.track for face in load_faceset(tmp_path).faces} == {0}
    assert outcome.event("extraction")["cuts"] == 1


OWN_PARTS = """
import numpy as np
from facelib.landmarks import MODEL_3D
from facelib.types import Face

class Centre:
    def detect(self, images):
        return [[Face(np.float32([image.shape[1] / 4, 10, image.shape[1] / 2, 90]), 1.0)]
                for image in images]

class Mean:
    def extract(self, images, faces):
        return [np.array([MODEL_3D[:, :2] / 2 + face.box[:2] + 40 for face in found])
                for found in faces]

class Nobody:
    same_person = 0.9
    def embed(self, images, landmarks):
        return [np.ones((len(faces), 2)) for faces in landmarks]
"""


def test_parts_of_ones_own_find_and_describe_faces(clip, tmp_path, monkeypatch):
    (tmp_path / "own_parts.py").write_text(OWN_PARTS)
    monkeypatch.syspath_prepend(tmp_path)
    outcome = run("extract", "--input-dir", clip, "--output-dir", tmp_path / "aligned",
                  "--detector", "own_parts:Centre", "--landmarks", "own_parts:Mean",
                  "--identity", "own_parts:Nobody", "--second-pass")
    assert outcome.code == 0 and outcome.event("extraction")["tracks"] == 1  # across the cut
    info = load_faceset(tmp_path / "aligned").faces[3].info
    np.testing.assert_array_equal(info.source_rect, [80, 10, 160, 90])


def test_debug_frames_show_what_was_found(frames_workspace):
    data = frames_workspace.path("data_src")
    write_image(data / "00013.png", np.zeros((90, 160, 3), np.uint8))
    words = (*frames_workspace.extract_words("src"), "--output-debug")
    assert run(*words).code == 0
    folder = data / "aligned_debug"
    assert [path.stem for path in image_paths(folder)] == [
        f"{number:05d}" for number in range(1, 14)]
    drawn, frame = read_image(folder / "00001.jpg"), read_image(data / "00001.png")
    assert drawn.shape == frame.shape
    changed = np.abs(drawn.astype(int) - frame).max(axis=-1) > 60
    (face,) = [face for face in load_faceset(data / "aligned").faces
               if face.path.name == "00001_0.jpg"]
    x, y = face.info.source_landmarks[33].round().astype(int)
    assert changed[y - 1 : y + 2, x - 1 : x + 2].any() and 0.001 < changed.mean() < 0.1
    (folder / "00003.jpg").unlink()
    outcome = run(*words)
    assert (folder / "00003.jpg").exists() and outcome.event("extraction")["done_now"] == 1


def test_of_two_frames_with_one_stem_one_is_left_out_with_a_line(frames_workspace):
    data = frames_workspace.path("data_src")
    write_image(data / "00002.jpg", np.zeros((90, 160, 3), np.uint8))
    outcome = run(*frames_workspace.extract_words("src"))
    assert outcome.code == 0
    assert outcome.warnings() == [
        "00002.png: left out, as another frame has this name before its suffix"]
    assert outcome.event("extraction")["frames"] == 12


def test_flags_of_other_programs_are_understood(frames_workspace):
    outcome = run(*frames_workspace.extract_words("src"), "--max-faces-from-image", "1",
                  "--face-type", "full_face", "--no-output-debug", "--cpu-only")
    assert outcome.code == 0 and outcome.event("extraction")["faces"] == 12


def test_processes_of_this_machine_make_the_same_faces(frames_workspace, extracted):
    outcome = run(*frames_workspace.extract_words("src"), "--scheduler", "processes:2")
    assert outcome.code == 0
    assert contents(frames_workspace.path("data_src/aligned")) == contents(
        extracted.path("data_src/aligned"))
    again = run(*frames_workspace.extract_words("src"))  # and either way goes on with the other
    assert again.event("extraction")["done_now"] == 0


def test_a_wrong_scheduler_is_refused_before_any_work(frames_workspace):
    outcome = run(*frames_workspace.extract_words("src"), "--scheduler", "localhost:8786")
    assert outcome.code == 2 and "tcp://host:port" in outcome.error()
    assert not frames_workspace.path("data_src/aligned").exists()


def test_new_frames_in_between_are_found_and_the_others_stay(faces_workspace):
    data = faces_workspace.path("data_src")
    before = contents(data / "aligned")
    shutil.copy(data / "00004.png", data / "00004a.png")
    outcome = run(*faces_workspace.extract_words("src"))
    assert outcome.code == 0 and outcome.event("extraction")["faces"] == 13
    after = contents(data / "aligned")
    assert {name: after[name] for name in list(before)[:4]} == {
        name: before[name] for name in list(before)[:4]}
    indices = [face.info.frame_index for face in load_faceset(data / "aligned").faces]
    assert indices == list(range(13))  # the faces behind the new one know their new place
