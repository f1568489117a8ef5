"""models list, info, rename, delete: on saved models of every kind."""

import io
import json
import os
import re
import shutil
import time

import pytest

import main
from core.generations import GenerationStore
from core.report import ConsoleReporter, JsonReporter
from models.backups import Backups
from models.store import ModelStore
from tests.commands import run
from tests.models.saved import assert_equal_states, save, snapshot, tiny_model


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder with "alice" as SAEHD and as AMP and "bob" as Quick96; not to be changed."""
    folder = tmp_path_factory.mktemp("saved")
    save(folder, "SAEHD", "alice")
    save(folder, "AMP", "alice", iterations=3)
    save(folder, "Quick96", "bob my love")
    return folder


@pytest.fixture
def model_dir(saved, tmp_path):
    """The same, to be worked on: files are never written again in their place."""
    return shutil.copytree(saved, tmp_path / "models", copy_function=os.link,
                           ignore=shutil.ignore_patterns("LOCK"))


def models(action, model_dir, *words, **known):
    return run("models", action, *words, "--model-dir", model_dir, **known)


class Answers:
    """Answers every question alike, and remembers it."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []

    def ask(self, spec, current):
        self.asked.append(spec.help and spec.name)
        return self.answer


def damage(folder):
    """Flips a bit in one file of the newest generation."""
    def flip(data):
        return data[:1000] + bytes([data[1000] ^ 1]) + data[1001:]

    rewrite(folder, flip)


def cut(folder):
    """Cuts one file of the newest generation short."""
    rewrite(folder, lambda data: data[:-100])


def rewrite(folder, change):
    number = GenerationStore(folder).numbers()[-1]
    path = folder / f"gen-{number:06d}" / "encoder.h5"
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(change(data))


# -- list -----------------------------------------------------------------------------------------

def test_the_list_has_a_line_for_each_model_the_last_one_saved_first(saved):
    outcome = models("list", saved)
    assert outcome.code == 0
    rows = [event for event in outcome.events if event["event"] == "model"]
    facts = [tuple(row[name] for name in ("name", "model_kind", "iteration", "resolution",
                                          "architecture")) for row in rows]
    assert facts == [("bob my love", "Quick96", 6, 64, "df-ud"), ("alice", "AMP", 3, 64, "amp-udt"),
                     ("alice", "SAEHD", 6, 64, "liae-ud")]
    for row in rows:
        on_disk = sum(path.stat().st_size for path in (saved / f"{row['name']}_{row['model_kind']}"
                                                       ).rglob("*") if path.is_file())
        assert row["n_bytes"] == on_disk and row["folder"].endswith(f"_{row['model_kind']}")
        assert abs(row["saved"] - time.time()) < 3600 and row["problems"] == ()


def test_the_list_is_a_table_on_the_console_and_lines_of_json_for_programs(saved, capsys):
    assert main.main(["models", "list", "--model-dir", str(saved)],
                     reporter=ConsoleReporter()) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].split() == ["NAME", "KIND", "ITERATION", "SIDE", "ARCHITECTURE", "SIZE", "SAVED"]
    assert re.fullmatch(r"bob my love  Quick96  6 +64    df-ud +\d+\.\d MB +\d{4}-\d\d-\d\d "
                        r"\d\d:\d\d", out[1])
    assert len({line.index(word) for line, word in
                zip(out[1:], ("Quick96", "AMP", "SAEHD"), strict=True)}) == 1
    stream = io.StringIO()
    assert main.main(["models", "list", "--model-dir", str(saved), "--json"],
                     reporter=JsonReporter(stdout=stream)) == 0
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [event["name"] for event in events if event["event"] == "model"] == [
        "bob my love", "alice", "alice"]


def test_a_folder_without_models_says_what_makes_one(tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "file.txt").write_text("x")
    outcome = models("list", tmp_path)
    assert outcome.code == 0 and "`train` makes one" in outcome.infos()[0]


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    outcome = models("list", tmp_path / "nowhere")
    assert outcome.code == 1 and "no such folder; check --model-dir" in outcome.error()


def test_damage_is_told_and_the_other_models_are_listed(model_dir):
    cut(model_dir / "bob my love_Quick96")
    outcome = models("list", model_dir)
    rows = [event for event in outcome.events if event["event"] == "model"]
    assert outcome.code == 0 and [row["model_kind"] for row in rows] == ["AMP", "SAEHD", "Quick96"]
    assert rows[2]["iteration"] is None and re.search(r"Quick96 +\? +\? ", rows[2]["message"])
    (warning,) = outcome.warnings()
    assert "bob my love_Quick96: no saved generation can be read (gen-000001" in warning


def test_listing_changes_nothing(model_dir):
    before = snapshot(model_dir)
    models("list", model_dir)
    models("info", model_dir, "bob my love")
    assert snapshot(model_dir) == before


# -- info -----------------------------------------------------------------------------------------

def test_info_tells_everything_about_one_model(saved):
    outcome = models("info", saved, "alice", "--kind", "SAEHD")
    assert outcome.code == 0
    info = outcome.event("model_info")
    assert info["iteration"] == 6 and info["seconds"] == 6.0
    assert info["losses"] == pytest.approx({"src": 0.40833, "dst": 0.81667}, abs=1e-4)
    assert info["options"]["archi"] == "liae-ud" and info["generations"] == {"gen-000001": "ok"}
    lines = info["message"].splitlines()
    assert lines[0] == "alice" and "  losses        src 0.4083, dst 0.8167" in lines
    assert "    resolution             64" in lines and "    gen-000001   ok" in lines


def test_info_takes_a_folders_name_too(saved):
    assert models("info", saved, "alice_AMP").event("model_info")["model_kind"] == "AMP"


def test_info_names_the_backups(model_dir):
    folder = model_dir / "alice_AMP"
    backups = Backups(GenerationStore(folder))
    backups.make()
    save(model_dir, "AMP", "alice", iterations=9)
    backups.make()
    info = models("info", model_dir, "alice_AMP").event("model_info")
    assert info["backups"] == {"01": 9, "02": 3}
    assert re.search(r"\n  backups\n    01           9 iterations, 20\d\d-", info["message"])
    assert [row["name"] for row in models("list", model_dir).events
            if row["event"] == "model"].count("alice") == 2


def test_info_verifies_every_byte_and_shows_the_generation_that_is_whole(model_dir):
    save(model_dir, "Quick96", "bob my love", iterations=8)
    damage(model_dir / "bob my love_Quick96")
    outcome = models("info", model_dir, "bob my love")
    assert outcome.code == 0
    info = outcome.event("model_info")
    assert info["generations"]["gen-000001"] == "ok"
    assert "encoder.h5 is damaged: its checksum differs" in info["generations"]["gen-000002"]
    assert "  iteration     6" in info["message"].splitlines()
    assert "using gen-000001" in outcome.warnings()[0]


def test_info_of_a_model_without_a_whole_generation_is_an_error(model_dir):
    damage(model_dir / "bob my love_Quick96")
    outcome = models("info", model_dir, "bob my love")
    assert outcome.code == 1 and "copy a backup into this folder" in outcome.error()


# -- which model ----------------------------------------------------------------------------------

@pytest.mark.parametrize("action, words", [
    ("info", ()), ("rename", ("--new-name", "x")), ("delete", ("--yes",)),
    ("resize", ("--new-name", "x", "--resolution", 96)),
    ("export-weights", ("--output-file", "x.npz")), ("export-dfl", ("--output-dir", "x")),
    ("export-options", ("--output-file", "x.toml"))])
def test_every_action_knows_which_model_is_meant(saved, action, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = snapshot(saved)
    outcome = models(action, saved, "alce", *words)
    assert outcome.code == 1
    assert "no model named 'alce'; did you mean 'alice'?; see `models list`" in outcome.error()
    outcome = models(action, saved, "alice", *words)
    assert outcome.code == 2
    assert "of several kinds (AMP, SAEHD); say which with --kind" in outcome.error()
    outcome = models(action, saved, "alice", *words, "--kind", "Quick96")
    assert outcome.code == 1 and "named 'alice' of kind Quick96" in outcome.error()
    assert snapshot(saved) == before and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words, line", [
    (("info", "alice"), "--model-dir missing"),
    (("rename", "alice", "--model-dir", "."), "--new-name missing"),
    (("resize", "alice", "--model-dir", ".", "--new-name", "x"), "--resolution missing"),
    (("export-dfl", "alice", "--model-dir", "."), "--output-dir missing"),
    (("export-weights", "alice", "--model-dir", "."), "--output-file missing"),
    (("export-options", "alice", "--model-dir", "."), "--output-file missing"),
    (("show", "alice"), "invalid choice: 'show'"),
    (("info",), "NAME"), ((), "ACTION"),
    (("list", "--model-dri", "."), "did you mean '--model-dir'?")])
def test_wrong_words_are_told_in_one_line(words, line):
    outcome = run("models", *words)
    assert outcome.code == 2 and line in outcome.error()


def test_the_folder_may_stand_in_a_file(saved, tmp_path):
    config = tmp_path / "facelab.toml"
    config.write_text(f'[models]\nmodel-dir = "{saved.as_posix()}"\nnew-name = "x"\n')
    outcome = run("models", "info", "bob my love", "--config", config)
    assert outcome.code == 0 and outcome.event("model_info")["name"] == "bob my love"


# -- rename ---------------------------------------------------------------------------------------

def test_a_renamed_model_is_the_same_one(model_dir):
    before = snapshot(model_dir / "alice_AMP")
    outcome = models("rename", model_dir, "alice", "--kind", "AMP", "--new-name", "carol_2 ü")
    assert outcome.code == 0
    assert outcome.event("renamed")["folder"] == str(model_dir / "carol_2 ü_AMP")
    assert not (model_dir / "alice_AMP").exists()
    assert snapshot(model_dir / "carol_2 ü_AMP") == before
    assert models("info", model_dir, "carol_2 ü").event("model_info")["name"] == "carol_2 ü"


BAD_NAMES = ["", " x", "x ", ".x", "x.", "a/b", "a\\b", "..", "a:b", "a*b", 'a"b', "a<b", "a|b",
             "a\nb", "x" * 121]


@pytest.mark.parametrize("name", BAD_NAMES, ids=range(len(BAD_NAMES)))
def test_names_that_no_folder_can_have_are_refused(name, saved):
    before = snapshot(saved)
    outcome = models("rename", saved, "bob my love", "--new-name", name)
    assert outcome.code == 2
    assert "cannot be a model's name" in outcome.error() or "missing" in outcome.error()
    assert snapshot(saved) == before


def test_no_model_takes_the_place_of_another(model_dir):
    save(model_dir, "AMP", "dora")
    before = snapshot(model_dir)
    outcome = models("rename", model_dir, "dora", "--new-name", "alice")
    assert outcome.code == 2 and "alice_AMP exists; choose another name" in outcome.error()
    assert snapshot(model_dir) == before
    # The name belongs to another kind, which has a folder of its own.
    assert models("rename", model_dir, "dora", "--new-name", "bob my love").code == 0


# -- delete ---------------------------------------------------------------------------------------

def test_deleting_asks_and_no_keeps_the_model(model_dir):
    before, prompter = snapshot(model_dir), Answers(False)
    outcome = models("delete", model_dir, "bob my love", prompter=prompter)
    assert outcome.code == 0 and outcome.infos()[-1].endswith("MB) stays")
    assert len(prompter.asked) == 1 and "bob my love_Quick96 (6 iterations" in prompter.asked[0]
    assert snapshot(model_dir) == before


def test_yes_moves_the_model_to_the_trash_from_where_it_can_come_back(model_dir):
    before = snapshot(model_dir / "bob my love_Quick96")
    outcome = models("delete", model_dir, "bob my love", prompter=Answers(True))
    assert outcome.code == 0
    (trash,) = (model_dir / ".trash").iterdir()
    assert outcome.event("deleted")["trash"] == str(trash) and snapshot(trash) == before
    assert "bob my love" not in models("list", model_dir).event("model")["message"]
    shutil.move(trash, model_dir / "bob my love_Quick96")
    assert models("info", model_dir, "bob my love").code == 0


def test_two_models_of_one_name_fit_into_the_trash(model_dir):
    for _ in range(2):
        assert models("delete", model_dir, "bob my love", prompter=Answers(True)).code == 0
        save(model_dir, "Quick96", "bob my love")
    assert len(list((model_dir / ".trash").iterdir())) == 2


def test_where_nobody_can_be_asked_nothing_is_deleted(model_dir):
    before = snapshot(model_dir)
    outcome = models("delete", model_dir, "bob my love")
    assert outcome.code == 2 and "say --yes to delete it for good" in outcome.error()
    assert snapshot(model_dir) == before


def test_with_yes_the_model_is_gone_and_all_others_stay(model_dir):
    before = snapshot(model_dir)
    outcome = models("delete", model_dir, "bob my love", "--yes")
    assert outcome.code == 0 and outcome.event("deleted")["trash"] is None
    assert snapshot(model_dir) == {path: data for path, data in before.items()
                                   if not path.startswith("bob")}


# -- in use ---------------------------------------------------------------------------------------

def test_a_model_that_is_trained_can_be_looked_at_and_neither_moved_nor_deleted(model_dir):
    before = snapshot(model_dir)
    with ModelStore(model_dir, "Quick96", "bob my love").generations.lock():
        for action, words in (("rename", ("--new-name", "x")), ("delete", ("--yes",))):
            outcome = models(action, model_dir, "bob my love", *words)
            assert outcome.code == 1 and "is being written by process" in outcome.error()
            assert "stop it first" in outcome.error()
        assert models("info", model_dir, "bob my love").code == 0
        assert models("list", model_dir).code == 0
    assert snapshot(model_dir) == before


def test_a_model_of_ones_own_kind_is_listed_by_the_name_of_its_class(tmp_path):
    """The kind is an address; the folder has the class's name."""
    kind = "models.quick96.model:Quick96Model"
    save(tmp_path, kind, "mine", tiny_model("Quick96"))
    (row,) = [event for event in models("list", tmp_path).events if event["event"] == "model"]
    assert (row["name"], row["model_kind"]) == ("mine", kind)
    assert (tmp_path / "mine_Quick96Model").is_dir()
    info = models("info", tmp_path, "mine").event("model_info")
    assert info["architecture"] is None and info["iteration"] == 6
    outcome = models("rename", tmp_path, "mine", "--new-name", "yours")
    assert outcome.code == 0 and (tmp_path / "yours_Quick96Model").is_dir()
    first, second = (ModelStore(tmp_path, kind, "yours").require(), tiny_model("Quick96"))
    assert_equal_states(first.arrays, second.state())
