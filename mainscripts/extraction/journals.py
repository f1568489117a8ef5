"""What an extraction has found and written, so that it can go on after any interruption.

Journals lie in the folder of the faces. `found.jsonl` holds what was found in each frame, so
that other crops of the same faces need no network; `extraction.jsonl` says which files are done;
`manual.jsonl` is there once a person has set faces, and wins over what was found.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

from core.frames import Frame
from core.journal import Journal
from core.paths import relative
from facelib.types import FoundFace
from mainscripts.extraction.by_hand import HandFrame, from_hand_note, to_hand_note
from mainscripts.extraction.options import FINDING, WRITING, ExtractOptions
from mainscripts.extraction.plan import PlannedFrame
from mainscripts.extraction.records import FoundFrame, from_note
from mainscripts.extraction.write import ToWrite, debug_path, face_names

JOURNAL, FOUND_JOURNAL, HAND_JOURNAL = "extraction.jsonl", "found.jsonl", "manual.jsonl"


class Journals:
    """All journals, open; a context manager.

    Attributes:
        found: Frame name -> faces with their landmarks.
        written: Frame name -> files.
    """

    def __init__(self, options: ExtractOptions):
        """Opens or begins them.

        Raises:
            FolderInUse: Another process works on the folder.
            UsageError: The folder holds faces made with other settings.
        """
        self._options = options
        self._there: set[str] = set()
        self._by_hand: Journal | None = None
        with ExitStack() as stack:
            self.written = stack.enter_context(Journal(
                options.output_dir / JOURNAL, _header("extract", options, WRITING),
                replace=options.overwrite, discard=self._remove_faces))
            # Whoever may replace the faces may replace what they were made of.
            self.found = stack.enter_context(Journal(
                options.output_dir / FOUND_JOURNAL, _header("find faces", options, FINDING),
                replace=True, lock=False))
            if (options.output_dir / HAND_JOURNAL).exists():
                self._by_hand = stack.enter_context(self._open_hand_journal())
            self.look_again()
            self._open = stack.pop_all()

    def __enter__(self) -> "Journals":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def look_again(self) -> None:
        """Looks which faces are there; those that are not count as deleted from now on."""
        self._there = set(os.listdir(self._options.output_dir))

    def found_in(self, frame: Frame) -> FoundFrame | None:
        """What is in a frame, set by hand or else found; None if nobody looked or it could not be
        read."""
        hand = self._hand(frame)
        if hand is not None and hand.is_done:
            return hand.found
        return self.found_automatically(frame)

    def found_automatically(self, frame: Frame) -> FoundFrame | None:
        """What was found in a frame, whatever was set by hand; None as in `found_in`."""
        note = self.found.done.get(frame.name)
        return None if note is None else from_note(note)

    def is_known(self, frame: Frame) -> bool:
        """Whether nobody has to look at the frame any more."""
        return frame.name in self.found.done or self.is_decided(frame)

    # -- hand work ------------------------------------------------------------------------------

    def note_by_hand(self, frame: Frame, found: FoundFrame, is_done: bool) -> None:
        """Keeps the faces that a person set; without `is_done` those that were found count."""
        if self._by_hand is None:
            self._by_hand = self._open.enter_context(self._open_hand_journal())
        former = self._hand(frame)
        revision = 1 if former is None else former.revision + 1
        self._by_hand.add(frame.name, **to_hand_note(HandFrame(found, is_done, revision)))

    def is_decided(self, frame: Frame) -> bool:
        """Whether a person has decided which faces the frame has."""
        return self._revision(frame) is not None

    def is_pending(self, frame: Frame) -> bool:
        """Whether a person has decided on the frame since its files were written."""
        revision = self._revision(frame)
        return revision is not None and revision != self._written_revision(frame)

    def faces_left(self, frame: Frame) -> list[FoundFace]:
        """The faces of a frame without those whose files somebody deleted."""
        found = self.found_in(frame)
        if found is None:
            return []
        names = self.written.done.get(frame.name, {"faces": []})["faces"]
        if len(names) != len(found.faces) or self.is_pending(frame):
            return list(found.faces)  # their files are still to be written
        return [face for face, name in zip(found.faces, names) if name in self._there]

    def _open_hand_journal(self) -> Journal:
        header = {"job": "manual", "input_dir": relative(self._options.input_dir,
                                                         self._options.output_dir)}
        return Journal(self._options.output_dir / HAND_JOURNAL, header,
                       replace=self._options.overwrite, lock=False)

    def _hand(self, frame: Frame) -> HandFrame | None:
        note = None if self._by_hand is None else self._by_hand.done.get(frame.name)
        return None if note is None else from_hand_note(note)

    def _revision(self, frame: Frame) -> int | None:
        """Of the hand work that counts, or None."""
        hand = self._hand(frame)
        return hand.revision if hand is not None and hand.is_done else None

    def _written_revision(self, frame: Frame) -> int | None:
        return self.written.done.get(frame.name, {}).get("revision")

    # -- files ----------------------------------------------------------------------------------

    def stale(self, plans: Iterable[PlannedFrame]) -> Iterator[ToWrite]:
        """Those whose files are missing or were made from another plan."""
        for planned in plans:
            if not self._is_current(planned):
                yield self.to_write(planned)

    def to_write(self, planned: PlannedFrame) -> ToWrite:
        """A frame with the names of its faces that must not come back.

        Also removes faces that this frame no longer has.
        """
        former = self.written.done.get(planned.frame.name, {"faces": []})["faces"]
        names = face_names(planned)
        for name in set(former) - set(names):
            (self._options.output_dir / name).unlink(missing_ok=True)
        # A face that a person sets is wanted, whatever was deleted before.
        is_wanted = self._options.overwrite or self.is_pending(planned.frame)
        deleted = () if is_wanted else tuple(
            name for name in names if name in former and name not in self._there)
        return ToWrite(planned, deleted, self._revision(planned.frame))

    def _is_current(self, planned: PlannedFrame) -> bool:
        """A missing face counts as deleted on purpose, but with overwrite."""
        note = self.written.done.get(planned.frame.name)
        if note is None or bool(planned.faces) and note.get("plan") != planned.fingerprint:
            return False
        if len(note["faces"]) != len(planned.faces):
            return False
        if note.get("revision") != self._revision(planned.frame):
            return False
        if self._options.output_debug and not debug_path(self._options, planned.frame).exists():
            return False
        return not self._options.overwrite or self._there.issuperset(note["faces"])

    def _remove_faces(self, done: Mapping[str, Any]) -> None:
        for frame in done.values():
            for name in frame["faces"]:
                (self._options.output_dir / name).unlink(missing_ok=True)


def _header(job: str, options: ExtractOptions, names: Iterable[str]) -> dict[str, Any]:
    values = asdict(options)
    return {"job": job, "input_dir": relative(options.input_dir, options.output_dir),
            **{name: values[name] for name in names}}
