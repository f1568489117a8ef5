"""Which segmenter a command uses: one that was trained here, or one by its name."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import CheckpointError
from core.options import option
from facelib.protocols import FaceSegmenter
from facelib.registry import SEGMENTERS
from mainscripts.model_kind import saved_kinds

if TYPE_CHECKING:
    from facelib.networks.batch_segmenter import BatchSegmenter

TRAINED = ("XSeg", "TernausNet")
"""Kinds of models that are segmenters."""


@dataclass(frozen=True)
class SegmenterChoice:
    """Which faces, and which segmenter: options that commands share."""

    input_dir: Path | None = option(None, ask=True, help="Folder with the aligned faces.")
    model_dir: Path | None = option(
        None, help="Folder of all models, to use a segmenter that you trained.")
    name: str = option("new", help="Name of that model.")
    segmenter: str = option(
        "xseg", help=f"Where no such model is: {', '.join(SEGMENTERS.names())}, or your own as "
        "module:Class.")


def find_segmenter(segmenter: str, model_dir: Path | None = None,
                   name: str = "new", batch_size: int = 8) -> FaceSegmenter:
    """The segmenter of a saved model where there is one of that name, else the one that is named.

    Args:
        segmenter: A name of `SEGMENTERS`, or the address of one's own, module:Class.
        model_dir: Folder of all models; None looks for none.
        name: Of the model.
        batch_size: Faces at a time, for networks of FaceLab.

    Raises:
        CheckpointError: The saved model cannot be read.
        OptionError: There is no such segmenter.
        WeightsMissing: It has no weights.
    """
    kinds = [kind for kind in TRAINED if kind in saved_kinds(model_dir, name)]
    if kinds:
        return trained_segmenter(model_dir, name, kinds[0], batch_size)
    load = SEGMENTERS.load(segmenter)
    if segmenter in SEGMENTERS.names():
        return load(batch_size=batch_size, fills_batches=False)
    return load()


def trained_segmenter(model_dir: Path, name: str, kind: str, batch_size: int) -> "BatchSegmenter":
    """The newest readable generation of a saved model.

    Raises:
        CheckpointError: There is none.
    """
    from facelib.networks import ternausnet_segmenter, xseg_segmenter
    from models.store import ModelStore

    store = ModelStore(model_dir, kind, name)
    saved = store.require()
    makers = {"XSeg": (xseg_segmenter.segmenter_of, ("base", "resolution", "dense", "face_type")),
              "TernausNet": (ternausnet_segmenter.segmenter_of,
                             ("base", "resolution", "face_type"))}
    make, names = makers[kind]
    try:
        return make(saved.arrays[kind.lower()], **{key: saved.options[key] for key in names},
                    origin=f"{name} ({kind}, {saved.progress.iteration} iterations)",
                    batch_size=batch_size, fills_batches=False)
    except (KeyError, ValueError) as error:
        raise CheckpointError(f"{store.folder}: the saved weights do not fit this version of "
                              f"{kind} ({error}); use the version of FaceLab that wrote it, or "
                              "train another model") from error
