"""Merged frames straight into a video, in parts that survive a crash."""

import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from core.errors import UsageError, VideoError
from core.frames import Frame, FrameSource, VideoFrames
from core.provenance import MIME_TYPES, ContentSigner
from core.video import VideoWriter
from core.video_join import join_parts
from core.video_write import CONTAINERS
from merger.pipeline import MergedFrame

PART_FRAMES = 96
"""Frames of a part, which a crash may cost."""

_COMMENT = "Faces in this video were changed by a trained model; made with FaceLab"
_MASK_COMMENT = "Masks; made with FaceLab"


class VideoOutput:
    """An `Output` of a video with the times and the sound of the one that is merged.

    Parts of the video lie in the folder `<name>.parts` beside it until all are there.

    Attributes:
        folder: Of the parts and the journal.
    """

    def __init__(self, video: Path, mask_video: Path | None, source: FrameSource, *,
                 overwrite: bool = False):
        """
        Args:
            video: To be made.
            mask_video: Of the masks, if they are wanted.
            source: The video that is merged.
            overwrite: Whether videos of these names may be replaced.

        Raises:
            UsageError: These videos cannot be made, or exist.
            ProvenanceError: There is no key to sign with.
        """
        self.folder = video.with_name(f"{video.name}.parts")
        self._targets = [video, *[mask_video] * (mask_video is not None)]
        for target in self._targets:
            _check(target, overwrite or self.folder.exists())  # else this job made it, in part
        if not isinstance(source, VideoFrames):
            raise UsageError(f"{source.path}: is no video, so {video.name} would have no times; "
                             "give the video as --input-dir, or write frames into --output-dir and "
                             "use `videoed video-from-sequence`")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._source, self._frames = source.path, source.frames
        self._waiting: dict[int, MergedFrame] = {}
        self._part: _OpenPart | None = None
        self._last: MergedFrame | None = None
        self._signer = ContentSigner.open()

    def write(self, frame: Frame, merged: MergedFrame, *, is_changed: bool) -> None:
        """Keeps the pictures until it is their turn."""
        self._waiting[frame.index] = merged

    def complete(self, frame: Frame, *, has_failed: bool) -> list[Frame]:
        """Encodes a frame; gives those of a part when its last one is encoded.

        A frame that could not even be read shows the one before it.
        """
        merged = self._waiting.pop(frame.index, None) or self._last
        if self._part is None:
            self._part = self._open_part(frame.index // PART_FRAMES)
        self._part.add(frame, merged, has_failed)
        self._last = merged
        if frame.index + 1 < self._part.end:
            return []
        part, self._part = self._part, None
        part.close()
        return part.whole

    def is_there(self, frame: Frame) -> bool:
        """Whether the part with the frame exists."""
        number = frame.index // PART_FRAMES
        return all(self._path(target, number).exists() for target in self._targets)

    def remove(self, frame: Frame) -> None:
        """Removes the part with the frame."""
        for target in self._targets:
            self._path(target, frame.index // PART_FRAMES).unlink(missing_ok=True)

    def with_neighbours(self, todo: Sequence[Frame]) -> list[Frame]:
        """Frames that are to be merged, and all others of their parts, which hold them."""
        wanted = {frame.index // PART_FRAMES for frame in todo}
        return [frame for frame in self._frames if frame.index // PART_FRAMES in wanted]

    def clear_unfinished(self) -> None:
        """Everything lies in `folder`."""

    def close(self) -> None:
        """Drops a part that is not finished."""
        if self._part is not None:
            self._part.drop()

    def finish(self, on_note: Callable[[str], None]) -> None:
        """Joins the parts and signs the video; each video appears whole or not at all.

        Args:
            on_note: Told what the user should know about the result.

        Raises:
            VideoError: A part is missing or cannot be read.
            ProvenanceError: The video cannot be signed.
        """
        n_parts = -(-len(self._frames) // PART_FRAMES)
        for target in self._targets:
            is_mask = target is not self._targets[0]
            joined = self.folder / f"joined{target.suffix}"
            notes = join_parts(
                [self._path(target, number) for number in range(n_parts)], joined, self._source,
                audio=not is_mask,
                metadata={"title": target.stem, "comment": _MASK_COMMENT if is_mask else _COMMENT})
            parent = self._source if self._source.suffix.lower() in MIME_TYPES else None
            self._signer.sign_file(joined, title=target.name, parent=parent)
            joined.replace(target)
            for note in notes:
                on_note(note)

    def discard_parts(self) -> None:
        """Removes the parts and the journal; the videos are complete."""
        shutil.rmtree(self.folder)

    def _open_part(self, number: int) -> "_OpenPart":
        first = number * PART_FRAMES
        end = min(first + PART_FRAMES, len(self._frames))
        return _OpenPart([self._path(target, number) for target in self._targets], self._source,
                         first, end)

    def _path(self, target: Path, number: int) -> Path:
        return self.folder / f"{target.stem}-{number:05d}.mp4"


class _OpenPart:
    """A part that is being encoded, for each of the videos.

    Attributes:
        end: Index of the frame behind its last one.
        whole: Its frames so far that have not failed.
    """

    def __init__(self, paths: Sequence[Path], source: Path, first: int, end: int):
        self.end, self.whole = end, []
        self._paths, self._source, self._span = paths, source, (first, end)
        self._n_due = 0
        self._writers: list[VideoWriter] = []
        self._open = ExitStack()

    def add(self, frame: Frame, merged: MergedFrame | None, has_failed: bool) -> None:
        """Encodes a frame; one without a picture, and none before it, shows the next one."""
        self._n_due += 1
        if merged is None:
            return
        pictures = [merged.image, np.repeat(merged.mask, 3, axis=2)][: len(self._paths)]
        if not self._writers:
            self._writers = [self._open.enter_context(self._writer(path, picture))
                             for path, picture in zip(self._paths, pictures)]
        for _ in range(self._n_due):
            for writer, picture in zip(self._writers, pictures):
                writer.write(picture)
        self._n_due = 0
        if not has_failed:
            self.whole.append(frame)

    def close(self) -> None:
        """Completes the files.

        Raises:
            VideoError: No frame could be read.
        """
        if not self._writers:
            first, end = self._span
            raise VideoError(f"{self._source}: none of the frames {first + 1} to {end} can be "
                             "read; copy the video again")
        self._open.close()

    def drop(self) -> None:
        """Removes what was written."""
        try:
            with self._open:
                raise _Dropped
        except _Dropped:
            pass

    def _writer(self, path: Path, picture: np.ndarray) -> VideoWriter:
        height, width = picture.shape[:2]
        return VideoWriter(path, width=width, height=height, reference=self._source,
                           span=self._span, audio=False, deep=picture.dtype == np.uint16)


class _Dropped(Exception):
    """Makes writers remove what they have written; never leaves this file."""


def _check(target: Path, may_exist: bool) -> None:
    if target.suffix.lower() not in CONTAINERS or target.suffix.lower() not in MIME_TYPES:
        kinds = ", ".join(sorted(set(CONTAINERS) & set(MIME_TYPES)))
        raise UsageError(f"{target}: cannot write and sign this kind of video; use one of {kinds}")
    if target.exists() and not may_exist:
        raise UsageError(f"{target}: exists already; add --overwrite to replace it, or choose "
                         "another name")
