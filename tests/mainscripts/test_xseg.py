"""`xseg`: masks of a folder's faces made, removed, copied and carried on."""

import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest

from core.imaging.warp import resize_square
from core.polygons import Polygon
from core.prompt import ScriptedPrompter
from facelib.face_type import FaceType
from facelib.networks.batch_segmenter import FLOOR
from facelib.segment_aligned import SIDE, aligned_to_square, mask_of_aligned, square_of
from facelib.user_weights import read_weights, user_path
from mainscripts import xseg_apply
from mainscripts.xseg_segmenter import trained_segmenter
from models.store import ModelStore, Progress
from models.xseg.model import XSegModel
from models.xseg.options import XSegOptions
from samplelib.face_image import read_face, read_info, write_face, write_info
from samplelib.face_info import FaceInfo
from samplelib.face_labels import decode_mask, write_mask, write_polygons
from tests.commands import run
from tests.samplelib.conftest import draw_face, mean_landmarks

OPTIONS = XSegOptions(resolution=64, base=4, dense=16, face_type="f", xla=False)
SQUARE = Polygon([(20.5, 20), (70, 20), (70, 75), (20.5, 75)])
TYPES = (FaceType.FULL, FaceType.FULL, FaceType.WHOLE_FACE, FaceType.FULL)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder with a segmenter named `few`: random, but sure of itself."""
    folder = tmp_path_factory.mktemp("models")
    model = XSegModel(OPTIONS)
    state = model.network.state()
    model.network.load_state(state | {"out_conv/weight": 30 * state["out_conv/weight"]})
    ModelStore(folder, "XSeg", "few").save(model, OPTIONS, Progress(7))
    return folder


@pytest.fixture
def faces(tmp_path):
    """Four faces of one track, the third a whole face, in frames 0, 1, 2 and 90."""
    folder = tmp_path / "aligned"
    folder.mkdir()
    for number, face_type in enumerate(TYPES):
        landmarks = mean_landmarks(128, face_type)
        info = FaceInfo(face_type, landmarks, track=0, frame_index=(0, 1, 2, 90)[number])
        write_face(folder / f"{number}.jpg", draw_face(landmarks, 128, 40 + 40 * number), info)
    return folder


def infos(folder):
    return [read_info(path) for path in sorted(folder.glob("*.jpg"))]


def apply(faces, models, *words, **settings):
    return run("xseg", "apply", "--input-dir", faces, "--model-dir", models, "--name", "few",
               "--batch-size", "2", *words, **settings)


# Apply


def test_masks_are_those_of_the_segmenter_over_the_whole_aligned_picture(faces, models):
    outcome = apply(faces, models)
    assert outcome.code == 0 and outcome.event("masks")["masked"] == 4
    segmenter = trained_segmenter(models, "few", "XSeg", 2)
    for path, info in zip(sorted(faces.glob("*.jpg")), infos(faces), strict=True):
        image, _ = read_face(path)
        assert info.xseg_origin == "few (XSeg, 7 iterations), f"
        stored = decode_mask(info.xseg_mask)
        assert stored.shape == (256, 256, 1)
        if info.face_type is FaceType.FULL:  # as the segmenter sees it: nothing to be warped
            shown = resize_square(image.astype(np.float32) / 255, 256)
            expected = segmenter.segment(shown[None])[0]
            assert np.abs(stored - expected).mean() < 0.01
    assert decode_mask(infos(faces)[0].xseg_mask).std() > 0.1


def test_a_wider_face_is_cut_to_what_the_segmenter_knows_and_nothing_is_said_outside(faces):
    """The square of a full face inside a whole one, by the padding of both types."""
    image, info = read_face(faces / "2.jpg")
    matrix = aligned_to_square(info.landmarks, 128, FaceType.WHOLE_FACE, FaceType.FULL)
    assert square_of(image, matrix).shape == (SIDE, SIDE, 3)
    mask = mask_of_aligned(np.ones((SIDE, SIDE, 1), np.float32), matrix, 128, 256)[..., 0]
    share = FaceType.FULL.coverage / FaceType.WHOLE_FACE.coverage
    assert (mask > 0.5).mean() == pytest.approx(share**2, rel=0.03)
    rows = np.flatnonzero(mask[:, 128] > 0.5)
    # A whole face's centre lies 0.07 sides of the unit square higher.
    assert rows.mean() == pytest.approx(127.5 + 256 * 0.07 / FaceType.WHOLE_FACE.coverage, abs=2)


def test_the_way_there_and_back_keeps_a_mask(faces):
    image, info = read_face(faces / "2.jpg")
    for wanted in (FaceType.FULL, FaceType.WHOLE_FACE, FaceType.HEAD):
        matrix = aligned_to_square(info.landmarks, 128, FaceType.WHOLE_FACE, wanted)
        disc = np.float32(np.hypot(*np.mgrid[-64:64, -64:64]) < 30)[..., None]
        square = square_of(np.repeat(np.uint8(255 * disc), 3, -1), matrix)[..., :1]
        back = mask_of_aligned(square, matrix, 128, 128)
        assert ((back > 0.5) != (disc > 0.5)).mean() < 0.01


@pytest.mark.parametrize("width", [SIDE, 128])
def test_a_picture_that_is_the_square_already_is_shown_as_it_is(width):
    """A warp by nearly nothing, which is computed, gives nearly the same."""
    rng = np.random.default_rng(2)
    image = rng.integers(0, 256, (width, width, 3)).astype(np.uint8)
    matrix = np.eye(2, 3) * (SIDE / width)
    nearly = matrix + [[0, 0, 1e-5], [0, 0, 0]]
    shown = square_of(image, matrix)
    np.testing.assert_allclose(shown, square_of(image, nearly), atol=1.01 / 255)
    mask = shown[..., :1]
    np.testing.assert_allclose(mask_of_aligned(mask, matrix, width, SIDE),
                               mask_of_aligned(mask, nearly, width, SIDE), atol=1e-3)
    assert mask_of_aligned(mask, matrix, width, 64).shape == (64, 64, 1)
    if width == SIDE:
        np.testing.assert_array_equal(shown, image.astype(np.float32) / 255)


def test_a_second_run_does_only_what_is_missing(faces, models):
    apply(faces, models)
    write_mask(faces / "1.jpg", None, None)
    before = {path.name: path.read_bytes() for path in faces.glob("*.jpg")}
    outcome = apply(faces, models)
    assert (outcome.event("masks")["masked"], outcome.event("masks")["kept"]) == (1, 3)
    after = {path.name: path.read_bytes() for path in faces.glob("*.jpg")}
    assert [name for name in before if after[name] != before[name]] == ["1.jpg"]


def test_masks_of_others_are_replaced_only_when_somebody_says_so(faces, models):
    write_mask(faces / "0.jpg", np.ones((256, 256, 1), np.float32), "somebody else, wf")
    outcome = apply(faces, models)
    assert outcome.code == 2
    assert "Replace the masks of 1 faces, made by somebody else, wf? " in outcome.error()
    assert "--yes" in outcome.error()
    no = ScriptedPrompter({"Replace the masks of 1 faces, made by somebody else, wf": "n"})
    assert apply(faces, models, prompter=no).event("masks")["masked"] == 3
    assert infos(faces)[0].xseg_origin == "somebody else, wf"
    assert apply(faces, models, "--yes").event("masks")["masked"] == 1
    assert infos(faces)[0].xseg_origin.startswith("few")


def test_one_bad_file_does_not_stop_the_rest(faces, models):
    good = (faces / "1.jpg").read_bytes()
    (faces / "1.jpg").write_bytes(good[:len(good) // 2])  # data whole, picture cut short
    (faces / "3.jpg").write_bytes(b"\xff\xd8\xff nothing")
    outcome = apply(faces, models)
    assert outcome.code == 1 and "2 of 4 faces failed" in outcome.error()
    assert [info.xseg_mask is not None for info in (
        read_info(faces / "0.jpg"), read_info(faces / "2.jpg"))] == [True, True]
    assert any("1.jpg" in warning for warning in outcome.warnings())


class MeddledWith:
    """A segmenter of the left half; while it works, somebody draws on a face and removes two."""

    folder = None

    def segment(self, faces):
        write_polygons(self.folder / "1.jpg", [SQUARE])
        for name in ("2.jpg", "0.jpg"):
            (self.folder / name).unlink(missing_ok=True)
        masks = np.zeros((*faces.shape[:3], 1), np.float32)
        masks[:, :, :faces.shape[2] // 2] = 1
        return masks


def test_what_happens_to_files_while_the_network_has_them_is_kept_and_told(faces, monkeypatch):
    monkeypatch.setattr(MeddledWith, "folder", faces)
    outcome = run("xseg", "apply", "--input-dir", faces, "--segmenter", f"{__name__}:MeddledWith",
                  "--face-type", "same", "--batch-size", "8")
    assert outcome.code == 1 and "2 of 4 faces failed (0.jpg, 2.jpg)" in outcome.error()
    assert [warning[:5] for warning in outcome.warnings()] == ["0.jpg", "2.jpg"]
    assert sorted(path.name for path in faces.iterdir()) == ["1.jpg", "3.jpg"]  # and no part
    drawn, other = infos(faces)
    np.testing.assert_allclose(drawn.polygons[0].points, SQUARE.points)
    assert other.polygons == ()
    mask = decode_mask(drawn.xseg_mask)[..., 0]
    assert (mask[:, :126] == 1).all() and (mask[:, 130:] == 0).all()


def test_many_faces_get_each_its_own_mask_and_opencv_its_threads_back(tmp_path, models):
    threads = cv2.getNumThreads()
    landmarks = mean_landmarks(64, FaceType.FULL)
    for number in range(23):
        write_face(tmp_path / f"{number}.jpg", draw_face(landmarks, 64, 20 + 10 * number),
                   FaceInfo(FaceType.FULL, landmarks))
    assert apply(tmp_path, models, "--batch-size", "5").event("masks")["masked"] == 23
    assert cv2.getNumThreads() == threads
    one = trained_segmenter(models, "few", "XSeg", 1)
    for number in range(23):
        image, info = read_face(tmp_path / f"{number}.jpg")
        matrix = aligned_to_square(info.landmarks, 64, FaceType.FULL, FaceType.FULL)
        alone = mask_of_aligned(one.segment(square_of(image, matrix)[None])[0], matrix, 64, 256)
        stored = decode_mask(info.xseg_mask)
        sure = np.minimum(stored, alone) > FLOOR  # below it, one rounding makes a value nothing
        np.testing.assert_allclose(stored[sure], alone[sure], atol=0.6 / 255)
        assert ((stored > FLOOR) == (alone > FLOOR)).mean() > 0.999 and sure.mean() > 0.1


def test_the_crop_can_be_said(faces, models):
    apply(faces, models, "--face-type", "same")
    assert infos(faces)[2].xseg_origin.endswith(", same")
    options = xseg_apply.ApplyOptions(face_type="head")
    assert xseg_apply.crop_type(None, options.face_type) is FaceType.HEAD


def test_what_is_not_there_is_told(faces, models, tmp_path):
    assert "--input-dir missing" in run("xseg", "apply").error()
    assert "no such folder" in run("xseg", "apply", "--input-dir", tmp_path / "no").error()
    outcome = run("xseg", "apply", "--input-dir", faces, "--segmenter", "xsag")
    assert "unknown face segmenter 'xsag'" in outcome.error()


# Remove, fetch, propagate, install


@pytest.mark.parametrize("action, what", [("remove", "masks"), ("remove-labels", "polygons")])
def test_nothing_is_removed_without_asking(faces, action, what):
    write_mask(faces / "0.jpg", np.ones((256, 256, 1), np.float32), "x")
    write_polygons(faces / "0.jpg", [SQUARE])
    words = ("xseg", action, "--input-dir", faces)
    assert f"Remove the {what} of 1 faces? " in run(*words).error()
    question = f"Remove the {what} of 1 faces"
    run(*words, prompter=ScriptedPrompter({}))
    info = read_info(faces / "0.jpg")
    assert info.xseg_mask is not None and info.polygons
    assert run(*words, prompter=ScriptedPrompter({question: "y"})).event("removed")["removed"] == 1
    info = read_info(faces / "0.jpg")
    assert (info.xseg_mask is None) == (action == "remove")
    assert (info.polygons == ()) == (action == "remove-labels")
    assert run(*words).event("removed")["removed"] == 0  # nothing to lose, nothing to ask


def test_faces_with_polygons_are_copied_and_stay(faces):
    write_polygons(faces / "1.jpg", [SQUARE])
    outcome = run("xseg", "fetch", "--input-dir", faces)
    target = faces.with_name("aligned_xseg")
    assert outcome.event("fetched")["faces"] == 1
    assert [path.name for path in target.iterdir()] == ["1.jpg"]
    assert (target / "1.jpg").read_bytes() == (faces / "1.jpg").read_bytes()
    assert "--yes" in run("xseg", "fetch", "--input-dir", faces, "--move").error()
    run("xseg", "fetch", "--input-dir", faces, "--move", "--yes")
    assert not (faces / "1.jpg").exists() and (target / "1.jpg").exists()
    assert "no face has polygons" in run("xseg", "fetch", "--input-dir", faces).error()
    outcome = run("xseg", "fetch", "--input-dir", target, "--output-dir", target)
    assert "choose another one" in outcome.error()


def test_polygons_are_carried_along_the_track_as_far_as_they_reach(faces):
    write_polygons(faces / "0.jpg", [SQUARE])
    words = ("xseg", "propagate", "--input-dir", faces)
    assert run(*words, "--dry-run").event("propagated")["faces"] == 2
    assert [len(info.polygons) for info in infos(faces)] == [1, 0, 0, 0]
    outcome = run(*words)
    assert outcome.event("propagated")["written"] == 2
    first, second, third, fourth = infos(faces)
    np.testing.assert_allclose(second.polygons[0].points, SQUARE.points, atol=1e-6)
    # The whole face shows the same polygon smaller, by the coverage of both types.
    ratio = FaceType.FULL.coverage / FaceType.WHOLE_FACE.coverage
    np.testing.assert_allclose(np.ptp(third.polygons[0].points, axis=0),
                               ratio * np.ptp(SQUARE.points, axis=0), rtol=0.02)
    assert fourth.polygons == ()
    assert run(*words).event("propagated")["faces"] == 0
    for path in faces.glob("*.jpg"):
        write_info(path, replace(read_info(path), polygons=()))
    assert "no face has polygons to carry" in run(*words).error()


def test_a_trained_segmenter_becomes_the_one_of_that_name(faces, models, tmp_path, monkeypatch):
    monkeypatch.setenv("FACELAB_DATA_DIR", str(tmp_path / "data"))
    words = ("xseg", "install", "--model-dir", models)
    assert "no segmenter named new" in run(*words).error()
    assert run(*words, "--name", "few").code == 0
    weights = read_weights(user_path("xseg"), "xseg")
    assert weights.about == {"base": "4", "resolution": "64", "dense": "16", "face_type": "f",
                             "origin": "few (XSeg, 7 iterations)"}
    assert "--yes" in run(*words, "--name", "few").error()
    named, trained = faces, faces.with_name("copy")
    shutil.copytree(faces, trained)
    assert run("xseg", "apply", "--input-dir", named).code == 0
    apply(trained, models)
    for one, other in zip(infos(named), infos(trained), strict=True):
        assert one.xseg_origin == other.xseg_origin
        np.testing.assert_allclose(decode_mask(one.xseg_mask), decode_mask(other.xseg_mask),
                                   atol=0.02)
