"""Options of merging by name, for all projects of a user: one readable file for each."""

import json
import re
from dataclasses import asdict
from pathlib import Path

from core.errors import OptionError
from core.option_spec import did_you_mean
from core.paths import atomic_write, natural_key
from core.signing_identity import data_dir
from mainscripts.merging.frame_settings import VERSION, check_version, options_from, read_json
from merger.options import MergeOptions

FOLDER = "merge_presets"
_NAME = re.compile(r"[^\W_][\w -]{0,39}")


class Presets:
    """The presets in a folder, which need not exist yet."""

    def __init__(self, folder: Path | None = None):
        """
        Args:
            folder: None is that of the user.
        """
        self._folder = data_dir() / FOLDER if folder is None else folder

    def names(self) -> list[str]:
        """Those that there are, sorted."""
        return sorted((path.stem for path in self._folder.glob("*.json")
                       if _NAME.fullmatch(path.stem)), key=natural_key)

    def load(self, name: str) -> MergeOptions:
        """
        Raises:
            OptionError: There is none of that name, or its file is damaged.
        """
        name = name.strip()
        if name not in self.names():
            raise OptionError(f"there is no preset {name!r}" + (
                did_you_mean(name, self.names()) or f"; there are {self.listed()}"))
        path = self._path(name)
        content = read_json(path)
        check_version(content, path)
        return options_from(content.get("options"), str(path))

    def save(self, name: str, options: MergeOptions) -> str:
        """Keeps options, in the place of others of that name.

        Returns:
            The name without spaces around it.

        Raises:
            OptionError: That cannot be a name.
            OSError: The file cannot be written.
        """
        name = name.strip()
        if not _NAME.fullmatch(name):
            raise OptionError(f"{name!r} is no name for a preset; take letters, digits, spaces and "
                              "dashes, at most 40")
        self._folder.mkdir(parents=True, exist_ok=True)
        content = {"version": VERSION, "options": asdict(options)}
        atomic_write(self._path(name), (json.dumps(content, indent=2) + "\n").encode())
        return name

    def listed(self) -> str:
        """The names in a row, for people."""
        return ", ".join(self.names()) or "none yet; 0 saves one"

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"
