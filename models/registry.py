"""The models that `train` and `merge` know. A new model is a new line in both tables."""

from core.registry import Registry

MODELS = Registry("model", {"Quick96": "models.quick96.model:Quick96Model"})
MODEL_OPTIONS = Registry("model", {"Quick96": "models.quick96.options:Quick96Options"})
