"""Faces of one frame made of those of frames near it."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from facelib.types import FoundFace
from mainscripts.manual.document import HAND_SCORE


def nearest_with_faces(number: int, step: int, n_frames: int,
                       faces_of: Callable[[int], Sequence[FoundFace]]) -> int | None:
    """The nearest frame with a face on one side.

    Args:
        number: Where to begin; not looked at itself.
        step: -1 looks before, 1 behind.
        n_frames: There are these.
        faces_of: Gives the faces of a frame.

    Returns:
        Its number, or None.
    """
    candidates = range(number + step, n_frames if step > 0 else -1, step)
    return next((other for other in candidates if faces_of(other)), None)


def copied(faces: Sequence[FoundFace]) -> list[FoundFace]:
    """The same faces for another frame; what describes their looks stays behind."""
    return [FoundFace(face.box, HAND_SCORE, face.landmarks) for face in faces]


def interpolated(before: Sequence[FoundFace], after: Sequence[FoundFace],
                 share: float) -> list[FoundFace]:
    """Faces on their straight way from one frame to another.

    Args:
        before, after: The faces of both frames. Each goes to the partner that makes all ways
            together shortest; those without a partner are left out.
        share: Of the way, 0 to 1.

    Returns:
        In the order of `before`.
    """
    ways = np.array([[np.linalg.norm(_centre(a) - _centre(b)) for b in after] for a in before])
    rows, columns = linear_sum_assignment(ways.reshape(len(before), len(after)))
    return [_between(before[row], after[column], share) for row, column in zip(rows, columns)]


def _centre(face: FoundFace) -> np.ndarray:
    return np.asarray(face.landmarks, np.float64).mean(axis=0)


def _between(a: FoundFace, b: FoundFace, share: float) -> FoundFace:
    def mixed(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.asarray((1 - share) * one + share * other, np.float32)

    return FoundFace(mixed(a.box, b.box), HAND_SCORE, mixed(a.landmarks, b.landmarks))
