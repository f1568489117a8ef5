"""The program's name and version, as signed files and reports give them."""

import configparser
from pathlib import Path

NAME = "FaceLab"


def version() -> str:
    """The version that setup.cfg names."""
    settings = configparser.ConfigParser()
    settings.read(Path(__file__).resolve().parents[1] / "setup.cfg", encoding="utf-8")
    return settings["metadata"]["version"]
