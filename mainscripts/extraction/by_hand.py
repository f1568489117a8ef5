"""What was set by hand in a frame, and its lines in the journal of hand work."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from mainscripts.extraction.records import FoundFrame, from_note, to_note


class HandFrame(NamedTuple):
    """One frame with the faces that a person set.

    `found`: takes the place of what was found automatically, if `is_done`; `revision`: how often
    the frame was noted, so that files made of an earlier state are told from those of the last.
    """

    found: FoundFrame
    is_done: bool
    revision: int


def to_hand_note(hand: HandFrame) -> dict[str, Any]:
    """As JSON values; every float comes back as it was."""
    return {**to_note(hand.found), "done": hand.is_done, "revision": hand.revision}


def from_hand_note(note: Mapping[str, Any]) -> HandFrame:
    """What `to_hand_note` was given.

    Raises:
        KeyError, ValueError: The note is not of this kind.
    """
    return HandFrame(from_note(note), bool(note["done"]), int(note["revision"]))
