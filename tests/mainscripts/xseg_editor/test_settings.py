"""Settings come back, and damaged ones never keep the editor shut."""

import json

import pytest

from mainscripts.xseg_editor.settings import Settings, load_settings, save_settings


def test_settings_come_back(tmp_path):
    settings = Settings("abcd", "red", False, {"/faces": "7.jpg"})
    save_settings(tmp_path / "new folder" / "s.json", settings)
    assert load_settings(tmp_path / "new folder" / "s.json") == settings


@pytest.mark.parametrize("content", [b"", b"\x80\x04", b"[]", b"{", b'"red"', b"null"])
def test_a_damaged_file_gives_the_defaults(tmp_path, content):
    path = tmp_path / "s.json"
    path.write_bytes(content)
    assert load_settings(path) == Settings()


def test_sound_values_beside_wrong_ones_are_kept(tmp_path):
    path = tmp_path / "s.json"
    path.write_text(json.dumps({"colour": "blue", "geometry": 3, "is_panel_open": "no",
                                "last_faces": {"a": 1}, "unheard": 1}))
    assert load_settings(path) == Settings(colour="blue")


def test_a_folder_that_cannot_be_written_loses_nothing_else(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    save_settings(tmp_path / "file" / "s.json", Settings())
    assert (tmp_path / "file").read_bytes() == b""


def test_last_faces_of_the_newest_fifty_folders_are_known(tmp_path):
    settings = Settings()
    for number in range(60):
        settings = Settings(last_faces=settings.with_last_face(tmp_path / str(number), "a.jpg"))
    assert len(settings.last_faces) == 50
    assert settings.last_face(tmp_path / "59") == "a.jpg"
    assert settings.last_face(tmp_path / "9") is None
