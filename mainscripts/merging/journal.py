"""What is merged already, and with what: so that a merge goes on after any interruption."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from core.frames import Frame
from core.journal import Journal
from core.paths import relative
from mainscripts.merging.dst_faces import FacesByStem, fingerprint
from mainscripts.merging.frame_settings import FrameSettings
from mainscripts.merging.model import MergeModel
from mainscripts.merging.options import MergeFiles
from mainscripts.merging.write import Output

JOURNAL = "merge.jsonl"


class MergeJournal:
    """The journal of a merge, open; a context manager."""

    def __init__(self, files: MergeFiles, settings: FrameSettings, model: MergeModel,
                 frames: Sequence[Frame], faces: FacesByStem, output: Output):
        """Opens or begins it in the output folder.

        Raises:
            FolderInUse: Another process works on the folder.
            UsageError: The folder holds frames merged otherwise.
        """
        self._faces, self._settings, self._output = faces, settings, output
        header = {"job": "merge", "input_dir": relative(files.input_dir, output.folder),
                  "model": model.name, "generation": model.generation, **asdict(settings.base)}
        wanted = {frame.stem for frame in frames}

        def remove_others(done: Mapping[str, Any]) -> None:
            for number, name in enumerate(done):  # the rest stays until it is replaced
                frame = Frame(number, name)
                if frame.stem not in wanted:
                    output.remove(frame)

        self._journal = Journal(output.folder / JOURNAL, header, replace=files.overwrite,
                                discard=remove_others)

    def __enter__(self) -> "MergeJournal":
        return self

    def __exit__(self, *_: object) -> None:
        self._journal.close()

    def is_done(self, frame: Frame) -> bool:
        """Whether a frame and its mask are there, made with the faces and options it has now."""
        noted = self._journal.done.get(frame.name, {})
        return (noted.get("landmarks") == self._fingerprint(frame)
                and noted.get("options", {}) == self._settings.changes(frame)
                and self._output.is_there(frame))

    def add(self, frame: Frame, n_faces: int) -> None:
        """Notes that a frame is done."""
        own = self._settings.changes(frame)
        self._journal.add(frame.name, faces=n_faces, landmarks=self._fingerprint(frame),
                          **({"options": own} if own else {}))

    def forget(self, frame: Frame) -> None:
        """Notes that a frame is about to be replaced, so that what is there counts no more."""
        if frame.name in self._journal.done:
            self._journal.add(frame.name, faces=0, landmarks=None)

    def n_merged(self, frames: Iterable[Frame]) -> int:
        """How many of the frames have a new face."""
        return sum(self._journal.done.get(frame.name, {"faces": 0})["faces"] > 0
                   for frame in frames)

    def _fingerprint(self, frame: Frame) -> int:
        return fingerprint(self._faces.get(frame.stem, ()), with_motion=False)
