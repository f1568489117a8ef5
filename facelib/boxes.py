"""Boxes of detectors: which overlap; and which pictures go through a network together."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def suppress(boxes: np.ndarray, scores: np.ndarray, threshold: float, *, extra: float = 0.0,
             of_smaller: bool = False) -> np.ndarray:
    """Of boxes that overlap, keeps the surest.

    Args:
        boxes: (K, 4) float, x1, y1, x2, y2.
        scores: (K,).
        threshold: A box goes when its overlap with a surer one is larger.
        extra: Added to every side; 1 counts the pixels of boxes that name their last pixel.
        of_smaller: The overlap is the share of the smaller box instead of the union.

    Returns:
        (M,) indices of the kept ones, the surest first; equal scores in their order.
    """
    order = np.argsort(-scores, kind="stable")
    areas = np.prod(boxes[:, 2:] - boxes[:, :2] + extra, axis=1)
    kept = []
    while order.size:
        first, rest = order[0], order[1:]
        kept.append(first)
        sides = (np.minimum(boxes[first, 2:], boxes[rest, 2:])
                 - np.maximum(boxes[first, :2], boxes[rest, :2]) + extra)
        common = np.prod(np.maximum(sides, 0), axis=1)
        whole = (np.minimum(areas[first], areas[rest]) if of_smaller
                 else areas[first] + areas[rest] - common)
        order = rest[~(common > threshold * whole)]
    return np.array(kept, np.int64)


def require_pictures(images: Sequence[np.ndarray]) -> None:
    """Checks what detectors are given.

    Raises:
        ValueError: An image is not (H, W, 3) uint8, or empty.
    """
    for image in images:
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise ValueError(f"(H, W, 3) uint8 wanted, got {image.shape} {image.dtype}")


def alike(images: Sequence[np.ndarray], batch_size: int) -> Iterator[list[int]]:
    """Yields indices of images of one shape, at most `batch_size` at a time, all of them once."""
    groups = defaultdict(list)
    for index, image in enumerate(images):
        groups[image.shape].append(index)
    for indices in groups.values():
        for start in range(0, len(indices), batch_size):
            yield indices[start:start + batch_size]


def by_shape(images: Sequence[np.ndarray], batch_size: int,
             work: Callable[[list[np.ndarray]], Iterable[T]]) -> list[T]:
    """Works on images of one shape together, and gives the results in the order of the images.

    Args:
        images: Of any shapes.
        batch_size: Most images at a time.
        work: Images of one shape -> a result for each.
    """
    results: dict[int, T] = {}
    for chunk in alike(images, batch_size):
        results.update(zip(chunk, work([images[index] for index in chunk]), strict=True))
    return [results[index] for index in range(len(images))]
