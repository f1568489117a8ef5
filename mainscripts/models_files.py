"""The actions of `models` that make files of a model, or another model: exports, resolution."""

from dataclasses import dataclass
from pathlib import Path

from core.errors import UsageError
from core.options import option
from core.paths import atomic_write, format_bytes
from core.prompt import Prompter
from core.report import Reporter
from mainscripts.command import require
from mainscripts.models_store import load_saved, save_new

DTYPES = ("float16", "float32")


@dataclass(frozen=True)
class ResizeOptions:
    """Which model becomes which."""

    model_dir: Path | None = option(None, ask=True, help="Folder of all models.")
    kind: str | None = option(None, help="Its kind, where several models have the name.")
    resolution: int | None = option(None, low=32, high=1024, ask=True, help="New side of faces.")
    new_name: str | None = option(None, ask=True, help="Name of the new model; the old one stays.")
    resample: bool = option(
        True, help="Resample the dense layers; --no-resample draws them anew.")


@dataclass(frozen=True)
class ExportWeightsOptions:
    """Which model goes where."""

    model_dir: Path | None = option(None, ask=True, help="Folder of all models.")
    kind: str | None = option(None, help="Its kind, where several models have the name.")
    output_file: Path | None = option(None, ask=True, help="The .npz file to write.")
    dtype: str = option(
        "float16", choices=DTYPES, help="float16 halves the file; float32 loses nothing.")
    training_networks: bool = option(
        False, help="Also write the discriminators, which only training needs.")
    overwrite: bool = option(False, help="Replace a file that is there.")


@dataclass(frozen=True)
class ExportDflOptions:
    """Which model goes where."""

    model_dir: Path | None = option(None, ask=True, help="Folder of all models.")
    kind: str | None = option(None, help="Its kind, where several models have the name.")
    output_dir: Path | None = option(None, ask=True, help="Folder for DeepFaceLab's files.")
    as_name: str | None = option(None, help="Name there; no underscores.")
    overwrite: bool = option(False, help="Replace files that are there.")


@dataclass(frozen=True)
class ExportOptionsOptions:
    """Which model's options go where."""

    model_dir: Path | None = option(None, ask=True, help="Folder of all models.")
    kind: str | None = option(None, help="Its kind, where several models have the name.")
    output_file: Path | None = option(None, ask=True, help="The .toml file to write.")
    overwrite: bool = option(False, help="Replace a file that is there.")


def resize_model(options: ResizeOptions, target: str, reporter: Reporter,
                 prompter: Prompter) -> None:
    """Makes a second model of another resolution."""
    require(options, "resolution", "new_name")
    from models.catalog import find, new_folder

    entry = find(options.model_dir, target, options.kind)
    new_folder(options.model_dir, options.new_name, entry.kind)
    saved = load_saved(entry, reporter)
    from models.resize import resize

    resized = resize(entry.kind, saved, options.resolution, resample=options.resample)
    folder = save_new(options.model_dir, entry.kind, options.new_name, resized.model,
                      resized.options, saved.progress)
    for note in resized.notes:
        reporter.info(note)
    reporter.event("resized", message=f"{entry.name} at {options.resolution} px is now {folder}; "
                   "train it for a while before you merge with it", folder=str(folder),
                   notes=resized.notes, model_kind=entry.kind, name=options.new_name)


def export_weights(options: ExportWeightsOptions, target: str, reporter: Reporter,
                   prompter: Prompter) -> None:
    """Writes the networks of a model as one file.

    Raises:
        UsageError: The file is there, or has another suffix.
    """
    require(options, "output_file")
    from models.catalog import find
    from models.weights_file import SUFFIX, TRAINING_ONLY, WeightsFile, write_weights_file

    path = options.output_file
    _require_writable(path, SUFFIX, options.overwrite)
    entry = find(options.model_dir, target, options.kind)
    saved = load_saved(entry, reporter)
    from models.loading import restore

    model = restore(entry.kind, saved)
    parts = {stem: module.state() for stem, module in model.parts().items()
             if options.training_networks or stem not in TRAINING_ONLY}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_weights_file(path, WeightsFile(entry.kind, saved.options, saved.progress.iteration,
                                         parts), options.dtype)
    reporter.event("exported", message=f"wrote {path} ({format_bytes(path.stat().st_size)}, "
                   f"{options.dtype}, {saved.progress.iteration} iterations)", files=[str(path)],
                   bytes=path.stat().st_size)


def export_dfl(options: ExportDflOptions, target: str, reporter: Reporter,
               prompter: Prompter) -> None:
    """Writes a model as DeepFaceLab's files.

    Raises:
        OptionError: DeepFaceLab has none like it, or cannot find it by that name.
        UsageError: A file is there.
    """
    require(options, "output_dir")
    from core.options import resolve
    from models.catalog import find
    from models.legacy.convert import export_model
    from models.legacy.xseg import NAME, export_xseg
    from models.loading import restore
    from models.registry import options_type

    entry = find(options.model_dir, target, options.kind)
    saved = load_saved(entry, reporter)
    own = resolve(options_type(entry.kind), saved=saved.options)
    model, folder, overwrite = restore(entry.kind, saved), options.output_dir, options.overwrite
    if entry.kind == NAME:
        if options.as_name is not None:
            raise UsageError("DeepFaceLab's XSeg has no name of its own; leave out --as-name")
        paths, notes = export_xseg(model, own, saved.progress, folder, overwrite=overwrite)
    else:
        paths, notes = export_model(entry.kind, model, own, saved.progress, folder,
                                    options.as_name or entry.name, overwrite=overwrite)
    for note in notes:
        reporter.warning(note)
    reporter.event("exported", message=f"wrote {len(paths)} files of {entry.name} to "
                   f"{options.output_dir}", files=[str(path) for path in paths],
                   bytes=sum(path.stat().st_size for path in paths), notes=notes)


def export_options(options: ExportOptionsOptions, target: str, reporter: Reporter,
                   prompter: Prompter) -> None:
    """Writes the options of a model as a file for `train --config`.

    Raises:
        UsageError: The file is there, or has another suffix.
    """
    require(options, "output_file")
    from models.catalog import find

    path = options.output_file
    _require_writable(path, ".toml", options.overwrite)
    entry = find(options.model_dir, target, options.kind)
    from core.options import resolve
    from mainscripts.training.files import options_text
    from models.registry import options_type

    saved = load_saved(entry, reporter)
    text = options_text(entry.kind, resolve(options_type(entry.kind), saved=saved.options))
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, f"# {entry.name}, {saved.progress.iteration} iterations.\n{text}".encode())
    reporter.event("exported", message=f"wrote the options of {entry.name} to {path}; use them "
                   f"with `train --config {path}`", files=[str(path)], bytes=path.stat().st_size)


def _require_writable(path: Path, suffix: str, overwrite: bool) -> None:
    if path.suffix.lower() != suffix:
        raise UsageError(f"{path}: is written as {suffix}; choose a name with that ending")
    if path.exists() and not overwrite:
        raise UsageError(f"{path} exists; choose another name, or say --overwrite")
