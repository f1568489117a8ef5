"""Merged frames on disk."""

from dataclasses import dataclass
from pathlib import Path

from core.imaging.io import encode_image
from core.paths import atomic_write
from core.provenance import ContentSigner
from merger.pipeline import MergedFrame


@dataclass(frozen=True, eq=False)
class FrameWriter:
    """Writes `<stem>.png` into two folders; frames with a new face carry a manifest.

    A frame that stays as it came gets none: the mark would say what is not true.

    Attributes:
        output_dir: For the frames.
        output_mask_dir: For their masks.
        signer: Makes the manifests.
    """

    output_dir: Path
    output_mask_dir: Path
    signer: ContentSigner

    @classmethod
    def open(cls, output_dir: Path, output_mask_dir: Path) -> "FrameWriter":
        """Makes the folders and finds the key.

        Raises:
            ProvenanceError: There is no key, and none can be made.
            OSError: The folders cannot be made.
        """
        for folder in (output_dir, output_mask_dir):
            folder.mkdir(parents=True, exist_ok=True)
        return cls(output_dir, output_mask_dir, ContentSigner.open())

    def write(self, stem: str, merged: MergedFrame, *, is_changed: bool) -> None:
        """Writes both files; each appears whole or not at all.

        Args:
            stem: Of the frame's name.
            merged: What became of the frame.
            is_changed: Whether the picture shows something else than the frame did.
        """
        name = f"{stem}.png"
        png = encode_image(merged.image, ".png")
        if is_changed:
            png = self.signer.sign_bytes(png, "image/png", title=name)
        atomic_write(self.output_mask_dir / name, encode_image(merged.mask, ".png"))
        atomic_write(self.output_dir / name, png)

    def is_there(self, stem: str) -> bool:
        """Whether a frame and its mask have been written."""
        return all((folder / f"{stem}.png").exists() for folder in self._folders)

    def remove(self, stem: str) -> None:
        """Removes both files of a frame, if they are there."""
        for folder in self._folders:
            (folder / f"{stem}.png").unlink(missing_ok=True)

    @property
    def _folders(self) -> tuple[Path, Path]:
        return self.output_dir, self.output_mask_dir
