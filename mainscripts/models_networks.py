"""The actions of `models` for the networks that find faces: their weights fetched and imported."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.options import option
from core.prompt import Prompter
from core.report import Reporter
from facelib.weights import IMPORTABLE, RELEASES, source_of, user_path

if TYPE_CHECKING:
    from facelib.checkpoints.importing import Imported

_SUFFIXES = (".pth", ".pt", ".tar", ".zip")
_DEEPFACELAB_FILES = ("s3fd.npy", "2dfan.npy", "3dfan.npy", "faceenhancer.npy", "xseg_256.npy")


@dataclass(frozen=True)
class NetworksOptions:
    """Nothing to choose."""


@dataclass(frozen=True)
class NetworkOptions:
    """What the file is."""

    network: str | None = option(
        None, choices=tuple(IMPORTABLE),
        help="For weights of a network that finds faces: which one, where the file cannot tell.")


@dataclass(frozen=True)
class FetchOptions:
    """From where."""

    url: str | None = option(
        None, help="Another address of the same file; its checksum is verified all the same.")


def is_network_file(path: Path) -> bool:
    """Whether a path names weights of a network that finds faces, and not a model of swaps."""
    name = path.name.lower()
    return name.endswith(_SUFFIXES) or name in _DEEPFACELAB_FILES


def list_networks(options: NetworksOptions, target: None, reporter: Reporter,
                  prompter: Prompter) -> None:
    """One line for each network whose weights can be exchanged."""
    width = max(map(len, IMPORTABLE))
    for name, what in IMPORTABLE.items():
        source = source_of(name)
        shown = f"{source} ({user_path(name)})" if source == "imported" else source
        if source == "missing" and name in RELEASES:
            shown += f"; `models fetch {name}` gets it"
        reporter.event("network", message=f"{name.ljust(width)}  {what}: {shown}", name=name,
                       source=source)


def import_network(options: NetworkOptions, target: Path, reporter: Reporter,
                   prompter: Prompter) -> None:
    """Installs the weights in a file."""
    from facelib.checkpoints.importing import import_checkpoint

    _tell(import_checkpoint(target, options.network), reporter)


def fetch_network(options: FetchOptions, target: str, reporter: Reporter,
                  prompter: Prompter) -> None:
    """Downloads and installs the official weights of a network."""
    from facelib.checkpoints.fetching import fetch

    _tell(fetch(target, url=options.url), reporter)


def _tell(imported: Sequence["Imported"], reporter: Reporter) -> None:
    for one in imported:
        kind = "the official weights" if one.is_official else "weights"
        reporter.event("network_imported", message=f"{kind} of {IMPORTABLE[one.network]} are "
                       f"installed ({one.path})", name=one.network, path=str(one.path),
                       program=one.program, official=one.is_official)
