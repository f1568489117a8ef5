"""A face on its way into the frame, with all that networks said of it."""

from dataclasses import dataclass

import numpy as np

from facelib.types import SwapPrediction


@dataclass(frozen=True, eq=False)
class StoredMask:
    """A mask that an aligned face carries.

    Attributes:
        mask: (h, w, 1) float32 in [0, 1].
        frame_to_mask: (2, 3) float, pixels of the frame to pixels of the mask.
    """

    mask: np.ndarray
    frame_to_mask: np.ndarray


@dataclass(frozen=True, eq=False)
class FaceToMerge:
    """One face of a frame with what the model made of it.

    Attributes:
        landmarks: (68, 2) float, of dst, pixels of the frame.
        prediction: Of this face alone: `face` (R, R, 3), `face_mask` and `dst_mask` (R, R, 1) or
            None, float32 in [0, 1]; see `prediction_of`.
        crop: (R, R, 3) float32 BGR in [0, 1], what the model was shown, from the frame as it came;
            None has it cut out again when it is needed.
        xseg_prd, xseg_dst: (S, S, 1) float32 in [0, 1] over the face square, what a segmenter says
            of the predicted face and of the dst face; None where the mask mode needs neither.
        enhanced: (S, S, 3) float32 BGR in [0, 1] over the face square, what an enhancer made of the
            predicted face; None where it is not wanted.
        stored_mask: The one of the dst faceset, or None.
        eyebrows_expand: How far the hull of the landmarks reaches above the brows; 1 is normal.
        motion: (x, y) pixels of the frame that the face moves from the frame before to the one
            after.
        steady_map: (3, 4) float, takes the dst face's colours (b, g, r, 1) to what they are without
            their flicker (`merger.color_memory`); None leaves them.
    """

    landmarks: np.ndarray
    prediction: SwapPrediction
    crop: np.ndarray | None = None
    xseg_prd: np.ndarray | None = None
    xseg_dst: np.ndarray | None = None
    enhanced: np.ndarray | None = None
    stored_mask: StoredMask | None = None
    eyebrows_expand: float = 1.0
    motion: tuple[float, float] = (0.0, 0.0)
    steady_map: np.ndarray | None = None


def checked_face(face: FaceToMerge) -> np.ndarray:
    """The predicted face, (R, R, 3) float32 in [0, 1].

    Raises:
        ValueError: It holds values that are not finite.
    """
    return _checked(face.prediction.face, "predicted")


def checked_enhanced(face: FaceToMerge) -> np.ndarray:
    """The enhanced face, (S, S, 3) float32 in [0, 1].

    Raises:
        ValueError: There is none, or it holds values that are not finite.
    """
    if face.enhanced is None:
        raise ValueError("super_resolution_power needs the face that an enhancer made")
    return _checked(face.enhanced, "enhanced")


def _checked(picture: np.ndarray, name: str) -> np.ndarray:
    picture = np.clip(picture, 0.0, 1.0)
    if not np.isfinite(picture).all():
        raise ValueError(f"the {name} face holds values that are not finite")
    return picture
