"""Trained networks that find faces, as the weights that extraction reads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from core.errors import UsageError
from facelib.user_weights import Weights
from models.fan.options import FANOptions
from models.options import TrainingOptions
from models.registry import known_kind
from models.s3fd.matching import WEAK_MATCH
from models.s3fd.options import S3FDOptions


@dataclass(frozen=True)
class _Finder:
    """A kind of model whose network finds faces.

    Attributes:
        networks: Names under which extraction knows it; the first is the usual one.
        part: The model's only network.
        about: Facts that extraction needs, from the model's options.
    """

    networks: tuple[str, ...]
    part: str
    about: Callable[[TrainingOptions], dict[str, str]]


def _s3fd_facts(options: S3FDOptions) -> dict[str, str]:
    # No anchor learned a face that it overlaps by less.
    return {"width": str(options.width), "channels": "bgr", "least_overlap": str(WEAK_MATCH)}


def _fan_facts(options: FANOptions) -> dict[str, str]:
    # It learned blots whose tops lie between cells.
    return {"width": str(options.width), "stacks": str(options.n_stacks), "peaks": "gaussian"}


_FINDERS = MappingProxyType({
    "S3FD": _Finder(("s3fd",), "s3fd", _s3fd_facts),
    "FAN": _Finder(("2dfan", "3dfan"), "fan", _fan_facts),
})


def network_name(kind: str, wanted: str | None = None) -> str:
    """Under which name extraction knows the network of a kind of model.

    Args:
        kind: Of the model.
        wanted: The name that the user gave, if any.

    Raises:
        UsageError: The kind finds no faces, or not as `wanted`.
    """
    known = known_kind(kind)
    if known not in _FINDERS:
        raise UsageError(f"a {kind} finds no faces; extraction takes networks of "
                         f"{', '.join(_FINDERS)}")
    names = _FINDERS[known].networks
    if wanted is not None and wanted not in names:
        raise UsageError(f"a {kind} is no {wanted}; use --network {' or '.join(names)}")
    return wanted or names[0]


def finder_weights(kind: str, options: TrainingOptions, iteration: int,
                   parts: Mapping[str, Mapping[str, np.ndarray]]) -> Weights:
    """The weights of a trained model.

    Args:
        kind: Of the model; one that `network_name` knows.
        options: Of the model.
        iteration: How long it was trained.
        parts: Part -> path -> array.
    """
    finder = _FINDERS[known_kind(kind)]
    return Weights(dict(parts[finder.part]), {
        "origin": f"trained by FaceLab, {iteration} iterations", **finder.about(options)})
