"""What loading makes of damaged generations."""

import hashlib
import json
import os

import pytest

from core.errors import CheckpointError
from core.generations import GenerationStore
from tests.core.numbered_generations import flip_byte, numbers_in, save_numbered


@pytest.fixture
def store(tmp_path):
    return GenerationStore(tmp_path / "model", keep=3)


# -- damage -------------------------------------------------------------------------------------

DAMAGES = {
    "truncated weights": lambda folder: os.truncate(folder / "weights.h5", 700),
    "empty weights": lambda folder: os.truncate(folder / "weights.h5", 0),
    "missing optimizer": lambda folder: (folder / "optimizer.h5").unlink(),
    "flipped weight": lambda folder: flip_byte(folder / "weights.h5", -200),
    "flipped optimizer header": lambda folder: flip_byte(folder / "optimizer.h5", 9),
    "truncated state": lambda folder: os.truncate(folder / "state.json", 60),
    "empty state": lambda folder: os.truncate(folder / "state.json", 0),
    "zero-filled state": lambda folder: (folder / "state.json").write_bytes(bytes(500)),
    "state is a list": lambda folder: (folder / "state.json").write_text("[1]"),
    "missing state": lambda folder: (folder / "state.json").unlink(),
    "state is a folder": lambda folder: ((folder / "state.json").unlink(),
                                         (folder / "state.json").mkdir()),
    "other iteration": lambda folder: (folder / "state.json").write_text(
        (folder / "state.json").read_text().replace('"iteration": 3', '"iteration": 4')),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_generation_falls_back_to_the_one_before_and_says_so(store, damage):
    for number in (1, 2, 3):
        save_numbered(store, number)
    damage(store.folder / "gen-000003")
    generation = store.load()
    assert generation.number == 2 and numbers_in(generation) == {2.0}
    assert len(store.problems) == 1
    assert "gen-000003 is unreadable: " in store.problems[0]
    assert store.problems[0].endswith("; using gen-000002") and "\n" not in store.problems[0]


def test_a_flipped_byte_of_state_json_is_noticed_or_harmless(store):
    save_numbered(store, 1)
    path = save_numbered(store, 2) / "state.json"
    whole = path.read_bytes()
    for position in range(0, len(whole), 3):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1:])
        assert store.load().state in ({"iteration": 1}, {"iteration": 2})
    # Only white space may change unnoticed: it carries nothing.
    assert len(store.problems) > 0.9 * len(whole.replace(b"\n", b"").replace(b" ", b"")) / 3


def test_two_damaged_generations_give_two_problems_in_order(store):
    for number in (1, 2, 3):
        save_numbered(store, number)
    flip_byte(store.folder / "gen-000003" / "weights.h5", 100)
    (store.folder / "gen-000002" / "optimizer.h5").unlink()
    assert numbers_in(store.load()) == {1.0}
    assert ["gen-000003" in store.problems[0], "gen-000002" in store.problems[1]] == [True, True]


def test_when_nothing_is_readable_the_error_names_folder_reasons_and_next_step(store):
    for number in (1, 2):
        save_numbered(store, number)
        flip_byte(store.folder / f"gen-{number:06d}" / "weights.h5", 100)
    with pytest.raises(CheckpointError) as raised:
        store.load()
    message = str(raised.value)
    assert str(store.folder) in message and "gen-000001" in message and "gen-000002" in message
    assert "copy a backup into this folder" in message and "\n" not in message
    assert len(store.problems) == 2


def test_without_current_the_newest_generation_is_used_and_said(store):
    for number in (1, 2):
        save_numbered(store, number)
    (store.folder / "CURRENT").unlink()
    assert store.load().number == 2
    assert store.problems == [f"{store.folder}: CURRENT is missing; using gen-000002"]


@pytest.mark.parametrize("text", [b"gen-000009\n", b"", b"\0" * 11, b"\xff\xfe", b"../other"])
def test_a_current_that_names_nothing_falls_back_to_the_newest_and_says_so(store, text):
    for number in (1, 2):
        save_numbered(store, number)
    (store.folder / "CURRENT").write_bytes(text)
    assert store.load().number == 2
    assert len(store.problems) == 1 and "CURRENT" in store.problems[0]


def test_a_current_without_any_generation_is_an_error_and_not_a_new_model(store):
    store.folder.mkdir()
    (store.folder / "CURRENT").write_text("gen-000005\n")
    with pytest.raises(CheckpointError, match="gen-000005"):
        store.load()


def test_current_decides_over_a_newer_generation(store):
    for number in (1, 2, 3):
        save_numbered(store, number)
    (store.folder / "CURRENT").write_text("gen-000002\n")
    assert store.load().number == 2 and store.problems == []
    assert save_numbered(store, 4).name == "gen-000004"


def rewrite_header(folder, change):
    """Changes state.json and gives it a true checksum, as a later version or a stranger could."""
    header = json.loads((folder / "state.json").read_text())
    del header["checksum"]
    change(header)
    text = json.dumps(header, separators=(",", ":"))
    header["checksum"] = hashlib.sha256(text.encode()).hexdigest()
    (folder / "state.json").write_text(json.dumps(header))


def test_a_generation_of_a_newer_version_stops_loading_and_is_not_skipped(store):
    save_numbered(store, 1)
    rewrite_header(save_numbered(store, 2), lambda header: header.update(format=2))
    with pytest.raises(CheckpointError, match="update the program"):
        store.load()


def test_a_state_that_lists_files_outside_the_folder_is_unreadable(store, tmp_path):
    save_numbered(store, 1)
    (tmp_path / "secret").write_bytes(b"s")
    seal = {"sha256": hashlib.sha256(b"s").hexdigest(), "bytes": 1}
    folder = save_numbered(store, 2)
    rewrite_header(folder, lambda header: header["files"].update({"../../secret": seal}))
    assert store.load().number == 1
    assert "not a plain file name" in store.problems[0]


def test_loading_survives_a_trainer_that_removes_what_is_being_read(store, monkeypatch):
    save_numbered(store, 1)
    reader = GenerationStore(store.folder)
    listed = reader.numbers

    def numbers_then_ten_saves():
        found = listed()
        if found == [1]:
            for number in range(2, 7):
                save_numbered(store, number)
        return found

    monkeypatch.setattr(reader, "numbers", numbers_then_ten_saves)
    assert numbers_in(reader.load()) in ({4.0}, {5.0}, {6.0})
