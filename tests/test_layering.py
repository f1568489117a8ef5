import ast
import functools
import subprocess
import sys
from pathlib import Path

import pytest

import main

ROOT = Path(__file__).parents[1]
LAYERS = ("core", "leras", "facelib", "samplelib", "models", "merger", "mainscripts")
TENSORFLOW_PLACES = ("leras/", "facelib/networks/", "models/")
LIGHT_LAYERS = ("core", "facelib", "samplelib", "merger")
TALKERS = ("main.py", "mainscripts/", "core/report.py", "core/prompt.py")
KERAS = {"keras", "tf_keras"}

SOURCES = sorted(path.relative_to(ROOT).as_posix() for layer in LAYERS
                 for path in (ROOT / layer).rglob("*.py"))


@functools.cache
def tree(source):
    return ast.parse((ROOT / source).read_text(encoding="utf-8"), source)


@functools.cache
def imports(source):
    """Every module name a file imports, wherever the import stands."""
    found = set()
    for node in ast.walk(tree(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source}:{node.lineno} imports relatively"
            # `from facelib import networks` names the module facelib.networks.
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def is_in(name, package):
    return f"{name}.".startswith(f"{package}.")


def layer_of(name):
    top = name.replace("/", ".").split(".")[0]
    return LAYERS.index(top) if top in LAYERS else None


def module_name(source):
    return source.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)


def test_every_layer_has_sources():
    assert {source.split("/")[0] for source in SOURCES} == set(LAYERS)
    assert len(SOURCES) > 30


@pytest.mark.parametrize("source", SOURCES)
def test_imports_point_down(source):
    own = layer_of(source)
    upward = {name for name in imports(source)
              if is_in(name, "main") or (layer_of(name) is not None and layer_of(name) > own)}
    assert not upward


@pytest.mark.parametrize("source", SOURCES)
def test_tensorflow_stays_in_its_places_and_keras_nowhere(source):
    names = imports(source)
    if not source.startswith(TENSORFLOW_PLACES):
        assert not [name for name in names if is_in(name, "tensorflow")]
    parts = {part for name in names for part in name.split(".")}
    assert not parts & KERAS
    keras_attributes = [node.lineno for node in ast.walk(tree(source))
                        if isinstance(node, ast.Attribute) and node.attr in KERAS]
    assert not keras_attributes


@pytest.mark.parametrize("source", [s for s in SOURCES if s.startswith(("samplelib/", "merger/"))])
def test_samples_and_merging_know_no_networks(source):
    assert not [name for name in imports(source)
                if is_in(name, "facelib.networks") or is_in(name, "leras")]


@pytest.mark.parametrize("source", [s for s in SOURCES if s.startswith("facelib/")
                                    and not s.startswith("facelib/networks/")])
def test_of_facelib_only_the_networks_know_leras(source):
    assert not [name for name in imports(source)
                if is_in(name, "facelib.networks") or is_in(name, "leras")]


@pytest.mark.parametrize("source", [s for s in SOURCES if s.endswith("__init__.py")])
def test_packages_do_not_import_their_modules(source):
    assert not [name for name in imports(source) if layer_of(name) is not None]


@pytest.mark.parametrize("source", [s for s in SOURCES if not s.startswith(TALKERS)])
def test_only_the_edge_talks_to_the_user(source):
    calls = [(node.lineno, node.func.id) for node in ast.walk(tree(source))
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
             and node.func.id in ("print", "input", "exit", "quit")]
    exits = [node.lineno for node in ast.walk(tree(source))
             if isinstance(node, ast.Attribute) and ast.unparse(node) in ("sys.exit", "os._exit")]
    assert not calls
    assert not exits


@pytest.mark.parametrize("source", [*SOURCES, "main.py"])
def test_errors_are_caught_narrowly(source):
    nodes = list(ast.walk(tree(source)))
    handlers = [node for node in nodes if isinstance(node, ast.ExceptHandler)]
    wide = [handler.lineno for handler in handlers
            if "Exception" in names_in(handler.type) or handler.type is None
            or ("BaseException" in names_in(handler.type) and not raises_again(handler))]
    suppressed = [node.lineno for node in nodes if isinstance(node, ast.Call)
                  and ast.unparse(node.func).endswith("suppress")
                  and {"Exception", "BaseException"} & names_in(*node.args)]
    assert not wide + suppressed


def names_in(*nodes):
    return {part.id for node in nodes if node is not None for part in ast.walk(node)
            if isinstance(part, ast.Name)}


def raises_again(handler):
    """Whether a handler only tidies up: its last statement is a bare `raise`."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_light_packages_do_not_load_tensorflow():
    names = [module_name(source) for source in SOURCES
             if source.startswith(LIGHT_LAYERS) and not source.startswith(TENSORFLOW_PLACES)]
    child = run_python("import importlib, sys\n"
                       f"for name in {names}: importlib.import_module(name)\n"
                       "print('tensorflow' in sys.modules, 'leras' in sys.modules)")
    assert (child.stdout, child.stderr) == ("False False\n", "")


def test_help_loads_no_tensorflow_and_no_numpy():
    child = run_python("import main, sys; main.main(['--help'])\n"
                       "print(sorted({'tensorflow', 'numpy', 'cv2', 'tqdm'} & set(sys.modules)))")
    assert child.stdout.endswith("\n[]\n")
    assert child.returncode == 0


@pytest.mark.parametrize("command", sorted(main.COMMANDS))
def test_help_of_a_command_loads_no_tensorflow(command):
    module = main.COMMANDS[command][1]
    if not (ROOT / (module.replace(".", "/") + ".py")).exists():
        pytest.skip(f"{module} is not there")
    child = run_python(f"import main, sys; code = main.main([{command!r}, '--help'])\n"
                       "print(code, 'tensorflow' in sys.modules)")
    assert child.stdout.endswith("\n0 False\n"), child.stderr
