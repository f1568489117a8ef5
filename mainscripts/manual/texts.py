"""What the line above the frame says."""

import bisect
from collections.abc import Sequence

from mainscripts.manual.document import Document
from mainscripts.manual.hand import Hand, Mode


def count(number: int, thing: str) -> str:
    """"1 face", "2 faces"."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def title(document: Document, tour: Sequence[int], number: int) -> str:
    """Which frame it is, and how it stands with it.

    Args:
        document: All frames.
        tour: Numbers of those to look at, rising.
        number: Of the frame.
    """
    frame, state = document.frames[number], document.state(number)
    place = bisect.bisect_left(tour, number)
    is_in_tour = place < len(tour) and tour[place] == number
    where = f"{place + 1} of {len(tour)}" if is_in_tour else "not one of those to look at"
    decided = ", decided" if state.is_done else ""
    return (f"frame {frame.index + 1} ({where})   {frame.name}   "
            f"{count(len(state.faces), 'face')}{decided}")


def status(hand: Hand) -> str:
    """What is in the hand."""
    accurate = "accurate" if hand.is_accurate else "quick"
    if hand.mode is Mode.SQUARE:
        return f"square {2 * hand.square.half:.0f} px, {accurate}"
    return f"{hand.mode.value}, {accurate}"
