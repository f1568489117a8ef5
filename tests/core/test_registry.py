import sys

import pytest

from core.errors import OptionError
from core.registry import Registry

SHAPES = Registry("shape", {"Fraction": "fractions:Fraction", "path": "pathlib:PurePosixPath"})


@pytest.fixture
def own_module(tmp_path, monkeypatch):
    def write(content):
        (tmp_path / "my_own_shape.py").write_text(content, encoding="utf-8")

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "my_own_shape", raising=False)
    yield write
    sys.modules.pop("my_own_shape", None)


def test_a_name_loads_what_its_address_says():
    from fractions import Fraction

    assert SHAPES.load("Fraction") is Fraction
    assert SHAPES.load("fraction") is Fraction
    assert SHAPES.names() == ("Fraction", "path")


def test_nothing_is_imported_before_it_is_loaded(own_module):
    own_module("class Square: side = 3")
    registry = Registry("shape", {"square": "my_own_shape:Square"})
    assert "my_own_shape" not in sys.modules
    assert registry.load("square").side == 3


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(OptionError, match="unknown shape 'pth'; known are Fraction, path.*'path'"):
        SHAPES.load("pth")


def test_an_own_class_is_loaded_by_its_address(own_module):
    own_module("class Square:\n    class Corner: degrees = 90")
    assert SHAPES.load("my_own_shape:Square").__name__ == "Square"
    assert SHAPES.load("my_own_shape:Square.Corner").degrees == 90


@pytest.mark.parametrize("address, reason", [
    ("my_missing_shape:Square", "there is no module 'my_missing_shape'"),
    ("my_missing.shape:Square", "there is no module 'my_missing.shape'"),
    ("my_own_shape:Circle", "has no attribute 'Circle'"),
    ("my_own_shape:", "module:Class"),
    (":Square", "module:Class"),
])
def test_an_own_address_that_leads_nowhere_says_why(own_module, address, reason):
    own_module("class Square: pass")
    with pytest.raises(OptionError, match=reason):
        SHAPES.load(address)


def test_a_module_missing_inside_an_own_module_is_not_hidden(own_module):
    own_module("import my_missing_dependency")
    with pytest.raises(ModuleNotFoundError, match="my_missing_dependency"):
        SHAPES.load("my_own_shape:Square")
