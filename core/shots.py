"""Where one shot of a video ends and the next begins."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import cv2
import numpy as np

SIGNATURE_SHAPE = (9, 16, 3)
LOOKAHEAD = 4
"""Frames that must be known after one before it is judged."""

_LEAST_CHANGE = 0.2
"""Of a cut. Within the shots of the demo clips a frame changes by 0.01 to 0.11, at a jump cut to
the same person in the same room by 0.39, at a cut to something else by 0.6 to 1.2."""

_TIMES_ITS_SURROUNDINGS = 3.0
"""A cut stands out from the changes around it, which are large in a pan or in a wild scene."""

_FLASH = 0.35
"""A flash is over when the picture is as before, but for this share of the change."""

_LEAST_CONTRAST = 8.0  # grey levels; noise of a flat picture must not be blown up

T = TypeVar("T")


def signature(image: np.ndarray) -> np.ndarray:
    """A picture small enough to be kept for each frame of a video.

    Args:
        image: (H, W, 3) uint8 BGR.

    Returns:
        (9, 16, 3) uint8 BGR.
    """
    height, width, _ = SIGNATURE_SHAPE
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def change(a: np.ndarray, b: np.ndarray) -> float:
    """How much the picture differs between two signatures, whatever their brightness.

    Returns:
        0 for the same picture, 1.2 for two that have nothing in common; in contrasts.
    """
    return _distance(_normalised(a), _normalised(b))


def _normalised(small: np.ndarray) -> np.ndarray:
    """Without the mean colour and the contrast, which fades and lamps change."""
    picture = small.astype(np.float64)
    contrast = max(picture.std(axis=(0, 1)).mean(), _LEAST_CONTRAST)
    return (picture - picture.mean(axis=(0, 1))) / contrast


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).mean())


def mark_cuts(
    frames: Iterable[T], signature_of: Callable[[T], np.ndarray | None]
) -> Iterator[tuple[T, bool]]:
    """Tells for each frame whether a new shot begins with it.

    Looks `LOOKAHEAD` frames ahead and as many back, and holds no more than these.

    Args:
        frames: In order.
        signature_of: Gives a frame's `signature`, or None for a frame that cannot be read; such a
            one never begins a shot.

    Yields:
        (frame, is a cut); False for the first frame.
    """
    before: deque[np.ndarray] = deque(maxlen=LOOKAHEAD + 1)
    waiting: deque[tuple[T, np.ndarray | None]] = deque()
    for frame in frames:
        small = signature_of(frame)
        waiting.append((frame, None if small is None else _normalised(small)))
        if sum(small is not None for _, small in waiting) > LOOKAHEAD:
            yield _judge(waiting, before)
    while waiting:
        yield _judge(waiting, before)


def _judge(
    waiting: deque[tuple[T, np.ndarray | None]], before: deque[np.ndarray]
) -> tuple[T, bool]:
    """Takes the first frame that waits, and remembers its picture among those before."""
    frame, small = waiting.popleft()
    if small is None:
        return frame, False
    after = [other for _, other in waiting if other is not None]
    if before and _is_flash(before[-1], small, after):
        return frame, False  # and what comes next is compared with the frame before it
    is_cut = bool(before) and _stands_out([*before, small, *after], len(before))
    if is_cut:
        before.clear()  # its changes are no measure for the new shot
    before.append(small)
    return frame, is_cut


def _is_flash(before: np.ndarray, small: np.ndarray, after: Sequence[np.ndarray]) -> bool:
    """Whether the picture soon is again what it was."""
    difference = _distance(before, small)
    return difference > _LEAST_CHANGE and any(
        _distance(before, later) < _FLASH * difference for later in after[: LOOKAHEAD - 1])


def _stands_out(smalls: Sequence[np.ndarray], at: int) -> bool:
    """Whether the change to number `at` is large, and larger than those on both sides of it."""
    changes = [_distance(a, b) for a, b in zip(smalls, smalls[1:])]
    here, earlier, later = changes[at - 1], changes[: at - 1], changes[at:]
    usual = max(sorted(part)[(len(part) - 1) // 2] if part else 0.0 for part in (earlier, later))
    return here > max(_LEAST_CHANGE, _TIMES_ITS_SURROUNDINGS * usual)
