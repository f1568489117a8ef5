"""`util import-dfl` and `export-dfl`: faces between DeepFaceLab's files and ours.

Pictures go over byte for byte; only the data in the files change.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import CorruptFaceImage, FramesFailed, NoFacesFound, UsageError
from core.options import option
from core.paths import atomic_write, image_paths
from core.pipeline import Failed, Pipeline, Stage
from core.report import Reporter
from mainscripts.command import in_one_line, require, stop_if_disk_full
from samplelib.dfl_face import read_dfl_face, with_dfl_data, without_dfl_data
from samplelib.dfl_pack import NAME, read_pack
from samplelib.face_image import info_of, with_info


@dataclass(frozen=True)
class ImportOptions:
    """Faces of DeepFaceLab, and where ours go."""

    input_dir: Path | None = option(
        None, ask=True, help="Folder with faces of DeepFaceLab, or a faceset.pak.")
    output_dir: Path | None = option(None, ask=True, help="Folder for the same faces as ours.")
    overwrite: bool = option(False, help="Replace faces of these names that exist.")


@dataclass(frozen=True)
class ExportOptions:
    """Our faces, and where those for DeepFaceLab go."""

    input_dir: Path | None = option(None, ask=True, help="Folder with aligned faces.")
    output_dir: Path | None = option(
        None, ask=True, help="Folder for the same faces as DeepFaceLab reads them.")
    overwrite: bool = option(False, help="Replace faces of these names that exist.")


@dataclass(frozen=True)
class Carried:
    """What came of it: `n_written` faces; `n_kept` that were there; `failed` with why."""

    output_dir: Path
    n_written: int
    n_kept: int
    failed: tuple[Failed, ...]


def import_faces(options: ImportOptions, reporter: Reporter) -> Carried:
    """Writes DeepFaceLab's faces as ours.

    Raises:
        UsageError: A folder is not named, or both are the same.
        NoFacesFound: There is none.
        CorruptFaceImage: A pack is damaged.
    """
    return _carry(options, _as_ours, reporter)


def export_faces(options: ExportOptions, reporter: Reporter) -> Carried:
    """Writes our faces as DeepFaceLab's.

    Raises:
        UsageError: A folder is not named, or both are the same.
        NoFacesFound: There is none.
    """
    return _carry(options, _as_theirs, reporter)


def require_all_faces(carried: Carried) -> None:
    """Ends the command if a face could not be carried over.

    Raises:
        FramesFailed: One could not.
    """
    if carried.failed:
        raise FramesFailed(f"{carried.output_dir}: {len(carried.failed)} faces could not be "
                           "carried over, all others are there; see the warnings")


def _as_ours(name: str, data: bytes) -> bytes:
    info = read_dfl_face(data, name)
    if info is None:
        raise CorruptFaceImage(f"{name}: carries no face data of DeepFaceLab; extract faces from "
                               "this picture instead")
    return with_info(without_dfl_data(data), info, name)


def _as_theirs(name: str, data: bytes) -> bytes:
    return with_dfl_data(data, info_of(data, name), name)


def _carry(options: ImportOptions | ExportOptions, convert: Callable[[str, bytes], bytes],
           reporter: Reporter) -> Carried:
    require(options, "input_dir", "output_dir")
    source, folder = options.input_dir.expanduser(), options.output_dir.expanduser()
    if folder.exists() and source.exists() and folder.samefile(source):
        raise UsageError(f"{folder}: is the input itself, which is never changed; choose another "
                         "--output-dir")
    faces = _faces_of(source)
    folder.mkdir(parents=True, exist_ok=True)
    failed: list[Failed] = []
    counts = {True: 0, False: 0}

    def write(item: tuple[str, Callable[[], bytes]]) -> bool:
        name, read = item
        target = (folder / name).with_suffix(".jpg")
        if target.exists() and not options.overwrite:
            return False
        target.parent.mkdir(exist_ok=True)
        atomic_write(target, convert(name, read()))
        return True

    with reporter.progress("carry faces over", None, "face") as progress:
        for name, outcome in Pipeline(((face[0], face) for face in faces),
                                      [Stage("convert", write, workers=2)]):
            if isinstance(outcome, Failed):
                stop_if_disk_full(outcome, folder)
                failed.append(outcome)
                reporter.warning(f"{in_one_line(name)}: {_reason(name, outcome)}")
            else:
                counts[outcome] += 1
            progress.advance()
    carried = Carried(folder, counts[True], counts[False], tuple(failed))
    reporter.event("faces_carried", message=f"{carried.n_written} faces written to {folder}"
                   + (f", {carried.n_kept} were there already" if carried.n_kept else ""),
                   output_dir=folder, n_written=carried.n_written, n_kept=carried.n_kept,
                   failed=[failure.item for failure in failed])
    return carried


def _reason(name: str, failure: Failed) -> str:
    """Why, without the name that the line begins with already."""
    return failure.reason.removeprefix(f"{name}: ")


def _faces_of(source: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Name and reader of each face, of a folder or a pack.

    Raises:
        NoFacesFound: The folder holds no JPEG and no pack.
    """
    pack = source / NAME if source.is_dir() else source
    if pack.is_file():
        return ((name, _Kept(data)) for name, data in read_pack(pack))
    paths = [path for path in _images(source) if path.suffix.lower() in (".jpg", ".jpeg")]
    if not paths:
        raise NoFacesFound(f"{source}: holds no face (.jpg) and no {NAME}; check the path")
    return ((path.name, path.read_bytes) for path in paths)


def _images(folder: Path) -> Iterable[Path]:
    return image_paths(folder) if folder.is_dir() else ()


@dataclass(frozen=True)
class _Kept:
    """Bytes that have been read already."""

    data: bytes

    def __call__(self) -> bytes:
        return self.data
