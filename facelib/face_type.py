"""How much of the head an aligned face shows."""

import math
from enum import IntEnum
from typing import NamedTuple

from core.errors import OptionError


class FaceType(IntEnum):
    """Kinds of aligned face; a larger value covers more of the head (up to HEAD)."""

    HALF = 0
    MID_FULL = 1
    FULL = 2
    FULL_NO_ALIGN = 3
    WHOLE_FACE = 4
    HEAD = 10
    HEAD_NO_ALIGN = 20
    MARK_ONLY = 100

    @property
    def label(self) -> str:
        """The name written into files, as "full_face"."""
        return _FACTS[self].label

    @property
    def short(self) -> str:
        """The name in prompts and on the command line, as "f"."""
        return _FACTS[self].short

    @property
    def padding(self) -> float:
        """Border around the unit face square, as a share of its diagonal.

        Raises:
            ValueError: MARK_ONLY, which keeps the whole frame.
        """
        padding = _FACTS[self].padding
        if padding is None:
            raise ValueError(f"{self.label} has no crop: the whole frame is kept")
        return padding

    @property
    def coverage(self) -> float:
        """Side of the crop in sides of the unit face square (1.0 for half_face)."""
        return 1 + 2 * math.sqrt(2) * self.padding

    @property
    def is_aligned(self) -> bool:
        """False where the crop stays upright in the frame instead of following the roll."""
        return self not in (FaceType.FULL_NO_ALIGN, FaceType.HEAD_NO_ALIGN, FaceType.MARK_ONLY)

    @classmethod
    def parse(cls, text: str) -> "FaceType":
        """The face type of that label ("whole_face") or short name ("wf"), in any case.

        Raises:
            OptionError: No face type has that name.
        """
        wanted = text.strip().lower()
        for face_type in cls:
            if wanted in (face_type.label, face_type.short):
                return face_type
        known = ", ".join(f"{face_type.short} ({face_type.label})" for face_type in cls)
        raise OptionError(f"unknown face type {text!r}; choose one of {known}")


class _Facts(NamedTuple):
    label: str
    short: str
    padding: float | None


_FACTS = {
    FaceType.HALF: _Facts("half_face", "h", 0.0),
    FaceType.MID_FULL: _Facts("midfull_face", "mf", 0.0675),
    FaceType.FULL: _Facts("full_face", "f", 0.2109375),
    FaceType.FULL_NO_ALIGN: _Facts("full_face_no_align", "fna", 0.2109375),
    FaceType.WHOLE_FACE: _Facts("whole_face", "wf", 0.40),
    FaceType.HEAD: _Facts("head", "head", 0.70),
    FaceType.HEAD_NO_ALIGN: _Facts("head_no_align", "hna", 0.70),
    FaceType.MARK_ONLY: _Facts("mark_only", "mark", None),
}
