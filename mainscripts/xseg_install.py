"""`xseg install`: a trained segmenter becomes the one that `xseg apply` and `merge` use by name."""

from dataclasses import dataclass
from pathlib import Path

from core.errors import ModelNotFound
from core.options import option
from core.prompt import Prompter
from core.report import Reporter
from facelib.user_weights import Weights, user_path, write_weights
from mainscripts.command import require
from mainscripts.model_kind import saved_kinds
from mainscripts.xseg_faces import agreed
from mainscripts.xseg_segmenter import TRAINED


@dataclass(frozen=True)
class InstallOptions:
    """Which model."""

    model_dir: Path | None = option(None, ask=True, help="Folder of all models.")
    name: str = option("new", help="Name of the model.")
    yes: bool = option(False, help="Replace what was installed before without asking.")


def install(options: InstallOptions, reporter: Reporter, prompter: Prompter) -> None:
    """Copies a model's weights to the user's data folder.

    Raises:
        ModelNotFound: No segmenter has that name.
        CheckpointError: It cannot be read.
        UsageError: Nobody can be asked whether the installed one may go.
    """
    from models.store import ModelStore

    require(options, "model_dir")
    kinds = [kind for kind in TRAINED if kind in saved_kinds(options.model_dir, options.name)]
    if not kinds:
        raise ModelNotFound(f"{options.model_dir}: there is no segmenter named {options.name}; "
                            "train one with `xseg train`, see `models list`")
    network = kinds[0].lower()
    path = user_path(network)
    if path.exists() and not agreed(f"Replace the installed {kinds[0]} ({path})",
                                    "The installed weights are lost.", options.yes, prompter):
        reporter.info("the installed one stays")
        return
    saved = ModelStore(options.model_dir, kinds[0], options.name).require()
    facts = {key: str(saved.options[key]) for key in ("base", "resolution", "dense", "face_type")
             if key in saved.options}
    origin = f"{options.name} ({kinds[0]}, {saved.progress.iteration} iterations)"
    write_weights(path, Weights(saved.arrays[network], {**facts, "origin": origin}))
    reporter.event("installed", message=f"{origin} is installed ({path})", name=network,
                   path=str(path))
