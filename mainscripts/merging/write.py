"""Merged frames on disk."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.frames import Frame
from core.imaging.io import encode_image
from core.paths import atomic_write, remove_parts
from core.provenance import ContentSigner
from merger.pipeline import MergedFrame


class Output(Protocol):
    """Where merged frames go.

    Attributes:
        folder: Holds the journal of the merge.
    """

    folder: Path

    def write(self, frame: Frame, merged: MergedFrame, *, is_changed: bool) -> None:
        """Takes one frame, in any order and from any thread.

        Args:
            frame: Which.
            merged: What became of it.
            is_changed: Whether the picture shows something else than the frame did.
        """

    def complete(self, frame: Frame, *, has_failed: bool) -> list[Frame]:
        """Is told of the frames in their order, each after its `write`, and gives those whose
        results are safe on disk from now on; those that have failed never are."""

    def is_there(self, frame: Frame) -> bool:
        """Whether everything that is written for a frame exists."""

    def remove(self, frame: Frame) -> None:
        """Removes what was written for a frame, if anything was."""

    def clear_unfinished(self) -> None:
        """Removes what a killed run left, except in `folder`, whose journal does it; nobody else
        writes then."""

    def close(self) -> None:
        """Lets go of everything; what is not complete by now is dropped."""


@dataclass(frozen=True, eq=False)
class FrameWriter:
    """An `Output` of `<stem>.png` in a folder, and of masks in another one.

    Frames with a new face carry a manifest. One that stays as it came gets none: the mark would
    say what is not true.

    Attributes:
        folder: For the frames.
        mask_folder: For their masks, if these are wanted.
        signer: Makes the manifests.
    """

    folder: Path
    mask_folder: Path | None
    signer: ContentSigner

    @classmethod
    def open(cls, folder: Path, mask_folder: Path | None) -> "FrameWriter":
        """Makes the folders and finds the key.

        Raises:
            ProvenanceError: There is no key, and none can be made.
            OSError: The folders cannot be made.
        """
        writer = cls(folder, mask_folder, ContentSigner.open())
        for wanted in writer._folders:
            wanted.mkdir(parents=True, exist_ok=True)
        return writer

    def write(self, frame: Frame, merged: MergedFrame, *, is_changed: bool) -> None:
        """Writes the files; each appears whole or not at all."""
        name = f"{frame.stem}.png"
        png = encode_image(merged.image, ".png")
        if is_changed:
            png = self.signer.sign_bytes(png, "image/png", title=name)
        if self.mask_folder is not None:
            atomic_write(self.mask_folder / name, encode_image(merged.mask, ".png"))
        atomic_write(self.folder / name, png)

    def complete(self, frame: Frame, *, has_failed: bool) -> list[Frame]:
        """The frame itself, which has just been written."""
        return [] if has_failed else [frame]

    def is_there(self, frame: Frame) -> bool:
        """Whether the files exist."""
        return all((folder / f"{frame.stem}.png").exists() for folder in self._folders)

    def remove(self, frame: Frame) -> None:
        """Removes the files, if they exist."""
        for folder in self._folders:
            (folder / f"{frame.stem}.png").unlink(missing_ok=True)

    def clear_unfinished(self) -> None:
        """Looks into the folder of the masks."""
        if self.mask_folder is not None:
            remove_parts(self.mask_folder)

    def close(self) -> None:
        """Nothing is held back."""

    @property
    def _folders(self) -> list[Path]:
        return [self.folder, *[self.mask_folder] * (self.mask_folder is not None)]
