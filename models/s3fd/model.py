"""S3FD as it is trained."""

from collections.abc import Mapping

import cv2
import numpy as np
import tensorflow as tf

from facelib.anchors import anchors
from facelib.drawing import BOX, LANDMARKS
from facelib.networks.s3fd import S3FD
from facelib.networks.s3fd_detector import S3FDDetector, decoded
from leras.initializers import he_normal
from models.photo_data import PHOTOS
from models.preview import PreviewRow
from models.s3fd.loss import detection_loss
from models.s3fd.matching import FACE
from models.s3fd.options import S3FDOptions
from models.single_network import Loss, SingleNetworkModel
from models.training_parts import slice_size
from samplelib.batch_stream import Batch


class S3FDModel(SingleNetworkModel):
    """Learns to find faces in pictures made of photographs."""

    options_type = S3FDOptions
    part, source = "s3fd", PHOTOS

    def __init__(self, options: S3FDOptions):
        n, side = slice_size(options), options.scene_side
        self._anchors = anchors(side, side)
        n_anchors = len(self._anchors)
        network = S3FD(width=options.width, initializer=he_normal)
        super().__init__(options, network, {
            "image": tf.TensorSpec((n, side, side, 3), tf.uint8),
            "classes": tf.TensorSpec((n, n_anchors), tf.int8),
            "offsets": tf.TensorSpec((n, n_anchors, 4), tf.float32)})
        # In previews nothing is halved or moved: what the network says is what is shown.
        self._detector = S3FDDetector(network, halve=False, grow_bottom=0.0)

    def loss(self, samples: Mapping[str, tf.Tensor]) -> Loss:
        levels = self.network(tf.cast(samples["image"], tf.float32))
        return detection_loss(levels, samples["classes"], samples["offsets"])

    def preview(self, batches: Mapping[str, Batch]) -> dict[str, list[PreviewRow]]:
        """Pictures with the boxes that the anchors should give, and with those that are found."""
        batch = batches[PHOTOS]
        found = self._detector.detect(list(batch["image"]))
        rows = []
        for image, classes, offsets, faces in zip(*(batch[name] for name in (
                "image", "classes", "offsets")), found, strict=True):
            of_faces = classes == FACE
            wanted = decoded(self._anchors[of_faces], offsets[of_faces])
            rows.append({"labels": _with_boxes(image, wanted, LANDMARKS),
                         "found": _with_boxes(image, [face.box for face in faces], BOX)})
        return {"S3FD": rows}


def _with_boxes(image: np.ndarray, boxes, color: tuple[int, int, int]) -> np.ndarray:
    """(H, W, 3) float32 BGR in [0, 1]: an uint8 picture with boxes drawn into it."""
    canvas = image.copy()
    for box in boxes:
        x1, y1, x2, y2 = np.rint(box).astype(int).tolist()
        cv2.rectangle(canvas, (x1, y1), (x2, y2), color, 1)
    return canvas.astype(np.float32) / 255
