"""merge as a whole: frames of a video, chosen people, gaps, poison frames, other processes."""

import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest

from core.imaging.io import read_image
from core.paths import image_paths
from core.polygons import Polygon
from facelib.align import face_transform
from facelib.face_type import FaceType
from samplelib.face_image import read_info, write_info
from samplelib.face_labels import write_mask, write_polygons
from tests.commands import run


def pictures(folder):
    """Name -> picture as it is stored."""
    return {path.name: cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in image_paths(folder)}


@pytest.fixture(scope="module")
def merged(trained, tmp_path_factory):
    """The shared workspace after `merge`; not to be changed."""
    from tests.conftest import copy_workspace

    made = copy_workspace(trained, tmp_path_factory.mktemp("merged") / "workspace")
    assert run(*made.merge_words()).code == 0
    return made


def assert_same_pixels(workspace, merged):
    for folder in ("data_dst/merged", "data_dst/merged_mask"):
        got, wanted = (pictures(one.path(folder)) for one in (workspace, merged))
        assert list(got) == list(wanted)
        for name, picture in got.items():
            assert np.array_equal(picture, wanted[name]), name


def test_a_video_gives_what_its_frames_give(workspace, merged, clips):
    words = dict(zip(*[iter(map(str, workspace.merge_words()[1:]))] * 2))
    words["--input-dir"] = str(clips["dst"])
    assert run("merge", *(part for pair in words.items() for part in pair)).code == 0
    assert_same_pixels(workspace, merged)


def test_processes_of_this_machine_give_what_one_gives(workspace, merged, monkeypatch):
    monkeypatch.setattr("mainscripts.merging.chunk.CHUNK_SIZE", 5)
    outcome = run(*workspace.merge_words(), "--scheduler", "processes:2")
    assert outcome.code == 0 and outcome.event("merging")["done_now"] == 12
    assert_same_pixels(workspace, merged)
    assert run(*workspace.merge_words()).event("merging")["done_now"] == 0


def test_frames_merged_alone_are_as_those_merged_together(workspace, merged):
    assert run(*workspace.merge_words()).code == 0
    for stem in ("00003", "00011"):
        workspace.path(f"data_dst/merged/{stem}.png").unlink()
        assert run(*workspace.merge_words()).event("merging")["done_now"] == 1
    assert_same_pixels(workspace, merged)


def test_a_scheduler_that_is_none_is_refused_before_any_work(workspace):
    outcome = run(*workspace.merge_words(), "--scheduler", "somewhere")
    assert outcome.code == 2 and "is no scheduler" in outcome.error()
    assert not workspace.path("data_dst/merged").exists()


def test_a_frame_whose_faces_cannot_be_merged_is_written_as_it_came(workspace, merged):
    poison = workspace.path("data_dst/aligned/00005_0.jpg")
    whole = read_info(poison)
    write_info(poison, replace(whole, source_landmarks=np.full((68, 2), 50.0)))
    outcome = run(*workspace.merge_words())
    assert outcome.code == 1
    assert "1 of 12 frames failed (00005.png)" in outcome.error()
    got, wanted = pictures(workspace.path("data_dst/merged")), pictures(
        merged.path("data_dst/merged"))
    frame = read_image(workspace.path("data_dst/00005.png"))
    assert np.array_equal(got.pop("00005.png"), frame)
    assert not pictures(workspace.path("data_dst/merged_mask"))["00005.png"].any()
    far = [f"{number:05d}.png" for number in (10, 11, 12)]  # the colours of others lack its say
    assert all(np.array_equal(got[name], wanted[name]) for name in far)
    write_info(poison, whole)
    assert run(*workspace.merge_words()).event("merging")["done_now"] == 9
    assert_same_pixels(workspace, merged)


def test_a_face_that_was_not_found_is_swapped_all_the_same(workspace):
    data = workspace.path("data_dst")
    info = read_info(data / "aligned/00006_0.jpg")
    picture = read_image(data / "00006.png")
    x, y, width, height = cv2.boundingRect(np.float32(info.source_landmarks))
    picture[max(y - height // 2, 0): y + height, x: x + width] = 90
    cv2.imwrite(str(data / "00006.png"), picture)
    shutil.rmtree(data / "aligned")
    assert run(*workspace.extract_words("dst")).event("extraction")["faces"] == 11
    outcome = run(*workspace.merge_words(), "--mask-mode", "dst")
    assert outcome.code == 0
    assert outcome.event("merging")["filled"] == 1 and outcome.event("merging")["merged"] == 12
    assert any("1 faces put in where they were not found" in line for line in outcome.infos())
    mask = pictures(workspace.path("data_dst/merged_mask"))["00006.png"]
    inside = mask[y: y + height, x: x + width]
    assert (inside > 127).sum() > max(0.95 * (mask > 127).sum(), 0.4 * inside.size)
    again = run(*workspace.merge_words(), "--mask-mode", "dst", "--fill-gaps", 0)
    # That frame, without its face, and those whose colours it had a say in.
    assert again.event("merging")["done_now"] == 9
    assert not pictures(workspace.path("data_dst/merged_mask"))["00006.png"].any()


def test_nobody_is_swapped_for_a_track_that_is_not_there(workspace):
    outcome = run(*workspace.merge_words(), "--track", 3)
    assert outcome.code == 2
    assert "no face has the track 3; there are 0" in outcome.error()


def test_masks_that_faces_carry_say_where_the_new_face_is(workspace):
    aligned = workspace.path("data_dst/aligned")
    info = read_info(aligned / "00003_0.jpg")
    corners = np.array([[100.0, 90.0], [170.0, 90.0], [170.0, 200.0], [100.0, 200.0]])
    write_polygons(aligned / "00003_0.jpg", [Polygon(corners)])
    whole = np.zeros((256, 256, 1), np.float32)
    whole[120:180, 80:180] = 1.0
    write_mask(aligned / "00007_0.jpg", whole, "test")
    words = (*workspace.merge_words(), "--mask-mode", "stored-dst", "--erode-mask", 0,
             "--blur-mask", 0)
    assert run(*words).code == 0
    masks = pictures(workspace.path("data_dst/merged_mask"))
    drawn = np.zeros(masks["00003.png"].shape, np.uint8)
    to_frame = cv2.invertAffineTransform(info.image_to_face_mat)
    outline = corners @ to_frame[:, :2].T + to_frame[:, 2]
    cv2.fillPoly(drawn, [np.rint(outline).astype(np.int32)], 255)
    both = [mask > 127 for mask in (masks["00003.png"], drawn)]
    assert (both[0] & both[1]).sum() / (both[0] | both[1]).sum() > 0.95
    matrix = read_info(aligned / "00007_0.jpg").image_to_face_mat
    area = 60 * 100 / abs(np.linalg.det(matrix[:, :2]))
    assert (masks["00007.png"] > 127).sum() == pytest.approx(area, rel=0.05)
    hull = pictures(workspace.path("data_dst/merged_mask"))["00005.png"]
    assert (hull > 127).sum() > 1.5 * (masks["00007.png"] > 127).sum()  # carries none
    write_polygons(aligned / "00003_0.jpg", [Polygon(corners + 5)])
    assert run(*words).event("merging")["done_now"] == 7  # four on each side see its colours
    assert run(*words, "--color-transfer", "none", "--overwrite").code == 0
    write_polygons(aligned / "00003_0.jpg", [Polygon(corners)])
    assert run(*words, "--color-transfer", "none").event("merging")["done_now"] == 1


class Upper:
    """A segmenter that sees the upper half of every face."""

    def segment(self, faces):
        masks = np.zeros((*faces.shape[:3], 1), np.float32)
        masks[:, : faces.shape[1] // 2] = 1.0
        return masks


class Whole:
    """A segmenter that sees the whole square."""

    def segment(self, faces):
        return np.ones((*faces.shape[:3], 1), np.float32)


def test_a_segmenter_of_ones_own_says_where_the_new_face_is(workspace):
    words = (*workspace.merge_words(), "--mask-mode", "XSeg-dst", "--erode-mask", 0,
             "--blur-mask", 0)
    assert run(*words, "--segmenter", f"{__name__}:Upper").code == 0
    mask = pictures(workspace.path("data_dst/merged_mask"))["00002.png"]
    matrix = face_transform(read_info(
        workspace.path("data_dst/aligned/00002_0.jpg")).source_landmarks, 100, FaceType.FULL)
    square = cv2.warpAffine(mask, matrix, (100, 100))
    assert (square[2:47] > 127).mean() > 0.9 and (square[53:] > 127).mean() == 0
    other = run(*words, "--segmenter", f"{__name__}:Whole")
    assert other.code == 2 and "Upper' instead of" in other.error()
