"""Kinds of models by name and by address."""

import pytest

from core.errors import OptionError
from models.options import TrainingOptions
from models.registry import MODEL_OPTIONS, MODELS, known_kind, label, options_type
from models.saehd.options import SAEHDOptions


def test_both_tables_know_the_same_models_and_each_has_its_own_options():
    assert MODELS.names() == MODEL_OPTIONS.names()
    for kind in MODELS.names():
        assert MODELS.load(kind).options_type is MODEL_OPTIONS.load(kind) is options_type(kind)
        assert issubclass(options_type(kind), TrainingOptions)


def test_case_does_not_matter_and_an_own_kind_is_its_address():
    assert known_kind("saehd") == "SAEHD" and options_type("sAeHd") is SAEHDOptions
    address = "models.saehd.model:SAEHDModel"
    assert known_kind(address) == address
    assert options_type(address) is SAEHDOptions


def test_files_are_named_after_the_class_of_an_own_kind():
    assert (label("SAEHD"), label("my.models:Outer.Tiny"), label("mine:Tiny")) == (
        "SAEHD", "Tiny", "Tiny")


@pytest.mark.parametrize("kind, told", [
    ("SAEHDD", "did you mean 'SAEHD'"), ("no.such.module:Class", "no module 'no.such.module'"),
    ("models.saehd.model:Nothing", "Nothing")])
def test_an_unknown_kind_is_named(kind, told):
    with pytest.raises(OptionError, match=told):
        options_type(kind)
