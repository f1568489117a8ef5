"""The actions of `xseg` on masks and polygons that are there: remove, copy, carry on."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import NoFacesFound, UsageError
from core.options import option
from core.paths import atomic_path
from core.prompt import Prompter
from core.report import Reporter
from mainscripts.command import require
from mainscripts.xseg_faces import Failures, KnownFace, agreed, for_each, read_faces
from samplelib.carried_labels import REACH, propagate
from samplelib.face_image import write_info
from samplelib.face_info import FaceInfo
from samplelib.face_labels import write_polygons


@dataclass(frozen=True)
class RemoveOptions:
    """From where."""

    input_dir: Path | None = option(None, ask=True, help="Folder with the aligned faces.")
    yes: bool = option(False, help="Remove without asking.")


@dataclass(frozen=True)
class FetchOptions:
    """From where to where."""

    input_dir: Path | None = option(None, ask=True, help="Folder with the aligned faces.")
    output_dir: Path | None = option(
        None, help="Folder for the copies; by default the input's name with _xseg behind it.")
    move: bool = option(False, help="Remove the originals once they are copied.")
    yes: bool = option(False, help="Remove the originals without asking, with --move.")


@dataclass(frozen=True)
class PropagateOptions:
    """How far."""

    input_dir: Path | None = option(None, ask=True, help="Folder with the aligned faces.")
    reach: int = option(
        REACH, low=1, help="Most frames between a face and the one whose polygons it takes.")
    dry_run: bool = option(False, help="Tell which faces would get polygons, and write nothing.")


def remove_masks(options: RemoveOptions, reporter: Reporter, prompter: Prompter) -> None:
    """Removes what segmenters made; polygons stay.

    Raises:
        UsageError: Nobody can be asked, and --yes is not said.
        FramesFailed: Some files could not be changed.
    """
    _remove(options, "masks", lambda info: info.xseg_mask is not None,
            lambda info: replace(info, xseg_mask=None, xseg_origin=None), reporter, prompter)


def remove_labels(options: RemoveOptions, reporter: Reporter, prompter: Prompter) -> None:
    """Removes what was drawn; masks stay. Raises as `remove_masks`."""
    _remove(options, "polygons", lambda info: bool(info.polygons),
            lambda info: replace(info, polygons=()), reporter, prompter)


def _remove(options: RemoveOptions, what: str, has: Callable[[FaceInfo], bool],
            without: Callable[[FaceInfo], FaceInfo], reporter: Reporter,
            prompter: Prompter) -> None:
    require(options, "input_dir")
    failures = Failures(options.input_dir, reporter)
    faces = read_faces(options.input_dir, failures)
    having = [face for face in faces if has(face.info)]
    if having and not agreed(f"Remove the {what} of {len(having)} faces", "They cannot be taken "
                             "back; `xseg fetch` makes copies first.", options.yes, prompter):
        reporter.info(f"the {what} stay")
        return
    done = for_each(having, "remove", lambda face: write_info(face.path, without(face.info)),
                    failures, reporter)
    reporter.event("removed", message=f"{what} of {done} faces removed; {len(faces)} faces looked "
                   "at", what=what, removed=done, faces=len(faces))
    failures.require_none()


def fetch(options: FetchOptions, reporter: Reporter, prompter: Prompter) -> None:
    """Copies the faces with polygons; each copy appears whole or not at all.

    Raises:
        NoFacesFound: No face has polygons.
        UsageError: Copies would go where the faces are, or nobody can be asked about --move.
    """
    require(options, "input_dir")
    folder = options.input_dir
    target = options.output_dir or folder.with_name(f"{folder.name}_xseg")
    if target.resolve() == folder.resolve():
        raise UsageError(f"--output-dir {target}: is the folder of the faces; choose another one")
    failures = Failures(folder, reporter)
    faces = read_faces(folder, failures)
    drawn = [face for face in faces if face.info.polygons]
    if not drawn:
        raise NoFacesFound(f"{folder}: no face has polygons; draw some in `xseg editor`")
    moves = options.move and agreed(
        f"Remove the originals of {len(drawn)} faces", f"They are copied to {target} first.",
        options.yes, prompter)
    target.mkdir(parents=True, exist_ok=True)
    done = for_each(drawn, "fetch", lambda face: _copied(face, target, moves), failures, reporter)
    reporter.event("fetched", message=f"{done} faces with polygons "
                   f"{'moved' if moves else 'copied'} to {target}", faces=done,
                   folder=str(target), moved=moves)
    failures.require_none()


def _copied(face: KnownFace, target: Path, moves: bool) -> None:
    with atomic_path(target / face.path.name) as temporary:
        shutil.copyfile(face.path, temporary)
    if moves:
        face.path.unlink()


def propagate_labels(options: PropagateOptions, reporter: Reporter, prompter: Prompter) -> None:
    """Carries polygons along tracks, by the motion of the landmarks; none is replaced.

    Raises:
        NoFacesFound: No face has polygons.
        FramesFailed: Some files could not be changed.
    """
    require(options, "input_dir")
    failures = Failures(options.input_dir, reporter)
    faces = read_faces(options.input_dir, failures)
    if not any(face.info.polygons for face in faces):
        raise NoFacesFound(f"{options.input_dir}: no face has polygons to carry; draw some in "
                           "`xseg editor`")
    carried = {faces[one.target].path: one for one in
               propagate([face.info for face in faces], options.reach)}
    sources = {faces[one.source].path for one in carried.values()}
    done = 0
    if not options.dry_run:
        done = for_each([face for face in faces if face.path in carried], "propagate",
                        lambda face: write_polygons(face.path, carried[face.path].polygons),
                        failures, reporter)
    reporter.event("propagated", message=_propagated(len(carried), len(sources), options),
                   faces=len(carried), written=done, sources=len(sources))
    failures.require_none()


def _propagated(n_faces: int, n_sources: int, options: PropagateOptions) -> str:
    verb = "would take" if options.dry_run else "took"
    if not n_faces:
        return (f"no face without polygons is within {options.reach} frames of one with polygons "
                "in its track; faces of `extract` have tracks")
    return (f"{n_faces} faces {verb} the polygons of {n_sources} others; look at them in `xseg "
            "editor`")
