"""Masks of a segmenter that was trained on another crop of the head than the swap model.

It is shown the crop that it knows: of the frame, and of the frame with the predicted face in its
place. What it says is then brought into the face square.
"""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from core.geometry import compose_affine, invert_affine
from core.imaging.warp import resize_square
from facelib.align import face_transform
from facelib.face_type import FaceType
from facelib.protocols import FaceSegmenter
from merger.faces import FaceToMerge
from merger.networks import SEGMENTER_SIDE, needed_networks
from merger.options import MergeOptions
from merger.paste import crop_for_prediction


def with_square_masks(
    frames: Sequence[np.ndarray],
    faces: Sequence[FaceToMerge],
    options: MergeOptions,
    segmenter: FaceSegmenter,
    face_type: FaceType,
) -> list[FaceToMerge]:
    """The same faces with the masks that the options need.

    Args:
        frames: Of each face, (H, W, 3) uint8 or uint16 BGR, as it came.
        faces: With their predictions.
        options: How they will be merged.
        segmenter: Its attribute `face_type`, if it has one, says which crop it knows.
        face_type: The swap model's.

    Returns:
        The faces as they are where the segmenter knows the swap model's crop, or none.
    """
    own, needed = getattr(segmenter, "face_type", face_type), needed_networks(options)
    if own == face_type or not faces or not (needed.xseg_prd or needed.xseg_dst):
        return list(faces)
    to_square = [_between(face.landmarks, own, face_type) for face in faces]
    crops = [crop_for_prediction(frame, face.landmarks, own, SEGMENTER_SIDE)
             for frame, face in zip(frames, faces, strict=True)]
    done = list(faces)
    if needed.xseg_prd:
        shown = [_put_over(crop, face.prediction.face, matrix)
                 for crop, face, matrix in zip(crops, faces, to_square)]
        masks = _in_square(segmenter.segment(np.stack(shown)), to_square)
        done = [replace(face, xseg_prd=mask) for face, mask in zip(done, masks)]
    if needed.xseg_dst:
        masks = _in_square(segmenter.segment(np.stack(crops)), to_square)
        done = [replace(face, xseg_dst=mask) for face, mask in zip(done, masks)]
    return done


def _between(landmarks: np.ndarray, one: FaceType, other: FaceType) -> np.ndarray:
    """(2, 3) from the pixels of one crop of SEGMENTER_SIDE to those of the other."""
    frame_to_one, frame_to_other = (face_transform(landmarks, SEGMENTER_SIDE, face_type)
                                    for face_type in (one, other))
    return compose_affine(invert_affine(frame_to_one), frame_to_other)


def _put_over(crop: np.ndarray, predicted: np.ndarray, crop_to_square: np.ndarray) -> np.ndarray:
    """The crop with the predicted face where dst's is."""
    face = resize_square(np.clip(predicted, 0, 1), SEGMENTER_SIDE)
    return cv2.warpAffine(face, crop_to_square, crop.shape[1::-1], dst=crop.copy(),
                          flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                          borderMode=cv2.BORDER_TRANSPARENT)


def _in_square(masks: np.ndarray, crop_to_square: Sequence[np.ndarray]) -> list[np.ndarray]:
    """(N, S, S, 1) masks of crops -> (S, S, 1) each, of face squares; 0 beyond the crop."""
    return [cv2.warpAffine(mask, matrix, mask.shape[1::-1], flags=cv2.INTER_LINEAR,
                           borderMode=cv2.BORDER_CONSTANT)[..., np.newaxis]
            for mask, matrix in zip(masks, crop_to_square, strict=True)]
