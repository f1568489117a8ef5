"""How many convolutions with which strides see a patch of a wanted size."""

import functools
import itertools
from collections.abc import Sequence

MAX_LAYERS = 9


def receptive_field(strides: Sequence[int]) -> int:
    """Pixels per axis that one output of 3x3 convolutions with these strides sees."""
    field, step = 1, 1
    for stride in strides:
        field += 2 * step
        step *= stride
    return field


@functools.cache
def strides_by_field() -> dict[int, tuple[int, ...]]:
    """The best strides of 1 to 9 layers for every receptive field there is.

    The first layer has stride 2, the others 1 or 2. Best are the fewest layers, then the smallest
    last map, then the stride 2 as late as possible.
    """
    best: dict[int, tuple[int, ...]] = {}
    for n_layers in range(MAX_LAYERS):
        for rest in itertools.product((1, 2), repeat=n_layers):
            strides = (2, *rest)
            field = receptive_field(strides)
            best[field] = min(best.get(field, strides), strides, key=_rank)
    return dict(sorted(best.items()))


def strides_for(patch_size: int) -> tuple[int, ...]:
    """Strides whose receptive field is nearest to `patch_size`; of two as near, the smaller one.

    Returns:
        One stride for each layer, 2 first.
    """
    table = strides_by_field()
    return table[min(table, key=lambda field: (abs(field - patch_size), field))]


def _rank(strides: tuple[int, ...]):
    return len(strides), -sum(strides), [-stride for stride in reversed(strides)]
