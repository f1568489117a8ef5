"""New faces by themselves, for other programs to put in."""

from dataclasses import dataclass

import numpy as np

from core.imaging.warp import resize_square
from facelib.face_type import FaceType
from merger.color_transfer import SEED
from merger.faces import FaceToMerge
from merger.options import MergeOptions
from merger.paste import paste_transform, scaled_transform
from merger.square import finished_face, mask_in_square


@dataclass(frozen=True, eq=False)
class FacePatch:
    """One new face with its mask and its place.

    Attributes:
        picture: (S, S, 3) float32 BGR in [0, 1], after the colour transfer and all that is done in
            the face square; not multiplied by the mask.
        mask: (S, S, 1) float32 in [0, 1], eroded and blurred.
        frame_to_patch: (2, 3) float64, pixels of the frame to pixels of the patch.
    """

    picture: np.ndarray
    mask: np.ndarray
    frame_to_patch: np.ndarray


def face_patch(
    frame: np.ndarray,
    face: FaceToMerge,
    options: MergeOptions,
    face_type: FaceType,
    seed: int = SEED,
) -> FacePatch:
    """What `merge_frame` would put in, before that.

    What modes do in the frame (seamless, laplacian) is left to whoever puts the face in.

    Args:
        frame: (H, W, 3) uint8 or uint16 BGR, as it came.
        face: With its prediction and what the options need beside it.
        options: How to merge.
        face_type: The model's.
        seed: Of the colour transfers with random directions.

    Raises:
        ValueError: As `merge_frame`.
    """
    frame_to_square = paste_transform(face.landmarks, face_type)
    mask = mask_in_square(face, frame_to_square, options)
    picture = finished_face(frame, face, frame_to_square, mask, options, face_type, seed)
    side = picture.shape[0]
    placed = scaled_transform(frame_to_square, face.landmarks, options.output_face_scale)
    return FacePatch(picture, resize_square(mask, side), placed * side)
