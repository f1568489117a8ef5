"""The saved model that a merge uses, and the other networks that its options need."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from core.report import Reporter
from mainscripts.merging.frame_settings import FrameSettings
from mainscripts.merging.helpers import Helper, load_enhancer, load_segmenter
from mainscripts.merging.options import MergeFiles
from mainscripts.merging.stages import MergeNetworks
from mainscripts.model_kind import DEFAULT_KIND, is_swap, saved_kind
from merger.networks import NeededNetworks, needed_networks
from models.registry import known_kind, label

LOADERS: Mapping[str, Callable[[MergeFiles], Helper]] = MappingProxyType(
    {"segmenter": load_segmenter, "enhancer": load_enhancer})
"""Networks beside the swap."""


class MergeModel(NamedTuple):
    """Networks, ready to use: `name` of the swap with its kind, `generation` that was loaded, and
    where the `helpers` beside it come from."""

    networks: MergeNetworks
    name: str
    generation: int
    helpers: dict[str, str] = {}


def load_model(files: MergeFiles, settings: FrameSettings, reporter: Reporter) -> MergeModel:
    """Loads the newest readable generation, and what the options of all frames need beside it.

    Raises:
        ModelNotFound, CheckpointError: There is no readable model.
        UsageError: Models of several kinds have the name.
        OptionError, DeviceError: The GPUs are none, or a network has an unknown name.
        WeightsMissing: A network has no weights.
    """
    return load_needed(files, needed_by(settings), reporter)


def needed_by(settings: FrameSettings) -> NeededNetworks:
    """What the options of all frames need of other networks than the swap."""
    each = [needed_networks(options) for options in (settings.base, *settings.own.values())]
    return NeededNetworks(*map(any, zip(*each)))


def helpers_for(needed: NeededNetworks) -> list[str]:
    """The networks beside the swap, by their names in `MergeNetworks`."""
    return [*["segmenter"] * (needed.xseg_prd or needed.xseg_dst), *["enhancer"] * needed.enhanced]


def load_needed(files: MergeFiles, needed: NeededNetworks, reporter: Reporter) -> MergeModel:
    """As `load_model`, for what is `needed`."""
    from models.loading import restore_swap  # TensorFlow: too heavy for --help
    from models.store import ModelStore

    if files.gpus is not None:
        from leras.devices import strategy

        strategy(files.gpus)
    kind = kind_of(files)
    store = ModelStore(files.model_dir, kind, files.name)
    saved = store.require()
    for problem in store.generations.problems:
        reporter.warning(problem)
    helpers = {name: LOADERS[name](files) for name in helpers_for(needed)}
    networks = MergeNetworks(restore_swap(kind, saved).predictor(),
                             **{name: helper.network for name, helper in helpers.items()})
    return MergeModel(networks, f"{files.name}_{label(kind)}", saved.number,
                      {name: helper.origin for name, helper in helpers.items()})


def kind_of(files: MergeFiles) -> str:
    """The kind of the model that is meant.

    Raises:
        UsageError: Models of several kinds have the name.
    """
    if files.model is not None:
        return known_kind(files.model)
    return saved_kind(files.model_dir, files.name, wanted=is_swap) or DEFAULT_KIND
