"""The index of a large faceset: what it saves, and that it never tells what is not so."""

import os
import time
from dataclasses import replace

import numpy as np
import pytest

from core.errors import CorruptFaceImage
from facelib.face_type import FaceType
from facelib.pose import estimate_pose
from samplelib import faceset_index
from samplelib.face_image import read_summary, write_face, write_info
from samplelib.face_info import FaceInfo, summary_from_json, to_json
from samplelib.faceset import _entry, load_faceset
from samplelib.faceset_index import index_path, load_index, read_index


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory, monkeypatch):
    """Index files of these tests lie in a folder of their own, for small facesets too."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("FACELAB_CACHE_DIR", str(folder))
    monkeypatch.setattr(faceset_index, "STORED_FROM", 1)
    return folder


@pytest.fixture
def settled(make_faceset):
    """Function: a folder of n faces that were last changed an hour ago."""
    def make(n_faces: int = 6):
        folder = make_faceset(n_faces).folder
        settle(folder)
        return folder
    return make


def settle(folder, seconds: float = 3600) -> None:
    then = time.time() - seconds
    for path in folder.iterdir():
        os.utime(path, (then, then))


def files_read(folder) -> list[str]:
    """Which files loading the faceset has to read."""
    read = []

    def entry(path):
        read.append(path.name)
        return _entry(path)

    load_index(folder, entry)
    return sorted(read)


def contents(folder) -> tuple:
    faceset = load_faceset(folder)
    return ([face.path.name for face in faceset.faces], faceset.faces.column("yaw").tolist(),
            faceset.faces.column("face_type").tolist(), faceset.skipped)


def test_nothing_is_read_a_second_time(settled):
    folder = settled()
    (folder / "z.png").write_bytes(b"no face")
    settle(folder)
    assert len(files_read(folder)) == 7
    assert files_read(folder) == []
    before = contents(folder)
    index_path(folder).unlink()
    assert contents(folder) == before


def change_info(path):
    write_info(path, FaceInfo(FaceType.HEAD, np.arange(136.0).reshape(68, 2) ** 1.1))
    os.utime(path, ns=(10**9, 10**9))  # even if it looks older now


def spoil(path):
    path.write_bytes(path.read_bytes().replace(b'"full_face"', b'"fool_face"'))


@pytest.mark.parametrize("change", [change_info, spoil, os.unlink])
def test_only_what_has_changed_is_read_again(settled, change):
    folder = settled()
    load_faceset(folder)
    names = sorted(path.name for path in folder.iterdir())
    change(folder / names[3])
    stored = contents(folder)
    index_path(folder).unlink()
    assert contents(folder) == stored
    expected = names[:3] + names[4:] if change is os.unlink else names
    assert sorted(stored[0] + [path.name for path, _ in stored[3]]) == expected


def test_a_changed_and_a_new_file_are_the_only_ones_read(settled):
    folder = settled()
    load_faceset(folder)
    names = sorted(path.name for path in folder.iterdir())
    change_info(folder / names[3])
    (folder / "00002_1.jpg").write_bytes((folder / names[0]).read_bytes())
    assert files_read(folder) == ["00002_1.jpg", names[3]]
    assert [face.path.name for face in load_faceset(folder).faces] == sorted([*names,
                                                                              "00002_1.jpg"])


def test_files_changed_just_before_indexing_are_not_trusted(make_faceset):
    """A second change in the same tick of the file system's clock would go unseen."""
    folder = make_faceset(3).folder
    files_read(folder)
    assert len(files_read(folder)) == 3
    settle(folder, seconds=3)
    files_read(folder)
    assert files_read(folder) == []


@pytest.mark.parametrize("damage", [
    lambda data: b"", lambda data: data[:30], lambda data: data[:-1], lambda data: data + b"x",
    lambda data: b"X" + data[1:], lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:],
    lambda data: data[:-3] + bytes([data[-3] ^ 255]) + data[-2:],
    lambda data: data[:20] + bytes(8) + data[28:]])
def test_a_damaged_index_is_made_again(settled, damage):
    folder = settled()
    before = contents(folder)
    path = index_path(folder)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert read_index(path) is None
    assert contents(folder) == before
    assert len(path.read_bytes()) == len(whole) and read_index(path) is not None
    assert files_read(folder) == []


def test_a_cache_folder_that_cannot_be_written_does_no_harm(settled, tmp_path, monkeypatch):
    folder = settled()
    before = contents(folder)
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("FACELAB_CACHE_DIR", str(tmp_path / "file"))
    assert contents(folder) == before
    assert len(files_read(folder)) == 6


def test_the_faceset_itself_is_only_read(settled):
    folder = settled()
    folder.chmod(0o555)
    try:
        before = sorted(os.listdir(folder))
        load_faceset(folder)
        assert sorted(os.listdir(folder)) == before and files_read(folder) == []
    finally:
        folder.chmod(0o755)


def test_small_facesets_leave_no_index(settled, cache_folder, monkeypatch):
    monkeypatch.setattr(faceset_index, "STORED_FROM", 7)
    load_faceset(settled(6))
    assert list(cache_folder.rglob("*.index")) == []


def test_folders_have_indices_of_their_own_whatever_they_are_called(settled, make_faceset):
    one, other = settled(), make_faceset(2, name="other").folder
    link = one.parent / "link"
    link.symlink_to(one)
    assert index_path(link) == index_path(one) != index_path(other)


def test_an_index_that_nobody_used_for_months_goes(settled, cache_folder, make_faceset):
    folder = settled()
    load_faceset(folder)
    used = index_path(folder)
    old = cache_folder / "facesets" / "0.index"
    old.write_bytes(b"")
    for path in (used, old):
        os.utime(path, (0, 0))
    load_faceset(folder)
    make_faceset(1, name="new")
    assert used.exists() and not old.exists()


def test_names_of_any_script_come_back(settled):
    folder = settled(3)
    names = ["面_0.jpg", "ä b_0.jpg", os.fsdecode(b"\xff_0.jpg")]
    for path, name in zip(sorted(folder.iterdir()), names):
        path.rename(folder / name)
    first = contents(folder)
    assert sorted(first[0]) == sorted(names)
    assert files_read(folder) == [] and contents(folder) == first
    assert all(face.path.exists() for face in load_faceset(folder).faces)


def test_yaw_comes_from_the_file_or_from_the_landmarks(tmp_path, landmarks_of):
    image, landmarks = np.zeros((96, 96, 3), np.uint8), landmarks_of(FaceType.FULL, 96)
    landmarks[:, 0] += np.where(np.arange(68) < 17, 4.0, 0)  # the jaw moved aside: a turned head
    info = FaceInfo(FaceType.FULL, landmarks)
    write_face(tmp_path / "computed.jpg", image, info)
    write_face(tmp_path / "stored.jpg", image, replace(info, pose=(0.1, -0.25, 0.3)))
    write_face(tmp_path / "no_pose_fits.jpg", image, replace(info, landmarks=np.ones((68, 2))))
    faces = load_faceset(tmp_path).faces
    yaws = dict(zip((face.path.stem for face in faces), faces.column("yaw").tolist()))
    assert abs(estimate_pose(landmarks, 96).yaw) > 0.05
    assert yaws == pytest.approx({"computed": estimate_pose(landmarks, 96).yaw, "stored": -0.25,
                                  "no_pose_fits": 0.0}, abs=1e-6)


def test_a_summary_agrees_with_the_whole_data(landmarks_of):
    info = FaceInfo(FaceType.HEAD, landmarks_of(FaceType.HEAD, 96), pose=(1e-3, -0.5, 2.0),
                    extra={"more": {"face_type": "half_face", "n": [1.5e-300]}})
    assert summary_from_json(to_json(replace(info, extra={}))) == (FaceType.HEAD, -0.5)
    nested = to_json(replace(info, extra={"more": {"face_type": "half_face", "pose": [9, 9, 9]}}))
    assert summary_from_json(nested) == (FaceType.HEAD, -0.5)
    assert summary_from_json(to_json(replace(info, pose=None))).yaw is None


@pytest.mark.parametrize("broken", [
    b"", b"[1]", b"{}", b'{"face_type":"full_face","version":1}',
    b'{"face_type":"full_face","version":1,"landmarks":[[1,2]]}',
    b'{"face_type":"full_face","version":1,"landmarks":5}',
    b'{"face_type":"fool_face","version":1,"landmarks":' + str([[1, 2]] * 68).encode() + b"}",
    *(b'{"face_type":"full_face","version":1,"pose":' + pose + b',"landmarks":'
      + str([[1, 2]] * 68).encode() + b"}"
      for pose in (b"[1]", b"5", b"[1,[2],3]", b'[1,"x",3]', b"[0.1,NaN,0.1]"))])
def test_a_broken_summary_is_refused(broken):
    with pytest.raises(ValueError):
        summary_from_json(broken)


def test_a_file_that_is_no_face_has_no_summary(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"GIF")
    with pytest.raises(CorruptFaceImage, match="a.jpg: not a JPEG"):
        read_summary(tmp_path / "a.jpg")
