"""The two sides of a swap."""

from enum import StrEnum


class Side(StrEnum):
    """`SRC` lends the identity, `DST` is the video to change."""

    SRC = "src"
    DST = "dst"
