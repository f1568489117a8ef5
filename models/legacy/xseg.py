"""XSeg as DeepFaceLab's files: it knows one, of fixed sizes and a fixed name."""

from pathlib import Path
from types import MappingProxyType

from core.errors import OptionError
from models.dense_maps import MapSides
from models.legacy.convert import Exported, loss_columns
from models.legacy.files import (
    DATA,
    LegacyData,
    files_written_together,
    require_new,
    write_data,
    write_weights,
)
from models.legacy.weights import network_arrays, optimizer_arrays
from models.store import Progress
from models.xseg.model import XSegModel
from models.xseg.options import XSegOptions

NAME = "XSeg"
SIZES = MappingProxyType({"resolution": 256, "base": 32, "dense": 512})
"""Of the one that it has."""

_BATCH_SIZES = (2, 16)  # that it takes
_OPTIMIZER, _LOSS = "rmsprop", "loss"
_AS_THEY_ARE = MapSides(1, 1)  # our dense layers see the channels one after the other, as its do


def export_xseg(model: XSegModel, options: XSegOptions, progress: Progress, folder: Path, *,
                overwrite: bool = False) -> Exported:
    """Writes an XSeg as files that DeepFaceLab opens: all of them, or none.

    Args:
        model, options, progress: What to write.
        folder: Made if missing.
        overwrite: Whether the files of another one may be replaced.

    Raises:
        OptionError: It has other sizes than DeepFaceLab's.
        UsageError: A file exists.
    """
    _require_its_sizes(options)
    (optimizer,), notes = model.optimizers().values(), []
    if options.optimizer != _OPTIMIZER:
        notes.append(f"the optimizer starts anew: DeepFaceLab trains XSeg by {_OPTIMIZER}, this "
                     f"one was trained by {options.optimizer}")
    arrays = {"256": network_arrays(model.network, _AS_THEY_ARE),
              "256_opt": optimizer_arrays(optimizer, (NAME,), {}, _AS_THEY_ARE)}
    low, high = _BATCH_SIZES
    their_options = {"face_type": options.face_type, "pretrain": options.pretrain,
                     "batch_size": min(max(options.batch_size, low), high)}
    names = {stem: f"{NAME}_{stem}.npy" for stem in arrays}
    paths = [folder / name for name in (*names.values(), f"{NAME}_{DATA}")]
    if not overwrite:
        require_new(paths)
    with files_written_together(folder) as part:
        for stem, named in arrays.items():
            write_weights(part / names[stem], named)
        write_data(part / f"{NAME}_{DATA}", LegacyData(
            progress.iteration, their_options, loss_columns(progress.history, (_LOSS,))))
    return Exported(paths, notes)


def _require_its_sizes(options: XSegOptions) -> None:
    own = {name: getattr(options, name) for name in SIZES}
    if own != SIZES:
        raise OptionError(f"DeepFaceLab's XSeg is of {_shown(SIZES)}, this one of {_shown(own)}; "
                          "hand its masks over instead: `xseg apply`, then `util export-dfl`")


def _shown(sizes) -> str:
    return ", ".join(f"{name} {size}" for name, size in sizes.items())
