"""What all segmenters that are trained have in common."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import tensorflow as tf

from leras.graph import compile, image_spec
from leras.module import Module
from models.inputs import unit_range
from models.losses import TWO_SCALES_FROM, dissimilarity, ssim_windows
from models.preview import PreviewRow
from models.preview_rows import in_unit_range, rows_of
from models.segmenter_data import SOURCE
from models.segmenter_options import SegmenterOptions
from models.single_network import Loss, SingleNetworkModel
from models.training_parts import slice_size
from samplelib.batch_stream import Batch

GREEN = np.array([0, 1, 0], np.float32)
_DSSIM, _SQUARES = 10.0, 10.0  # weights while pretraining
_EPSILON = 1e-6


class SegmenterModel(SingleNetworkModel):
    """Learns masks; while pretraining, faces in grey without the shortcuts of the U.

    Args:
        options: What the user chose; with a resolution.
        network: (N, R, R, 3) BGR in [0, 1] and `with_skips` -> (N, R, R, 1) float32 logits.

    Attributes:
        title: Of the previews.
    """

    title: ClassVar[str]
    source = SOURCE

    def __init__(self, options: SegmenterOptions, network: Module):
        side, size = options.resolution, slice_size(options)
        super().__init__(options, network, {
            "image": tf.TensorSpec((size, side, side, 3), tf.uint8),
            "mask": tf.TensorSpec((size, side, side, 1), tf.uint8)})
        self._windows = ssim_windows(side, two_scales=side >= TWO_SCALES_FROM // 2)
        self._predict = compile(
            lambda faces: tf.sigmoid(network(faces, with_skips=not options.pretrain)),
            image_spec(side, side, 3))

    def loss(self, samples: Mapping[str, tf.Tensor]) -> Loss:
        faces, wanted = unit_range(samples["image"]), unit_range(samples["mask"])
        logits = self.network(faces, with_skips=not self.options.pretrain)
        if self.options.pretrain:
            return self._drawing_loss(wanted, tf.sigmoid(logits))
        total = tf.reduce_mean(
            tf.nn.sigmoid_cross_entropy_with_logits(wanted, logits), (1, 2, 3))
        if self.options.jaccard:
            total += self.options.jaccard * (1 - overlap(wanted, tf.sigmoid(logits)))
        return Loss(total, {"iou": overlap(wanted, tf.cast(logits > 0, tf.float32))})

    def preview(self, batches: Mapping[str, Batch]) -> dict[str, list[PreviewRow]]:
        names = {self.source: f"{self.title} training faces"} | {
            name: f"{self.title} {name} faces" for name in batches if name != self.source}
        return {names[name]: self._rows(batch) for name, batch in batches.items()}

    def _drawing_loss(self, wanted: tf.Tensor, drawn: tf.Tensor) -> Loss:
        structure = dissimilarity(wanted, drawn, self._windows)
        squares = tf.reduce_mean(tf.square(wanted - drawn), (1, 2, 3))
        return Loss(_DSSIM * structure + _SQUARES * squares,
                    {"dssim": structure, "mse": squares})

    def _rows(self, batch: Batch) -> list[PreviewRow]:
        """The face, what is known of it, and what the model says."""
        faces, known = in_unit_range(batch["image"]), in_unit_range(batch["mask"])
        found = self._predict(faces)
        if self.options.pretrain:
            return rows_of({"face": faces, "wanted": _grey(known), "drawn": _grey(found)})
        return rows_of({"label": tinted(faces, known), "prediction": _grey(found),
                        "face by prediction": tinted(faces, found)})


def overlap(one: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    """Intersection over union of masks: (N, R, R, 1) in [0, 1] -> (N,); 1 if both are empty.

    The sum of the smaller values by that of the larger ones, so that equal masks have 1 also where
    they are grey (the Jaccard metric loss of Wang et al. 2023 is one minus it).
    """
    apart = tf.reduce_sum(tf.abs(one - other), (1, 2, 3))
    together = tf.reduce_sum(one + other, (1, 2, 3))
    return (together - apart + _EPSILON) / (together + apart + _EPSILON)


def tinted(faces: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Faces whose masked-out part is half green.

    Args:
        faces: (N, R, R, 3) float32 BGR in [0, 1].
        masks: (N, R, R, 1) float32 in [0, 1].
    """
    return faces * masks + (faces + GREEN) / 2 * (1 - masks)


def _grey(masks: np.ndarray) -> np.ndarray:
    """(N, R, R, 1) -> (N, R, R, 3)."""
    return np.repeat(masks, 3, axis=-1)
