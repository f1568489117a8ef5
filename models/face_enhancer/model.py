"""FaceEnhancer as a model that is trained."""

from collections.abc import Mapping

import cv2
import numpy as np
import tensorflow as tf

from facelib.networks.enhancer import PatchEnhancer
from facelib.networks.face_enhancer import CONDITIONS, FACTOR, FaceEnhancer
from models.face_enhancer.data import SOURCE
from models.face_enhancer.options import FaceEnhancerOptions
from models.inputs import unit_range
from models.losses import dissimilarity, ssim_windows
from models.preview import PreviewRow
from models.preview_rows import in_unit_range, rows_of
from models.single_network import Loss, SingleNetworkModel
from models.training_parts import slice_size
from samplelib.batch_stream import Batch

_DSSIM, _ABSOLUTE = 5.0, 10.0


class FaceEnhancerModel(SingleNetworkModel):
    """Learns to make faces four times as large with the detail that they have in the faceset."""

    options_type = FaceEnhancerOptions
    part = "enhancer"
    source = SOURCE

    def __init__(self, options: FaceEnhancerOptions):
        size, small, large = slice_size(options), options.patch, FACTOR * options.patch
        super().__init__(options, FaceEnhancer(width=options.width), {
            "small": tf.TensorSpec((size, small, small, 3), tf.uint8),
            "large": tf.TensorSpec((size, large, large, 3), tf.uint8)})
        self._windows = ssim_windows(large, two_scales=True)

    def loss(self, samples: Mapping[str, tf.Tensor]) -> Loss:
        small, wanted = unit_range(samples["small"]), unit_range(samples["large"])
        one = tf.ones((small.shape[0], 1))
        made = self.network(small * 2 - 1, *(number * one for number in CONDITIONS)) / 2 + 0.5
        structure = dissimilarity(wanted, made, self._windows)
        absolute = tf.reduce_mean(tf.abs(wanted - made), (1, 2, 3))
        return Loss(_DSSIM * structure + _ABSOLUTE * absolute,
                    {"dssim": structure, "absolute": absolute})

    def preview(self, batches: Mapping[str, Batch]) -> dict[str, list[PreviewRow]]:
        batch = batches[SOURCE]
        small, wanted = (in_unit_range(batch[name]) for name in ("small", "large"))
        enhancer = self.enhancer()
        side = wanted.shape[1]
        columns = {
            "small": [cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC)
                      for face in small],
            "enhanced": [enhancer.enlarge(face) for face in small],
            "face": list(wanted)}
        return {"FaceEnhancer": rows_of({title: np.clip(np.stack(column), 0, 1)
                                         for title, column in columns.items()})}

    def enhancer(self) -> PatchEnhancer:
        """The network, ready to use on faces of any size."""
        return PatchEnhancer(self.network, patch=self.options.patch)
