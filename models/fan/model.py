"""FAN as it is trained."""

from collections.abc import Mapping

import cv2
import numpy as np
import tensorflow as tf

from facelib.drawing import draw_landmarks
from facelib.fan_sizes import CROP_SIZE, MAP_SIZE
from facelib.landmarks import N_LANDMARKS
from facelib.networks.fan import FAN
from facelib.networks.fan_landmarks import FANLandmarks
from leras.graph import compile as compile_graph
from models.fan.loss import heat_map_loss
from models.fan.options import FANOptions
from models.photo_data import PHOTOS
from models.preview import PreviewRow
from models.single_network import Loss, SingleNetworkModel
from models.training_parts import slice_size
from samplelib.batch_stream import Batch

_CELL = CROP_SIZE / MAP_SIZE


class FANModel(SingleNetworkModel):
    """Learns to mark 68 landmarks in crops of faces."""

    options_type = FANOptions
    part, source = "fan", PHOTOS

    def __init__(self, options: FANOptions):
        n = slice_size(options)
        network = FAN(width=options.width, n_stacks=options.n_stacks)
        super().__init__(options, network, {
            "crop": tf.TensorSpec((n, CROP_SIZE, CROP_SIZE, 3), tf.uint8),
            "points": tf.TensorSpec((n, N_LANDMARKS, 2), tf.float32)})
        self._landmarks = FANLandmarks(network, fit_peaks=True)
        self._maps = compile_graph(
            lambda crops: tf.reduce_max(network(tf.cast(crops, tf.float32) / 255)[-1], -1),
            tf.TensorSpec((None, CROP_SIZE, CROP_SIZE, 3), tf.uint8))

    def loss(self, samples: Mapping[str, tf.Tensor]) -> Loss:
        crops = tf.cast(samples["crop"], tf.float32) / 255
        return heat_map_loss(self.network(crops), samples["points"])

    def preview(self, batches: Mapping[str, Batch]) -> dict[str, list[PreviewRow]]:
        """Crops with the labels, with the landmarks found, and the highest of all heat maps."""
        crops, points = (batches[PHOTOS][name] for name in ("crop", "points"))
        places, _ = self._landmarks.locate(crops)
        rows = []
        for crop, wanted, found, heat in zip(crops, (points + 0.5) * _CELL - 0.5,
                                             places * CROP_SIZE - 0.5, self._maps(crops),
                                             strict=True):
            large = cv2.resize(heat, (CROP_SIZE, CROP_SIZE), interpolation=cv2.INTER_LINEAR)
            rows.append({"labels": _with_landmarks(crop, wanted),
                         "found": _with_landmarks(crop, found),
                         "heat": np.repeat(np.clip(large, 0, 1)[..., np.newaxis], 3, axis=-1)})
        return {"FAN": rows}


def _with_landmarks(crop: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32 BGR in [0, 1]: an uint8 RGB crop with landmarks drawn into it."""
    canvas = np.ascontiguousarray(crop[..., ::-1])
    return draw_landmarks(canvas, landmarks).astype(np.float32) / 255
