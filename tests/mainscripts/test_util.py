"""util import-dfl and export-dfl."""

import pickle

import cv2
import numpy as np
import pytest

from core import jpeg
from core.polygons import Polygon
from samplelib.face_image import read_face, read_info
from samplelib.face_labels import write_polygons
from tests.commands import run
from tests.samplelib import dfl_faces
from tests.samplelib.dfl_faces import dfl_face, dictionary


def carry(action, source, target, *words):
    return run("util", action, "--input-dir", source, "--output-dir", target, *words)


@pytest.fixture
def theirs(tmp_path):
    """A folder with three faces of DeepFaceLab."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    for number in range(3):
        values = dictionary(source_filename=f"{number:05d}.png",
                            seg_ie_polys=dfl_faces.polygons() if number == 1 else None)
        (folder / f"{number:05d}_0.jpg").write_bytes(dfl_face(values, seed=number))
    return folder


def test_faces_of_a_folder_become_ours(theirs, tmp_path):
    outcome = carry("import-dfl", theirs, tmp_path / "ours")
    assert outcome.code == 0 and outcome.event("faces_carried")["n_written"] == 3
    for number in range(3):
        name = f"{number:05d}_0.jpg"
        image, info = read_face(tmp_path / "ours" / name)
        stored = cv2.imread(str(theirs / name))
        assert np.abs(image.astype(int) - stored).max() <= 2  # two decoders
        assert info.source_filename == f"{number:05d}.png"
        assert len(info.polygons) == 2 * (number == 1)
        assert b"\xff\xef" not in (tmp_path / "ours" / name).read_bytes()[:4000]


def test_a_pack_is_read_too(theirs, tmp_path):
    faces = {(person, path.name): path.read_bytes()
             for person, path in zip((None, "anna", None), sorted(theirs.iterdir()))}
    for kind, absolute in (("absolute", True), ("relative", False)):
        folder = tmp_path / kind
        folder.mkdir()
        dfl_faces.pack(faces, folder / "faceset.pak", absolute_end=absolute)
        assert carry("import-dfl", folder, tmp_path / f"ours-{kind}").code == 0
        names = {str(path.relative_to(tmp_path / f"ours-{kind}"))
                 for path in (tmp_path / f"ours-{kind}").rglob("*.jpg")}
        assert names == {"00000_0.jpg", "anna/00001_0.jpg", "00002_0.jpg"}
    first = read_info(tmp_path / "ours-relative/00002_0.jpg")
    assert first.source_filename == "00002.png"


@pytest.mark.parametrize("damage, told", [
    (lambda data: b"\2" + data[1:], "is no pack of version 1"),
    (lambda data: data[:10], "is no pack of version 1"),
    (lambda data: data[:60], "damaged at byte"),
    (lambda data: data[:-2000], "is cut off"),
    (lambda data: data.replace(b"00000_0.jpg", b"../../x.jpg"), "leads out of the folder"),
])
def test_a_damaged_pack_is_told_in_one_line(theirs, tmp_path, damage, told):
    faces = {(None, path.name): path.read_bytes() for path in sorted(theirs.iterdir())}
    pack = dfl_faces.pack(faces, tmp_path / "faceset.pak")
    pack.write_bytes(damage(pack.read_bytes()))
    outcome = carry("import-dfl", pack, tmp_path / "ours")
    assert outcome.code == 1 and told in outcome.error()


def test_one_bad_face_does_not_stop_the_others(theirs, tmp_path):
    (theirs / "00001_0.jpg").write_bytes(dfl_face(dictionary(landmarks=[[0, 0]])))
    (theirs / "photo.jpg").write_bytes(dfl_faces.picture())
    outcome = carry("import-dfl", theirs, tmp_path / "ours")
    assert outcome.code == 1 and "2 faces could not be carried over" in outcome.error()
    assert [line.split(": ")[0] for line in outcome.warnings()] == ["00001_0.jpg", "photo.jpg"]
    assert sorted(path.name for path in (tmp_path / "ours").iterdir()) == [
        "00000_0.jpg", "00002_0.jpg"]


def test_our_faces_open_in_deepfacelab_and_come_back_alike(extracted, tmp_path):
    ours = extracted.path("data_dst/aligned")
    assert carry("export-dfl", ours, tmp_path / "theirs").code == 0
    assert carry("import-dfl", tmp_path / "theirs", tmp_path / "again").code == 0
    paths = sorted(ours.glob("*.jpg"))
    assert len(paths) == 12
    for path in paths:
        data = (tmp_path / "theirs" / path.name).read_bytes()
        segment = next(one for one in jpeg.segments(data) if one.marker == jpeg.APP15)
        values = pickle.loads(data[segment.payload_start:segment.end])
        before, after = read_info(path), read_info(tmp_path / "again" / path.name)
        np.testing.assert_array_equal(values["landmarks"], before.landmarks)
        np.testing.assert_array_equal(values["source_landmarks"], before.source_landmarks)
        for name in ("landmarks", "source_landmarks", "image_to_face_mat"):
            np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
        assert after.face_type is before.face_type
        assert after.source_filename == before.source_filename


def drawn_for(path):
    """Polygons of a face as DeepFaceLab loads them, includes first: (type, points) of each."""
    data = path.read_bytes()
    segment = next(one for one in jpeg.segments(data) if one.marker == jpeg.APP15)
    polygons = pickle.loads(data[segment.payload_start:segment.end])["seg_ie_polys"]["polys"]
    return sorted(((one["type"], one["pts"]) for one in polygons), key=lambda one: -one[0])


def test_their_polygons_come_back_the_same_and_so_do_ours(theirs, tmp_path):
    """Theirs are float32 already; ours are rounded to that, a hundred-thousandth of a pixel."""
    assert carry("import-dfl", theirs, tmp_path / "ours").code == 0
    ours = tmp_path / "ours" / "00001_0.jpg"
    assert carry("export-dfl", tmp_path / "ours", tmp_path / "theirs again").code == 0
    before, again = (drawn_for(folder / ours.name) for folder in (
        theirs, tmp_path / "theirs again"))
    assert len(before) == 2
    for (kind, points), (kind_again, points_again) in zip(before, again, strict=True):
        assert kind_again == kind and points_again.dtype == np.float32
        np.testing.assert_array_equal(points_again, points)

    rng = np.random.default_rng(8)
    drawn = [Polygon(rng.uniform(0, 256, (7, 2))), Polygon(rng.uniform(0, 256, (40, 2)), False),
             Polygon(rng.uniform(0, 256, (3, 2)), False)]
    write_polygons(ours, drawn)
    words = ("--overwrite",)
    assert carry("export-dfl", tmp_path / "ours", tmp_path / "theirs again", *words).code == 0
    assert [kind for kind, _ in drawn_for(tmp_path / "theirs again" / ours.name)] == [1, 0, 0]
    assert carry("import-dfl", tmp_path / "theirs again", tmp_path / "ours again").code == 0
    found = read_info(tmp_path / "ours again" / ours.name).polygons
    for polygon, wanted in zip(found, drawn, strict=True):
        assert polygon.is_include == wanted.is_include
        np.testing.assert_array_equal(polygon.points, np.float32(wanted.points))


def test_faces_that_are_there_stay_unless_told(theirs, tmp_path):
    target = tmp_path / "ours"
    target.mkdir()
    (target / "00001_0.jpg").write_bytes(b"earlier work")
    outcome = carry("import-dfl", theirs, target)
    assert outcome.code == 0 and outcome.event("faces_carried")["n_kept"] == 1
    assert (target / "00001_0.jpg").read_bytes() == b"earlier work"
    assert carry("import-dfl", theirs, target, "--overwrite").code == 0
    assert read_info(target / "00001_0.jpg").source_filename == "00001.png"


def test_wrong_folders_are_told(theirs, tmp_path):
    same = carry("import-dfl", theirs, theirs)
    assert same.code == 2 and "is the input itself" in same.error()
    missing = carry("export-dfl", tmp_path / "nowhere", tmp_path / "out")
    assert missing.code == 1 and "holds no face (.jpg) and no faceset.pak" in missing.error()
