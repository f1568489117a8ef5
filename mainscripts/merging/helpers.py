"""The networks beside the swap: trained ones of the model folder, or known ones by name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import UsageError, WeightsMissing
from core.registry import Registry
from facelib.registry import ENHANCERS, SEGMENTERS
from mainscripts.merging.options import MergeFiles
from mainscripts.model_kind import names_of_kind

ENHANCER_KIND, SEGMENTER_KIND = "FaceEnhancer", "XSeg"


class Helper(NamedTuple):
    """A network, ready to use, and what makes its results: the journal of the merge notes it."""

    network: Any
    origin: str


def load_enhancer(files: MergeFiles) -> Helper:
    """What makes faces sharper.

    Raises:
        OptionError: The name is unknown.
        UsageError: Several models have been trained, and it is not said which one counts.
        WeightsMissing: There is none.
    """
    return _load(files, files.enhancer, ENHANCER_KIND, ENHANCERS, "faceenhancer",
                 lambda model: model.enhancer(), "train one with `train --model FaceEnhancer "
                 "--src-dir ...`, or set super_resolution_power to 0")


def load_segmenter(files: MergeFiles) -> Helper:
    """What masks faces.

    Raises:
        OptionError: The name is unknown.
        UsageError: Several models have been trained, and it is not said which one counts.
        WeightsMissing: There is none.
    """
    return _load(files, files.segmenter, SEGMENTER_KIND, SEGMENTERS, "xseg", _segmenter_of,
                 "train one with `train --model XSeg`, or take another --mask-mode")


def _segmenter_of(model: Any) -> Any:
    from facelib.networks.xseg_segmenter import segmenter_of  # TensorFlow

    options = model.options
    return segmenter_of(model.network.state(), base=options.base, resolution=options.resolution,
                        dense=options.dense, face_type=options.face_type, origin=SEGMENTER_KIND)


def _load(files: MergeFiles, chosen: str | None, kind: str, known: Registry, default: str,
          use: Callable[[Any], Any], advice: str) -> Helper:
    """The one that is named; else a trained one; else the one whose weights are there."""
    if chosen is not None:
        return Helper(known.load(chosen)(), chosen)
    name = _trained(files.model_dir, files.name, kind)
    if name is not None:
        return _restored(files.model_dir, name, kind, use)
    try:
        return Helper(known.load(default)(), default)
    except WeightsMissing as error:
        raise WeightsMissing(f"{error}; or {advice}") from error


def _trained(model_dir: Path, swap_name: str, kind: str) -> str | None:
    """The name of the trained model: that of the swap, or of the only one there is."""
    names = names_of_kind(model_dir, kind)
    if swap_name in names or not names:
        return swap_name if names else None
    if len(names) > 1:
        raise UsageError(f"{model_dir}: there are several models of kind {kind} "
                         f"({', '.join(names)}); rename the one that counts to {swap_name}, the "
                         "name of the swap (`models rename`)")
    return names[0]


def _restored(model_dir: Path, name: str, kind: str, use: Callable[[Any], Any]) -> Helper:
    from models.loading import restore  # TensorFlow: too heavy for --help
    from models.store import ModelStore

    saved = ModelStore(model_dir, kind, name).require()
    return Helper(use(restore(kind, saved)), f"{name}_{kind} {saved.number}")
