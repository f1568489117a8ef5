"""Which anchors have to find which face (Zhang et al., 2017, section 3.2)."""

from typing import NamedTuple

import numpy as np

from facelib.anchors import encode

MATCH = 0.35
"""Overlap from which on an anchor has to find a face."""

WEAK_MATCH = 0.1
"""Overlap that will do for a face that has too few anchors."""

ENOUGH = 10
"""Anchors that a face should have: the mean number with an overlap of `MATCH`, over faces of 8 to
256 pixels whose sizes are equally frequent on a logarithmic scale."""

BACKGROUND, FACE, IGNORED = 0, 1, -1


class Targets(NamedTuple):
    """What the network should say.

    Attributes:
        classes: (A,) int8, FACE, BACKGROUND, or IGNORED where either answer will do.
        offsets: (A, 4) float32, zeros but for faces; see `facelib.anchors.encode`.
    """

    classes: np.ndarray
    offsets: np.ndarray


def match(boxes: np.ndarray, ignored: np.ndarray, anchors: np.ndarray) -> Targets:
    """What each anchor should say.

    Args:
        boxes: (F, 4) float, faces to be found; x1, y1, x2, y2.
        ignored: (G, 4) float, faces that need not be found.
        anchors: (A, 4) float64.
    """
    classes = np.zeros(len(anchors), np.int8)
    if len(ignored):
        classes[(overlaps(ignored, anchors) > WEAK_MATCH).any(axis=0)] = IGNORED
    offsets = np.zeros((len(anchors), 4), np.float32)
    if len(boxes):
        owners = _owners(overlaps(boxes, anchors))
        own = owners >= 0
        classes[own] = FACE
        offsets[own] = encode(boxes[owners[own]], anchors[own])
    return Targets(classes, offsets)


def overlaps(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(F, 4) and (A, 4) -> (F, A) areas of the intersections over those of the unions."""
    low = np.maximum(boxes[:, np.newaxis, :2], others[np.newaxis, :, :2])
    high = np.minimum(boxes[:, np.newaxis, 2:], others[np.newaxis, :, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=-1)
    areas = [np.prod(some[:, 2:] - some[:, :2], axis=-1) for some in (boxes, others)]
    return common / (areas[0][:, np.newaxis] + areas[1][np.newaxis] - common)


def _owners(shares: np.ndarray) -> np.ndarray:
    """(F, A) overlaps -> (A,) the face that each anchor has to find, or -1."""
    best = shares.argmax(axis=0)
    owners = np.where(shares.max(axis=0) >= MATCH, best, -1)
    for face in np.argsort([(owners == face).sum() for face in range(len(shares))])[::-1]:
        if (owners == face).sum() < ENOUGH:
            free = (owners < 0) | (owners == face)
            weak = np.where(free & (shares[face] > WEAK_MATCH), shares[face], 0)
            surest = np.argsort(-weak, kind="stable")[:ENOUGH]
            owners[surest[weak[surest] > 0]] = face
    for face in range(len(shares)):
        if not (owners == face).any():
            owners[shares[face].argmax()] = face
    return owners
