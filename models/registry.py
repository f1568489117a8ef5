"""The models that `train` and `merge` know. A new model is a new line in both tables; what it has
to be is told in `models.base`.

A user's own model needs no line: its kind is its address, `package.module:Class`.
"""

from core.registry import Registry
from models.options import TrainingOptions

MODELS = Registry("model", {
    "Quick96": "models.quick96.model:Quick96Model",
    "SAEHD": "models.saehd.model:SAEHDModel",
    "AMP": "models.amp.model:AMPModel",
    "FaceEnhancer": "models.face_enhancer.model:FaceEnhancerModel",
    "S3FD": "models.s3fd.model:S3FDModel",
    "FAN": "models.fan.model:FANModel",
    "XSeg": "models.xseg.model:XSegModel",
    "TernausNet": "models.ternausnet.model:TernausNetModel",
})
MODEL_OPTIONS = Registry("model", {
    "Quick96": "models.quick96.options:Quick96Options",
    "SAEHD": "models.saehd.options:SAEHDOptions",
    "AMP": "models.amp.options:AMPOptions",
    "FaceEnhancer": "models.face_enhancer.options:FaceEnhancerOptions",
    "S3FD": "models.s3fd.options:S3FDOptions",
    "FAN": "models.fan.options:FANOptions",
    "XSeg": "models.xseg.options:XSegOptions",
    "TernausNet": "models.ternausnet.options:TernausNetOptions",
})


def known_kind(kind: str) -> str:
    """The kind as it is written in the tables, whatever its case; own kinds as they are."""
    by_lower = {name.lower(): name for name in MODELS.names()}
    return by_lower.get(kind.lower(), kind)


def options_type(kind: str) -> type[TrainingOptions]:
    """The options of a kind; those of a table are free of TensorFlow.

    Raises:
        OptionError: There is no such kind.
    """
    kind = known_kind(kind)
    if kind in MODELS.names() or ":" not in kind:
        return MODEL_OPTIONS.load(kind)
    return MODELS.load(kind).options_type


def label(kind: str) -> str:
    """What stands for a kind in names of files and folders: the class of an own kind."""
    return kind.rpartition(":")[2].rpartition(".")[2]
