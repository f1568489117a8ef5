"""The Python packages against requirements.txt, and the weights of the networks."""

import re
from importlib import metadata
from pathlib import Path

from core.paths import format_bytes
from mainscripts.checks.check import Check, ok, problem, warning
from mainscripts.checks.child import ChildFailed, ask_child

PIN = re.compile(r"^\s*([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;#]+)")

# Where the name to import is not the name to install. TensorFlow has a check of its own.
MODULES = {"opencv-python": "cv2", "scikit-image": "skimage", "c2pa-python": "c2pa",
           "tomli-w": "tomli_w", "pillow": "PIL"}
CHECKED_ELSEWHERE = ("tensorflow",)

IMPORT_ALL = """
import importlib, json, sys
errors = {}
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except (ImportError, OSError, AttributeError, RuntimeError) as error:
        errors[name] = " ".join(str(error).split())
print(json.dumps(errors))
"""


def read_pins(requirements: Path) -> dict[str, str]:
    """The `name==version` lines of a requirements file: name -> version."""
    matches = map(PIN.match, requirements.read_text(encoding="utf-8").splitlines())
    return {match[1]: match[2] for match in matches if match}


def check_packages(requirements: Path) -> list[Check]:
    """Whether every pinned package is there, in its version, and can be imported."""
    pins = read_pins(requirements)
    complaints = [check for name, pin in pins.items() if (check := check_version(name, pin))]
    missing = {check.name for check in complaints if check.status == "problem"}
    complaints += _check_imports([name for name in pins if name not in missing])
    n_good = len(pins) - len({check.name for check in complaints})
    return [ok("packages", f"{n_good} of {len(pins)} packages are as pinned in requirements.txt"),
            *complaints]


def check_version(name: str, pin: str) -> Check | None:
    """None if the package is installed in the pinned version."""
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return problem(name, f"package {name} is missing; run `pip install -r requirements.txt`")
    if version == pin:
        return None
    return warning(name, f"package {name} is {version}, tested is {pin}; run "
                         "`pip install -r requirements.txt`")


def _check_imports(names: list[str]) -> list[Check]:
    modules = {MODULES.get(name, name): name for name in names if name not in CHECKED_ELSEWHERE}
    try:
        errors = ask_child(IMPORT_ALL, *modules)
    except ChildFailed as error:
        return [problem("imports", f"importing the packages failed: {error}; install them again "
                                   "with `pip install --force-reinstall -r requirements.txt`")]
    return [problem(modules[module], f"package {modules[module]} cannot be imported: {reason}")
            for module, reason in errors.items()]


def check_weights() -> list[Check]:
    """Whether the weights that come with FaceLab are whole, and which others are there."""
    try:
        # Late: without NumPy this module must still be able to say so.
        from facelib.weights import WEIGHTS, WEIGHTS_FOLDER
    except ImportError as error:
        return [problem("weights", f"the weights cannot be read: {error}; run "
                                   "`pip install -r requirements.txt`")]
    checks = []
    for name, file in WEIGHTS.items():
        reason = file.problem()
        checks.append(problem(name, reason) if reason else
                      ok(name, f"weights of {file.network}: {format_bytes(file.n_bytes)}"))
    own = {file.file_name for file in WEIGHTS.values()}
    others = [path for path in sorted(WEIGHTS_FOLDER.glob("*.npz")) if path.name not in own]
    return checks + [ok(path.stem, f"weights in {path.name}: {format_bytes(path.stat().st_size)}")
                     for path in others]
