"""A second look at faces, where they stand upright and have one size."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.geometry import invert_affine, transform_points
from facelib.align import crop_face, face_transform
from facelib.face_type import FaceType
from facelib.protocols import FaceDetector, LandmarkExtractor
from facelib.types import FoundFace

_SIDE = 256


def refine(
    images: Sequence[np.ndarray],
    found: Sequence[Sequence[FoundFace]],
    detector: FaceDetector,
    landmarker: LandmarkExtractor,
) -> list[list[FoundFace]]:
    """Finds the landmarks once more in each aligned face.

    Helps extractors that go by the detector's box alone. Where the detector sees no face in the
    crop, or more than one, or the extractor none, the first landmarks stay.

    Args:
        images: (H, W, 3) uint8 BGR each.
        found: The faces of each image.
        detector, landmarker: As they found them.

    Returns:
        The same faces with new landmarks, all in pixels of the images.
    """
    places = [(number, k) for number, faces in enumerate(found) for k in range(len(faces))]
    matrices = [face_transform(found[number][k].landmarks, _SIDE, FaceType.FULL)
                for number, k in places]
    crops = [crop_face(images[number], matrix, _SIDE)
             for (number, _), matrix in zip(places, matrices)]
    detected = detector.detect(crops) if crops else []
    boxes = [faces if len(faces) == 1 else [] for faces in detected]
    refined = [list(faces) for faces in found]
    for (number, k), matrix, points in zip(places, matrices, landmarker.extract(crops, boxes)):
        if len(points) and np.isfinite(points).all():
            in_image = transform_points(points[0], invert_affine(matrix))
            refined[number][k] = replace(found[number][k],
                                         landmarks=np.asarray(in_image, np.float32))
    return refined
