"""From the sampler's bytes to the tensors that losses read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from models.side import Side
from samplelib.sampler import Batch

CHANNELS = {"warped": 3, "target": 3, "mask": 1, "eyes_mouth": 1}  # of each output of a sample


@dataclass(frozen=True)
class Inputs:
    """Which arrays of both sides a training step reads, and in which order.

    Args:
        names: Outputs of the samples.
        resolution: Their side R.
        size: Samples of each side that pass through the networks at once.
    """

    names: tuple[str, ...]
    resolution: int
    size: int

    def signature(self) -> list[tf.TensorSpec]:
        """A spec (size, R, R, C) uint8 for each output of src, then of dst."""
        return [tf.TensorSpec((self.size, self.resolution, self.resolution, CHANNELS[name]),
                              tf.uint8) for _ in Side for name in self.names]

    def arrays(self, batches: Mapping[Side, Batch]) -> list:
        """The batches' arrays in the order of the signature."""
        return [batches[side][name] for side in Side for name in self.names]

    def tensors(self, arrays: Sequence[tf.Tensor]) -> dict[Side, dict[str, tf.Tensor]]:
        """Side -> output -> (size, R, R, C) float32 in [0, 1]; inside the step."""
        pictures = iter(unit_range(array) for array in arrays)
        return {side: {name: next(pictures) for name in self.names} for side in Side}


def is_placed(batch: Batch) -> bool:
    """Whether the batch lies on its devices already."""
    return not any(isinstance(array, np.ndarray) for array in batch.values())


def require_bytes(batch: Batch) -> None:
    """Refuses arrays of floats, which would lose all their decimals on the way.

    Raises:
        TypeError: naming the array.
    """
    for name, array in batch.items():
        if array.dtype != np.uint8:
            raise TypeError(f"{name}: batches hold uint8, not {array.dtype}")


def unit_range(array: tf.Tensor) -> tf.Tensor:
    """uint8 -> float32 in [0, 1]."""
    return tf.cast(array, tf.float32) / 255
