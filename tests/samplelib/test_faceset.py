"""Loading folders of aligned faces."""

import shutil
import time

import pytest

from core.errors import NoFacesFound
from samplelib import faceset_index
from samplelib.faceset import load_faceset


def test_faces_come_in_natural_order(make_faceset):
    folder = make_faceset(3).folder
    for number, name in enumerate(["10_0", "9_0", "100_0"]):
        (folder / f"{number:05d}_0.jpg").rename(folder / f"{name}.jpg")
    names = [face.path.name for face in load_faceset(folder).faces]
    assert names == ["9_0.jpg", "10_0.jpg", "100_0.jpg"]


def test_unusable_pictures_are_listed_with_reasons(make_faceset):
    folder = make_faceset(2).folder
    (folder / "a.png").write_bytes(b"")
    (folder / "b.jpg").write_bytes(b"\xff\xd8\xff")
    (folder / "notes.txt").write_text("not a picture")
    loaded = load_faceset(folder)
    assert len(loaded.faces) == 2
    reasons = {path.name: reason for path, reason in loaded.skipped}
    assert sorted(reasons) == ["a.png", "b.jpg"]
    assert "not a JPEG" in reasons["a.png"] and "ends before" in reasons["b.jpg"]


def test_a_face_deleted_while_loading_is_skipped(make_faceset, monkeypatch):
    paths = [face.path for face in make_faceset(1).faces]
    names = [*(path.name for path in paths), "gone.jpg"]
    monkeypatch.setattr(faceset_index, "image_names", lambda folder: names)
    loaded = load_faceset(paths[0].parent)
    assert [face.path for face in loaded.faces] == paths
    assert loaded.skipped == ((paths[0].parent / "gone.jpg",
                               "cannot be read (No such file or directory)"),)


@pytest.mark.parametrize("prepare, message", [
    (lambda folder: None, "no such folder"),
    (lambda folder: folder.mkdir(), "no pictures"),
    (lambda folder: (folder.mkdir(), (folder / "x.jpg").write_bytes(b"?")), "none of 1 pictures"),
])
def test_nothing_usable_says_what_to_do(tmp_path, prepare, message):
    folder = tmp_path / "aligned"
    prepare(folder)
    with pytest.raises(NoFacesFound, match=f"aligned: {message}.*`extract`") as caught:
        load_faceset(folder)
    assert "\n" not in str(caught.value)


def test_many_faces_load_quickly(make_faceset):
    folder = make_faceset(1).folder
    for number in range(1, 300):
        shutil.copyfile(folder / "00000_0.jpg", folder / f"{number:05d}_0.jpg")
    start = time.perf_counter()
    assert len(load_faceset(folder).faces) == 300
    assert time.perf_counter() - start < 3  # about 0.1 s; decoding pixels would not show here


def test_loading_decodes_no_pixels(make_faceset):
    path = make_faceset(1).faces[0].path
    data = path.read_bytes()
    path.write_bytes(data[:data.index(b"\xff\xda") + 14])
    assert len(load_faceset(path.parent).faces) == 1
