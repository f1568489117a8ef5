"""Options of `train` that are not the model's: what is trained on what, where, and who watches."""

from dataclasses import dataclass
from pathlib import Path

from core.options import option
from mainscripts.model_kind import DEFAULT_KIND
from mainscripts.views.view import PREVIEW_CHOICES
from models.registry import MODELS, options_type
from models.training_data import data_type


def _takes(kind: str | None, folder: str) -> bool:
    """Whether a kind of model trains on a folder."""
    return folder in data_type(options_type(kind or DEFAULT_KIND)).folders


@dataclass(frozen=True)
class TrainOptions:
    """Which model is trained on what."""

    src_dir: Path | None = option(
        None, ask=True, when=lambda options: _takes(options.model, "src_dir"),
        help="Folder with the aligned src faces.")
    dst_dir: Path | None = option(
        None, ask=True, when=lambda options: _takes(options.model, "dst_dir"),
        help="Folder with the aligned dst faces.")
    model_dir: Path | None = option(None, ask=True, help="Folder of all models.")
    model: str | None = option(
        None, help=f"Kind of model: {', '.join(MODELS.names())}, or your own as "
        f"package.module:Class. Left out, that of the saved model of this name, else "
        f"{DEFAULT_KIND}.")
    name: str = option("new", help="Name of the model; a known one is trained further.")
    pretrain_dir: Path | None = option(
        None, help="Folder with aligned faces of many people, for --pretrain.")
    data_dir: Path | None = option(
        None, ask=True, when=lambda options: _takes(options.model, "data_dir"),
        help="Folder with photographs and their labels, for models that find faces in them.")
    start_from: Path | None = option(
        None, help="Weights file (`models export-weights`) whose weights a new model starts from; "
        "for XSeg also the word starter, for the weights that come with FaceLab; for TernausNet "
        "vgg11, for imported ones.")
    preview: str = option(
        "file", choices=PREVIEW_CHOICES,
        help="Where to watch: a window, a web page of this computer, files beside the model, or "
        "nowhere.")
    tensorboard: bool = option(False, help="Also write event files for TensorBoard.")
    web_port: int = option(
        0, low=0, high=65535, help="Port of the web page; 0 takes any free one.")
    gpus: str | None = option(
        None, help="GPUs to train on, as 0 or 0,1; cpu for none. `doctor` lists them.")
    workers: str | None = option(
        None, help="All processes that train together, as host:port,host:port; the same list on "
        "every machine.")
    rank: int | None = option(
        None, low=0, help="Which of the --workers this one is, from 0. Number 0 saves the model.")
    dry_run: bool = option(
        False, help="Show all options and the memory that they need, and train nothing.")
