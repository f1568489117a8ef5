"""Options of DeepFaceLab's models as ours, and back.

A model that is imported keeps on training as it did there, so the switches `adabelief_compat` and
`ssim_compat` are on for it.
"""

import dataclasses
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from core.errors import OptionError
from core.option_spec import OptionSpec
from core.options import resolve, specs
from models.networks.architecture import parse_architecture
from models.options import TrainingOptions
from models.registry import MODEL_OPTIONS

# Theirs -> ours, where the value means the same and only the name may differ.
NAMES = MappingProxyType({
    "resolution": "resolution", "face_type": "face_type", "archi": "archi", "ae_dims": "ae_dims",
    "inter_dims": "inter_dims", "e_dims": "e_dims", "d_dims": "d_dims",
    "d_mask_dims": "d_mask_dims", "morph_factor": "morph_factor",
    "masked_training": "masked_training", "eyes_mouth_prio": "eyes_mouth_prio",
    "uniform_yaw": "uniform_yaw", "blur_out_mask": "blur_out_mask", "random_warp": "random_warp",
    "random_hsv_power": "random_hsv_power", "gan_power": "gan_power",
    "gan_patch_size": "gan_patch_size", "gan_dims": "gan_dims",
    "true_face_power": "true_face_power", "face_style_power": "face_style_power",
    "bg_style_power": "bg_style_power", "ct_mode": "ct_mode", "pretrain": "pretrain",
    "random_src_flip": "random_src_flip", "random_dst_flip": "random_dst_flip",
    "batch_size": "batch_size", "target_iter": "target_iteration",
    "autobackup_hour": "autobackup_hours", "write_preview_history": "write_preview_history"})
# What older versions called architectures whose weights mean the same.
OLD_ARCHITECTURES = MappingProxyType({"dfuhd": "df-u", "liaeuhd": "liae-u"})
LR_DROPOUT, LR_COSINE_PERIOD, CLIP_NORM = 0.3, 500, 1.0  # of theirs, when they are on
QUICK96 = MappingProxyType({"resolution": 96, "face_type": "f", "ae_dims": 128, "e_dims": 64,
                            "d_dims": 64, "d_mask_dims": 16})
"""Their Quick96 has no options: this is what it always is."""


def from_legacy(kind: str, options: Mapping[str, Any]) -> tuple[TrainingOptions, list[str]]:
    """Our options of a model with these.

    Args:
        kind: SAEHD, Quick96 or AMP.
        options: As `data.dat` holds them; what is missing has our default.

    Returns:
        The options, and a line for each value that ours cannot have and that shapes nothing: there
        the default is used.

    Raises:
        OptionError: A value that shapes the networks is none that ours can have.
    """
    options_type = MODEL_OPTIONS.load(kind)
    declared = {spec.name: spec for spec in specs(options_type)}
    wanted = {NAMES[name]: value for name, value in options.items() if name in NAMES}
    if wanted.get("batch_size") == 0:  # not "auto", as it is here: never asked for
        del wanted["batch_size"]
    wanted = _READ[kind](options, wanted)
    wanted |= {name: True for name in ("adabelief_compat", "ssim_compat")}
    taken, notes = {}, []
    for name in declared.keys() & wanted.keys():
        try:
            taken[name] = declared[name].parse(wanted[name])
        except OptionError as error:
            if name in options_type.structural:
                raise OptionError(f"{name} of the {kind} model {error}; FaceLab has no such "
                                  "models") from error
            notes.append(f"{name} {error}; {_shown_default(declared[name])} is used")
    return resolve(options_type, given=taken), sorted(notes)


def to_legacy(kind: str, options: TrainingOptions) -> dict[str, Any]:
    """DeepFaceLab's options of a model with ours.

    Raises:
        OptionError: Its Quick96 has other sizes.
    """
    own = dataclasses.asdict(options)
    if kind == "Quick96":
        _require_its_sizes(own)
        return {"batch_size": own["batch_size"]}
    found = {theirs: own[ours] for theirs, ours in NAMES.items() if ours in own} | {
        "gan_patch_size": own["gan_patch_size"] or own["resolution"] // 8,
        "lr_dropout": "y" if own["lr_dropout"] < 1 else "n",
        "clipgrad": own["clip_gradients"] > 0, "models_opt_on_gpu": True}
    if kind == "SAEHD":
        found |= {"adabelief": own["optimizer"] != "rmsprop",
                  "archi": parse_architecture(own["archi"]).name}
    return found


def _saehd(options: Mapping[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    optimizer = "adabelief" if options.get("adabelief", True) else "rmsprop"
    architecture = wanted.get("archi")
    if isinstance(architecture, str):
        architecture = architecture.strip().lower()
        wanted["archi"] = OLD_ARCHITECTURES.get(architecture, architecture)
    return _common(options, wanted) | {"optimizer": optimizer}


def _amp(options: Mapping[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    return _common(options, wanted) | {"optimizer": "adabelief"}


def _quick96(options: Mapping[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    known = {name: wanted[name] for name in ("batch_size",) if name in wanted}
    return {**known, **QUICK96, "random_src_flip": False, "random_dst_flip": False}


def _common(options: Mapping[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    # Booleans are what old versions stored; "cpu" only tells where the masks are drawn.
    drops = options.get("lr_dropout", "n") in (True, "y", "cpu")
    flips = options.get("random_flip")  # one option for both sides, in old versions
    old = {} if flips is None else {"random_src_flip": flips, "random_dst_flip": flips}
    return old | wanted | {
        "lr_dropout": LR_DROPOUT if drops else 1.0,
        "lr_cosine_period": LR_COSINE_PERIOD if drops else 0,
        "clip_gradients": CLIP_NORM if options.get("clipgrad") else 0.0}


def _require_its_sizes(own: Mapping[str, Any]) -> None:
    others = [f"{name} {own[name]}" for name, value in QUICK96.items() if own[name] != value]
    if others:
        raise OptionError(f"DeepFaceLab's Quick96 has one size only; this model has "
                          f"{', '.join(others)}: use `models export-weights` instead")


def _shown_default(spec: OptionSpec) -> str:
    return spec.format(spec.default)


_READ: dict[str, Callable[[Mapping[str, Any], dict[str, Any]], dict[str, Any]]] = {
    "SAEHD": _saehd, "AMP": _amp, "Quick96": _quick96}
