"""What the actions of `xseg` share: faces of a folder, questions before a loss, failures."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from core.errors import FramesFailed, UsageError
from core.option_spec import OptionSpec
from core.paths import image_names, natural_key
from core.pipeline import FRAME_ERRORS, Failed
from core.prompt import Prompter, SilentPrompter
from core.report import Reporter
from mainscripts.command import SHOWN_NAMES, in_one_line, stop_if_disk_full
from samplelib.face_image import JPEG_SUFFIXES, read_info
from samplelib.face_info import FaceInfo
from samplelib.faceset import load_faceset


class KnownFace(NamedTuple):
    """A face file and what it says."""

    path: Path
    info: FaceInfo


class Failures:
    """Faces that could not be worked on, each told as it is met.

    Attributes:
        names: Of their files.
        n_faces: Files of the folder that should be faces.
    """

    def __init__(self, folder: Path, reporter: Reporter):
        self._folder, self._reporter = folder, reporter
        self.names: list[str] = []
        self.n_faces = 0

    def add(self, path: Path, error: BaseException) -> None:
        """Notes one.

        Raises:
            DiskFull: It failed for lack of room, as all others would.
        """
        failed = Failed(path.name, error)
        stop_if_disk_full(failed, self._folder)
        self.names.append(path.name)
        self._reporter.warning(f"{in_one_line(path.name)}: {failed.reason}")

    def require_none(self) -> None:
        """Ends a command some of whose faces failed.

        Raises:
            FramesFailed: There is one.
        """
        if self.names:
            names = ", ".join(map(in_one_line, self.names[:SHOWN_NAMES]))
            more = ", ..." if len(self.names) > SHOWN_NAMES else ""
            raise FramesFailed(
                f"{self._folder}: {len(self.names)} of {self.n_faces} faces failed "
                f"({names}{more}), the others are done; replace or remove these files and run the "
                "command again")


def read_faces(folder: Path, failures: Failures) -> list[KnownFace]:
    """What all faces of a folder say, in natural order of their names.

    Raises:
        NoFacesFound: There is none.
    """
    load_faceset(folder)  # says what is wrong with a folder without faces
    faces = []
    for name in sorted(image_names(folder), key=natural_key):
        path = folder / name
        if path.suffix.lower() not in JPEG_SUFFIXES:
            continue
        failures.n_faces += 1
        try:
            faces.append(KnownFace(path, read_info(path)))
        except FRAME_ERRORS as error:
            failures.add(path, error)
    return faces


def for_each(faces: Sequence[KnownFace], title: str, work: Callable[[KnownFace], None],
             failures: Failures, reporter: Reporter) -> int:
    """Does something to each face, with progress; gives how many succeeded."""
    done = 0
    with reporter.progress(title, len(faces), "face") as progress:
        for face in faces:
            try:
                work(face)
                done += 1
            except FRAME_ERRORS as error:
                failures.add(face.path, error)
            progress.advance(1)
    return done


def agreed(question: str, consequence: str, yes: bool, prompter: Prompter) -> bool:
    """Whether the user wants something to be lost.

    Args:
        question: "Remove the masks of 12 faces".
        consequence: Said where somebody asks what that means.
        yes: Whether the user said so by a flag.
        prompter: Asked otherwise.

    Raises:
        UsageError: Nobody can be asked.
    """
    if yes:
        return True
    if isinstance(prompter, SilentPrompter):
        raise UsageError(f"{question}? Nobody can be asked; say --yes")
    return prompter.ask(OptionSpec(question, bool, False, consequence, ask=True), False)


def shown_origins(faces: Iterable[KnownFace]) -> str:
    """Which segmenters made the masks of faces, for a question."""
    origins = {face.info.xseg_origin or "an unnamed segmenter" for face in faces}
    return ", ".join(sorted(origins)[:SHOWN_NAMES])
