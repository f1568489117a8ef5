import os
import stat

import pytest

from core.errors import DiskFull, ImageError, NoImagesFound
from core.imaging.io import read_image
from core.paths import (
    IMAGE_SUFFIXES,
    atomic_path,
    atomic_write,
    format_bytes,
    image_paths,
    natural_key,
    relative,
    require_free_space,
    sibling,
)


def names(paths):
    return [path.name for path in paths]


def test_images_come_in_the_order_people_count(tmp_path):
    for name in ("frame10.png", "frame2.PNG", "frame1.jpg", "Frame3.webp", "notes.txt", "x2y10.bmp",
                 "x2y9.tiff", ".part-1.png"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert names(image_paths(tmp_path)) == [
        "frame1.jpg", "frame2.PNG", "Frame3.webp", "frame10.png", "x2y9.tiff", "x2y10.bmp"]


def test_the_order_is_total_for_names_that_count_alike():
    both = ["1.png", "01.png", "A.png", "a.png"]
    assert sorted(both, key=natural_key) == sorted(reversed(both), key=natural_key)


def test_digits_of_other_scripts_do_not_break_the_order():
    assert sorted(["²x", "x", "10x", "٣x", "9x"], key=natural_key) == [
        "9x", "10x", "x", "²x", "٣x"]


def test_every_suffix_counts_in_any_case(tmp_path):
    for i, suffix in enumerate(IMAGE_SUFFIXES):
        (tmp_path / f"{i}{suffix.upper()}").touch()
    assert len(image_paths(tmp_path)) == len(IMAGE_SUFFIXES)


def test_an_empty_or_missing_folder_is_an_error_only_where_images_are_required(tmp_path):
    assert image_paths(tmp_path) == []
    assert image_paths(tmp_path / "missing") == []
    with pytest.raises(NoImagesFound, match="no images"):
        image_paths(tmp_path, required=True)
    with pytest.raises(NoImagesFound, match="no such folder"):
        image_paths(tmp_path / "missing", required=True)


@pytest.mark.skipif(os.name == "nt", reason="POSIX links")
def test_links_that_cannot_be_followed_are_listed_and_reported_by_the_reader(tmp_path):
    (tmp_path / "circle.png").symlink_to("circle.png")
    (tmp_path / "gone.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.png").symlink_to("folder")
    listed = image_paths(tmp_path)
    assert names(listed) == ["circle.png", "gone.jpg"]
    for path, reason in zip(listed, ("Too many levels of symbolic links", "No such file")):
        with pytest.raises(ImageError, match=rf"^.*cannot be read \({reason}[^\n]*$"):
            read_image(path)


def test_atomic_write_replaces_the_whole_file(tmp_path):
    path = tmp_path / "a.bin"
    atomic_write(path, b"old and longer")
    atomic_write(path, b"new")
    assert path.read_bytes() == b"new"
    assert names(tmp_path.iterdir()) == ["a.bin"]


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError):
        with atomic_path(path) as temporary:
            temporary.write_bytes(b"half")
            raise RuntimeError("power cut")
    assert path.read_bytes() == b"old"
    assert names(tmp_path.iterdir()) == ["a.png"]


def test_the_temporary_file_is_a_hidden_neighbour_of_the_same_suffix(tmp_path):
    with atomic_path(tmp_path / "a.png") as temporary:
        assert temporary.parent == tmp_path.resolve()
        assert temporary.suffix == ".png"
        temporary.write_bytes(b"x")
        assert image_paths(tmp_path) == []


def test_a_block_that_writes_nothing_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        with atomic_path(tmp_path / "a.png"):
            pass


@pytest.mark.skipif(os.name == "nt", reason="POSIX rights and links")
def test_a_written_file_has_usual_rights_and_links_are_followed(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "real")
    atomic_write(tmp_path / "link", b"x")
    (tmp_path / "plain").write_bytes(b"x")
    assert (tmp_path / "link").is_symlink()
    assert stat.S_IMODE((tmp_path / "real").stat().st_mode) == stat.S_IMODE(
        (tmp_path / "plain").stat().st_mode)


def test_the_longest_file_name_can_still_be_written(tmp_path):
    path = tmp_path / ("a" * 251 + ".png")
    atomic_write(path, b"x")
    assert path.exists()


def test_free_space_is_checked_for_folders_that_do_not_exist_yet(tmp_path):
    require_free_space(tmp_path / "new" / "folder", 1)
    with pytest.raises(DiskFull, match="1048576.0 TB are needed"):
        require_free_space(tmp_path / "new", 1 << 60)


@pytest.mark.parametrize("n_bytes, text", [
    (0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KB"), (5 << 30, "5.0 GB"),
    (3 << 40, "3.0 TB")])
def test_sizes_are_written_for_people(n_bytes, text):
    assert format_bytes(n_bytes) == text


def test_a_sibling_is_named_after_the_folder(tmp_path, monkeypatch):
    assert sibling(tmp_path / "aligned", "debug") == tmp_path / "aligned_debug"
    assert sibling(tmp_path / "aligned", "_debug") == tmp_path / "aligned_debug"
    (tmp_path / "aligned").mkdir()
    monkeypatch.chdir(tmp_path / "aligned")
    assert sibling(".", "trash") == tmp_path / "aligned_trash"


def test_a_folder_is_found_from_another_wherever_both_are_moved(tmp_path, monkeypatch):
    for place in ("here", "there"):
        (tmp_path / place / "data/aligned").mkdir(parents=True)
        data = tmp_path / place / "data"
        assert relative(data, data / "aligned") == ".."
        assert relative(data / "aligned", data) == "aligned"
        assert relative(data, data) == "."
        monkeypatch.chdir(data)
        assert relative(".", "aligned") == ".."
