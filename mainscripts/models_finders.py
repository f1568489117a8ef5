"""The action of `models` that hands a trained S3FD or FAN to extraction."""

from dataclasses import dataclass
from pathlib import Path

from core.errors import UsageError
from core.options import option
from core.paths import format_bytes
from core.prompt import Prompter
from core.report import Reporter
from facelib.user_weights import user_path, write_weights
from mainscripts.models_store import load_saved

SUFFIX = ".npz"


@dataclass(frozen=True)
class ExportNetworkOptions:
    """Which model goes where."""

    model_dir: Path | None = option(None, ask=True, help="Folder of all models.")
    kind: str | None = option(None, help="Its kind, where several models have the name.")
    network: str | None = option(
        None, choices=("s3fd", "2dfan", "3dfan"),
        help="As which network it is used; a FAN is 2dfan if nothing is said.")
    output_file: Path | None = option(
        None, help="The .npz file to write. Left out, the weights are installed for extraction "
        "and go before those that come with FaceLab.")
    dtype: str = option(
        "float16", choices=("float16", "float32"),
        help="float16 halves the file; float32 loses nothing.")
    overwrite: bool = option(False, help="Replace a file that is there.")


def export_network(options: ExportNetworkOptions, target: str, reporter: Reporter,
                   prompter: Prompter) -> None:
    """Writes or installs the network of a model.

    Raises:
        UsageError: The model finds no faces, or the file is there or has another suffix.
    """
    from models.catalog import find

    entry = find(options.model_dir, target, options.kind)
    from models.finder_weights import finder_weights, network_name

    name = network_name(entry.kind, options.network)
    path = options.output_file or user_path(name)
    if path.suffix != SUFFIX:
        raise UsageError(f"{path}: the file has to end in {SUFFIX}")
    if path.exists() and not options.overwrite:
        raise UsageError(f"{path} is there; use --overwrite or another name")
    saved = load_saved(entry, reporter)
    from models.loading import restore

    model = restore(entry.kind, saved)
    parts = {stem: module.state() for stem, module in model.parts().items()}
    weights = finder_weights(entry.kind, model.options, saved.progress.iteration, parts)
    write_weights(path, weights, options.dtype)
    size = path.stat().st_size
    installed = "" if options.output_file else f"; `extract` uses it as {name} from now on"
    reporter.event("exported", message=f"wrote {path} ({format_bytes(size)}, {options.dtype}, "
                   f"{saved.progress.iteration} iterations){installed}", files=[str(path)],
                   bytes=size, network=name)
