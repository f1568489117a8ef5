"""Which kind of model a name means."""

import numpy as np
import pytest

from core.errors import UsageError
from core.generations import GenerationStore
from mainscripts.model_kind import saved_kind, saved_kinds


def save(model_dir, folder, kind):
    GenerationStore(model_dir / folder).save({"weights": {"w": np.zeros(3)}}, {"kind": kind})


def test_the_kind_is_the_one_that_was_saved(tmp_path):
    save(tmp_path, "anna_SAEHD", "SAEHD")
    save(tmp_path, "anna_b_AMP", "AMP")
    save(tmp_path, "mine_Tiny", "my.models:Tiny")
    assert saved_kind(tmp_path, "anna") == "SAEHD"
    assert saved_kind(tmp_path, "anna_b") == "AMP"
    assert saved_kind(tmp_path, "mine") == "my.models:Tiny"
    assert saved_kind(tmp_path, "nobody") is None


def test_names_that_only_begin_alike_are_others(tmp_path):
    save(tmp_path, "anna_b_AMP", "AMP")
    save(tmp_path, "anna_Quick96", "SAEHD")  # a folder renamed by hand
    assert saved_kinds(tmp_path, "anna") == []


def test_two_kinds_of_one_name_must_be_told_apart(tmp_path):
    save(tmp_path, "anna_SAEHD", "SAEHD")
    save(tmp_path, "anna_AMP", "AMP")
    with pytest.raises(UsageError, match="AMP, SAEHD.*--model"):
        saved_kind(tmp_path, "anna")


def test_a_damaged_model_keeps_the_kind_of_its_folder(tmp_path):
    save(tmp_path, "anna_SAEHD", "SAEHD")
    (tmp_path / "anna_SAEHD/gen-000001/state.json").write_bytes(b"{")
    assert saved_kind(tmp_path, "anna") == "SAEHD"


def test_folders_without_a_model_and_missing_folders_say_nothing(tmp_path):
    (tmp_path / "anna_SAEHD").mkdir()
    (tmp_path / "anna_AMP").write_text("a file")
    assert saved_kind(tmp_path, "anna") is None
    assert saved_kind(tmp_path / "none", "anna") is saved_kind(None, "anna") is None
