"""What the window remembers from one time to the next."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import platformdirs

from core.paths import atomic_write

_MOST_FACESETS = 50
"""Whose last face is remembered."""


@dataclass(frozen=True)
class Settings:
    """How the window was left.

    Attributes:
        geometry: Its place and size, as Qt gives them, in base64.
        colour: Name of the outlines' colour.
        is_panel_open: Whether the panel with poses and lists is shown.
        last_faces: Folder -> name of the face that was looked at.
    """

    geometry: str = ""
    colour: str = "green"
    is_panel_open: bool = True
    last_faces: Mapping[str, str] | None = None

    def with_last_face(self, folder: Path, name: str) -> Mapping[str, str]:
        """`last_faces` with one more; the oldest goes where there are too many."""
        others = {key: value for key, value in (self.last_faces or {}).items()
                  if key != str(folder.resolve())}
        kept = list(others.items())[-_MOST_FACESETS + 1:]
        return {**dict(kept), str(folder.resolve()): name}

    def last_face(self, folder: Path) -> str | None:
        """The face of a folder that was looked at last."""
        return (self.last_faces or {}).get(str(folder.resolve()))


def settings_path() -> Path:
    """Where they are kept."""
    return Path(platformdirs.user_config_dir("FaceLab", appauthor=False)) / "xseg_editor.json"


def load_settings(path: Path) -> Settings:
    """What a file holds; of a damaged one what is sound, so that it never keeps the window shut."""
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return Settings()
    if not isinstance(values, dict):
        return Settings()
    return Settings(**{field.name: values[field.name] for field in fields(Settings)
                       if _fits(field.name, values.get(field.name))})


def save_settings(path: Path, settings: Settings) -> None:
    """Writes them, if that is possible: nobody loses work where it is not."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, json.dumps(asdict(settings), indent=1).encode())
    except OSError:
        pass


def _fits(name: str, value: Any) -> bool:
    if name == "last_faces":
        return isinstance(value, dict) and all(isinstance(name, str) for name in value.values())
    return type(value) is type(getattr(Settings(), name))
