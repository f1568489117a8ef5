"""The journal of a long job: whatever happens to the file, an item counts only if it is done."""

import json

import pytest

from core.errors import FolderInUse, UsageError
from core.journal import Journal

HEADER = {"job": "extract", "size": 256}


def write(path, *items, header=HEADER):
    with Journal(path, header) as journal:
        for item in items:
            journal.add(item, faces=[f"{item}_0.jpg"])
    return path


def test_what_was_done_is_known_to_the_next_run(tmp_path):
    path = write(tmp_path / "j.jsonl", "a", "b")
    with Journal(path, HEADER) as journal:
        assert journal.done == {"a": {"item": "a", "faces": ["a_0.jpg"]},
                                "b": {"item": "b", "faces": ["b_0.jpg"]}}


def test_the_file_is_the_header_and_a_line_per_item(tmp_path):
    path = write(tmp_path / "j.jsonl", "a")
    assert path.read_text() == ('{"job": "extract", "size": 256}\n'
                                '{"item": "a", "faces": ["a_0.jpg"]}\n')


def test_a_line_is_in_the_file_at_once(tmp_path):
    journal = Journal(tmp_path / "j.jsonl", HEADER)
    journal.add("a")
    assert (tmp_path / "j.jsonl").read_text().splitlines()[1] == '{"item": "a"}'
    journal.close()


@pytest.mark.parametrize("n_bytes_lost", (1, 2, 20, 33))
def test_a_torn_last_line_does_not_count_and_the_next_one_starts_on_its_own(tmp_path,
                                                                            n_bytes_lost):
    path = write(tmp_path / "j.jsonl", "a", "b")
    path.write_bytes(path.read_bytes()[:-n_bytes_lost])  # up to 33 of the 36 bytes of b's line
    with Journal(path, HEADER) as journal:
        assert set(journal.done) == {"a"}
        journal.add("c")
    assert [json.loads(line)["item"] for line in path.read_text().splitlines()[1:]] == ["a", "c"]


def test_a_torn_header_begins_the_job_anew(tmp_path):
    path = tmp_path / "j.jsonl"
    path.write_bytes(b'{"job": "extr')
    with Journal(path, HEADER) as journal:
        assert journal.done == {}
    assert path.read_text() == json.dumps(HEADER) + "\n"


def test_nothing_behind_a_damaged_line_is_trusted(tmp_path):
    path = write(tmp_path / "j.jsonl", "a", "b", "c")
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = b"\0" * 20 + b"\n"
    path.write_bytes(b"".join(lines))
    with Journal(path, HEADER) as journal:
        assert set(journal.done) == {"a"}


@pytest.mark.parametrize("damage", [b"not json\n", b"[1]\n", b"3\n", b"null\n", b"\xff\xfe\n"])
def test_a_damaged_header_begins_the_job_anew(tmp_path, damage):
    path = tmp_path / "j.jsonl"
    path.write_bytes(damage + b'{"item": "a"}\n')
    with Journal(path, HEADER) as journal:
        assert journal.done == {}


def test_lines_without_an_item_do_not_count(tmp_path):
    path = write(tmp_path / "j.jsonl", "a")
    with open(path, "a") as file:
        file.write('{"faces": []}\n3\n')
    with Journal(path, HEADER) as journal:
        assert set(journal.done) == {"a"}


def test_another_job_is_refused_with_what_differs_and_left_as_it_is(tmp_path):
    path = write(tmp_path / "j.jsonl", "a")
    before = path.read_bytes()
    with pytest.raises(UsageError) as caught:
        Journal(path, {"job": "extract", "size": 512, "rotate": True})
    assert str(caught.value) == (
        f"{tmp_path}: holds the results of another run (size 256 instead of 512, rotate None "
        "instead of True); choose another folder, or give --overwrite to replace them")
    assert path.read_bytes() == before


def test_replace_begins_anew_only_where_the_job_is_another_one(tmp_path):
    path = write(tmp_path / "j.jsonl", "a")
    with Journal(path, HEADER, replace=True) as journal:
        assert set(journal.done) == {"a"}
    with Journal(path, {"job": "extract", "size": 512}, replace=True) as journal:
        assert journal.done == {}
    with pytest.raises(UsageError):
        Journal(path, HEADER)


def test_an_item_done_again_counts_once_with_its_last_note(tmp_path):
    path = write(tmp_path / "j.jsonl", "a", "b")
    with Journal(path, HEADER) as journal:
        journal.add("a", faces=[])
    with Journal(path, HEADER) as journal:
        assert journal.done["a"]["faces"] == [] and len(journal.done) == 2
    assert len(path.read_text().splitlines()) == 3


def test_a_header_is_compared_as_json_says_it(tmp_path):
    """A tuple of the options is a list in the file; that is no other job."""
    path = write(tmp_path / "j.jsonl", "a", header={"sizes": (1, 2), "rate": 1.0})
    with Journal(path, {"sizes": [1, 2], "rate": 1}) as journal:
        assert set(journal.done) == {"a"}


def test_names_of_any_script_come_back(tmp_path):
    path = write(tmp_path / "j.jsonl", "Кадр 1.png", "画面\n2.png")
    with Journal(path, HEADER) as journal:
        assert set(journal.done) == {"Кадр 1.png", "画面\n2.png"}


def test_a_folder_serves_one_open_journal_and_is_free_again_afterwards(tmp_path):
    with Journal(tmp_path / "j", {"job": "a"}) as journal:
        with pytest.raises(FolderInUse, match="choose another folder"):
            Journal(tmp_path / "j", {"job": "a"})
        journal.add("1")
    with pytest.raises(UsageError):
        Journal(tmp_path / "j", {"job": "b"})
    with Journal(tmp_path / "j", {"job": "a"}) as journal:
        assert list(journal.done) == ["1"]


def test_what_a_killed_run_left_unfinished_is_removed_and_nothing_else(tmp_path):
    part, hidden = tmp_path / ".part-0123456789ab.png", tmp_path / ".part-mine.png"
    for path in (part, hidden):
        path.write_bytes(b"x")
    Journal(tmp_path / "j", {}).close()
    assert not part.exists() and hidden.exists()
