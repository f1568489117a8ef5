"""New faces for a compositing program: pictures with alpha, and where they go.

For each frame `<stem>.json`, and for each of its faces `<stem>_<number>.png`: 16 bits, colours and
alpha beside them (not multiplied), in the face square. The JSON holds the size of the frame and for
each face its file and `frame_to_patch`, two rows of three numbers: pixels of the frame to pixels of
the file, whole numbers being pixel centres.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.frames import Frame
from core.imaging.depth import from_unit
from core.imaging.io import encode_image
from core.paths import atomic_write, remove_parts
from core.provenance import MODEL_MADE, ContentSigner
from merger.patches import FacePatch

VERSION = 1


@dataclass(frozen=True, eq=False)
class PatchWriter:
    """Writes the files of frames into a folder.

    Attributes:
        folder: For all of them.
        signer: Makes their manifests.
    """

    folder: Path
    signer: ContentSigner

    @classmethod
    def open(cls, folder: Path) -> "PatchWriter":
        """Makes the folder and finds the key.

        Raises:
            ProvenanceError: There is no key, and none can be made.
            OSError: The folder cannot be made.
        """
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder, ContentSigner.open())

    def write(self, frame: Frame, size: tuple[int, int], patches: Sequence[FacePatch]) -> None:
        """Writes all files of a frame; the JSON comes last.

        Args:
            frame: Which.
            size: Its height and width, pixels.
            patches: Of its faces; none is as good.
        """
        faces = []
        for number, patch in enumerate(patches):
            name = f"{frame.stem}_{number}.png"
            data = encode_image(from_unit(np.dstack([patch.picture, patch.mask]), np.uint16),
                                ".png")
            atomic_write(self.folder / name, self.signer.sign_bytes(
                data, "image/png", title=name, source_type=MODEL_MADE))
            faces.append({"file": name, "frame_to_patch": patch.frame_to_patch.tolist()})
        content = {"version": VERSION, "frame": frame.name, "height": size[0], "width": size[1],
                   "faces": faces}
        atomic_write(self._json(frame), (json.dumps(content, indent=1) + "\n").encode("utf-8"))
        number = len(faces)
        while (more := self.folder / f"{frame.stem}_{number}.png").exists():  # of an earlier merge
            more.unlink()
            number += 1

    def is_there(self, frame: Frame) -> bool:
        """Whether all files of a frame have been written."""
        return self._json(frame).exists()

    def clear_unfinished(self) -> None:
        """Removes what a killed run left; nobody else writes then."""
        remove_parts(self.folder)

    def _json(self, frame: Frame) -> Path:
        return self.folder / f"{frame.stem}.json"


def open_patches(folder: Path | None) -> PatchWriter | None:
    """The writer for a folder; None without one. Raises as `PatchWriter.open`."""
    return None if folder is None else PatchWriter.open(folder)
