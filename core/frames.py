"""Frames to work on, from a folder of pictures or straight from a video."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from core.errors import UsageError, VideoError
from core.imaging.io import read_image
from core.paths import image_paths
from core.pipeline import Failed
from core.video import DamagedFrame, read_frames, read_timeline

Load = Callable[[], np.ndarray]
"""Gives a frame's picture, (H, W, 3) BGR: uint8, or of a deep source uint16 where it has it."""


class Frame(NamedTuple):
    """One frame: `index` in its folder or video, from 0, and `name` with a suffix."""

    index: int
    name: str

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        return Path(self.name).stem


class FrameSource(Protocol):
    """Where frames come from; can be pickled.

    Attributes:
        path: The folder or the video.
        frames: All of them, in order.
    """

    path: Path
    frames: Sequence[Frame]

    def read(self, frames: Sequence[Frame]) -> Iterator[tuple[str, tuple[Frame, Load] | Failed]]:
        """The source of a `core.pipeline.Pipeline` whose first stage calls the `Load`.

        Args:
            frames: Some of `self.frames`, in order.

        Yields:
            (name, (frame, what gives its picture)) or (name, `Failed`), in order.
        """


@dataclass(frozen=True)
class FolderFrames:
    """A `FrameSource` of the images of a folder.

    Attributes:
        left_out: Images whose names differ from an earlier one's in the suffix alone; what is
            made of a frame is named by its stem.
        deep: Whether pictures of more than 8 bits stay so.
    """

    path: Path
    frames: tuple[Frame, ...]
    left_out: tuple[str, ...] = ()
    deep: bool = False

    def read(self, frames: Sequence[Frame]) -> Iterator[tuple[str, tuple[Frame, Load] | Failed]]:
        """Nothing is read before the `Load` is called, which may be in any thread."""
        for frame in frames:
            yield frame.name, (frame, _Reader(self.path / frame.name, self.deep))


@dataclass(frozen=True)
class _Reader:
    path: Path
    deep: bool

    def __call__(self) -> np.ndarray:
        return read_image(self.path, deep=self.deep)


@dataclass(frozen=True)
class VideoFrames:
    """A `FrameSource` of a video; its frames are named as `videoed extract-video` names them.

    Attributes:
        deep: Whether more than 8 bits a colour are kept.
    """

    path: Path
    frames: tuple[Frame, ...]
    deep: bool = False

    def read(self, frames: Sequence[Frame]) -> Iterator[tuple[str, tuple[Frame, Load] | Failed]]:
        """Decodes one frame after the other; those that cannot be decoded come as `Failed`."""
        by_index = {frame.index: frame for frame in frames}
        damaged: list[DamagedFrame] = []

        def failures() -> Iterator[tuple[str, Failed]]:
            for record in damaged:
                if record.index in by_index:
                    name = by_index[record.index].name
                    yield name, Failed(name, VideoError(
                        f"the video is damaged there ({record.reason}); copy it again"))
            damaged.clear()

        for decoded in read_frames(self.path, indices=by_index, on_damage=damaged.append,
                                   deep=self.deep):
            yield from failures()  # all of them lie before this frame
            frame = by_index[decoded.index]
            yield frame.name, (frame, _Holder(decoded.image))
        yield from failures()


@dataclass(frozen=True, eq=False)
class _Holder:
    image: np.ndarray

    def __call__(self) -> np.ndarray:
        return self.image


def open_frames(path: Path, *, every: int = 1, deep: bool = False) -> FolderFrames | VideoFrames:
    """The frames of a folder or of a video.

    Args:
        path: A folder with images, or a video file.
        every: Takes only every Nth frame.
        deep: Whether pictures of more than 8 bits a colour stay so, as uint16.

    Raises:
        NoImagesFound: The folder is missing or holds no image.
        VideoError: The file is no video, or holds no frame.
        UsageError: `every` is below 1.
    """
    if every < 1:
        raise UsageError(f"every must be at least 1, not {every}")
    if path.is_file():
        n_frames = len(read_timeline(path).pts)
        return VideoFrames(path, tuple(
            Frame(index, f"{index + 1:05d}.png") for index in range(0, n_frames, every)), deep)
    names = [image.name for image in image_paths(path, required=True)]
    first_of_stem = {Path(name).stem: name for name in reversed(names)}
    kept = [name for name in names if first_of_stem[Path(name).stem] == name]
    frames = tuple(Frame(index, name) for index, name in enumerate(kept))
    return FolderFrames(path, frames[::every],
                        tuple(name for name in names if name not in set(kept)), deep)
