"""Which axes of a model's dense layers are pictures: sides, and a change of their order.

All else in the networks is convolutions, which know neither sides nor an order of pixels.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from core.errors import OptionError
from models.networks.architecture import parse_architecture
from models.options import TrainingOptions


class MapSides(NamedTuple):
    """Sides of the maps that `dense1` reads (`encoded`) and `dense2` makes (`code`)."""

    encoded: int
    code: int


Change = Callable[[np.ndarray, str], np.ndarray]

# The last two parts of a parameter's path -> (axis that is a map, which of the sides it has).
MAP_AXES = {"dense1/weight": (0, "encoded"), "dense2/weight": (1, "code"),
            "dense2/bias": (0, "code")}
# Architectures of kinds that have no option for it.
FIXED_ARCHITECTURES = {"Quick96": "df-ud", "AMP": "amp-udt"}


def architecture_of(kind: str, options: Mapping[str, Any]) -> str:
    """The architecture's name, such as `liae-udt`, in small letters.

    Raises:
        OptionError: The kind is not one of FaceLab's own, or has no such architecture.
    """
    if kind in FIXED_ARCHITECTURES:
        return FIXED_ARCHITECTURES[kind]
    name = options.get("archi")
    if name is None:
        raise OptionError(f"the shapes of {kind} models are not known; this works for models with "
                          f"an option `archi` and for {', '.join(FIXED_ARCHITECTURES)}")
    return parse_architecture(str(name)).name


def sides_of(kind: str, options: TrainingOptions) -> MapSides:
    """The sides of a model's maps.

    Raises:
        OptionError: The kind is not one of FaceLab's own.
    """
    return map_sides(architecture_of(kind, vars(options)), options.resolution)


def map_sides(architecture: str, resolution: int) -> MapSides:
    """The sides of both maps; letter `t` has one more downscale, `d` halves the code's map."""
    letters = architecture.partition("-")[2]
    return MapSides(resolution // (32 if "t" in letters else 16),
                    resolution // (32 if "d" in letters else 16))


def change_maps(arrays: Mapping[str, np.ndarray], change: Change) -> dict[str, np.ndarray]:
    """Applies a function to every array that has a map on one axis; the others stay.

    Args:
        arrays: Path of a parameter (or of an optimizer's slot) to array.
        change: Called with (side * side * channels, others) and the field of `MapSides` that tells
            the side; gives the same with the first axis changed, perhaps in length.
    """
    changed = dict(arrays)
    for path, array in arrays.items():
        known = MAP_AXES.get("/".join(path.split("/")[-2:]))
        if known is not None:
            axis, which = known
            first = np.moveaxis(array, axis, 0)
            result = change(first.reshape(len(first), -1), which)
            result = result.reshape(len(result), *first.shape[1:])
            changed[path] = np.ascontiguousarray(np.moveaxis(result, 0, axis))
    return changed


def to_channels_last(arrays: Mapping[str, np.ndarray], sides: MapSides) -> dict[str, np.ndarray]:
    """From files where a map is flattened (C, H, W) to our (H, W, C).

    Raises:
        ValueError: A map's length does not fit its side.
    """
    def change(columns: np.ndarray, which: str) -> np.ndarray:
        side = getattr(sides, which)
        maps = columns.reshape(-1, side, side, columns.shape[1])  # (C, H, W, others)
        return maps.transpose(1, 2, 0, 3).reshape(columns.shape)

    return change_maps(arrays, change)


def to_channels_first(arrays: Mapping[str, np.ndarray], sides: MapSides) -> dict[str, np.ndarray]:
    """The way back from `to_channels_last`."""
    def change(columns: np.ndarray, which: str) -> np.ndarray:
        side = getattr(sides, which)
        maps = columns.reshape(side, side, -1, columns.shape[1])  # (H, W, C, others)
        return maps.transpose(2, 0, 1, 3).reshape(columns.shape)

    return change_maps(arrays, change)


def resample_maps(arrays: Mapping[str, np.ndarray], old: MapSides,
                  new: MapSides) -> dict[str, np.ndarray]:
    """Dense layers for maps of other sides.

    The new layers compute what the old ones would if the maps were resampled between them and the
    convolutions: `dense1` reads its map brought to the old side, `dense2` makes its map of the old
    side and brings it to the new one. So sums over a map keep their size whatever its side.

    Args:
        arrays: Path -> array; maps flattened (H, W, C).
        old, new: Sides of the maps.
    """
    between = {"encoded": resampling(new.encoded, old.encoded).T,
               "code": resampling(old.code, new.code)}

    def change(columns: np.ndarray, which: str) -> np.ndarray:
        side = getattr(old, which)
        maps = columns.reshape(side, side, -1)  # (H, W, C * others)
        resampled = np.einsum("yi,xj,ijc->yxc", between[which], between[which], maps,
                              optimize=True)
        return resampled.reshape(-1, columns.shape[1]).astype(columns.dtype)

    return change_maps(arrays, change)


def resampling(old: int, new: int) -> np.ndarray:
    """(new, old) float64 matrix that resamples a row of `old` pixels to `new`; rows sum to 1.

    Bilinear with pixel centres at (i + 0.5); where it shrinks, the triangle is widened, so that
    every old pixel counts.
    """
    centres = (np.arange(new) + 0.5) * old / new - 0.5
    width = max(1.0, old / new)
    distance = np.abs(centres[:, None] - np.arange(old)) / width
    weights = np.maximum(0.0, 1.0 - distance)
    return weights / weights.sum(1, keepdims=True)
