"""What the program imports is what its list of requirements installs."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("core", "leras", "facelib", "samplelib", "models", "merger", "mainscripts", "demo",
            "examples")
OWN = {*PACKAGES, "main", "benchmarks", "tests"}
# Import -> the list that has its distribution, asked for where a cluster or a window is.
OTHERWISE = {"distributed": ("distributed", "requirements-cluster.txt"),
             "PySide6": ("pyside6-essentials", "requirements-editor.txt")}


def imported(path):
    """The top-level packages that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.partition(".")[0]


def required(name):
    """Names of the distributions that a list pins, lists that it includes aside."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return {normal(re.split(r"[\[=]", line)[0]) for line in lines if "==" in line}


def normal(name):
    return name.lower().replace("_", "-")


@pytest.fixture(scope="module")
def foreign():
    files = [ROOT / "main.py", *(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))]
    return {name for path in files for name in imported(path)} - OWN - set(sys.stdlib_module_names)


def test_all_packages_of_others_are_required(foreign):
    distributions = packages_distributions()
    pinned = required("requirements.txt")
    missing = {name for name in foreign - set(OTHERWISE)
               if not pinned & {normal(found) for found in distributions.get(name, ())}}
    assert not missing


@pytest.mark.parametrize("name", OTHERWISE)
def test_what_is_not_required_has_a_list_of_its_own(name):
    distribution, file = OTHERWISE[name]
    assert required(file) == {distribution}
