"""The XSeg that comes with FaceLab, on a face that it was not trained on."""

import cv2
import numpy as np
import pytest

from core.geometry import transform_points
from facelib.align import crop_face, face_transform
from facelib.detect import find_faces
from facelib.face_type import FaceType
from facelib.masks import hull_mask
from facelib.networks.xseg_segmenter import XSegSegmenter
from facelib.registry import DETECTORS, LANDMARKERS
from facelib.weights import WEIGHTS, WEIGHTS_FOLDER

SIDE = 128
OVERLAP = 0.85


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory):
    """Whatever the user of this machine has imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACELAB_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        return XSegSegmenter.load(batch_size=2)


@pytest.fixture(scope="module")
def face():
    """(aligned whole face (SIDE, SIDE, 3) float32, hull of its landmarks) of a demo clip."""
    clip = cv2.VideoCapture(str(WEIGHTS_FOLDER.parents[1] / "demo" / "src_woman.mp4"))
    frame = clip.read()[1]
    clip.release()
    (found,), = find_faces([frame], DETECTORS.load("yunet")(), LANDMARKERS.load("facemesh")())
    frame_to_face = face_transform(found.landmarks, SIDE, FaceType.WHOLE_FACE)
    image = crop_face(frame, frame_to_face, SIDE).astype(np.float32) / 255
    return image, hull_mask((SIDE, SIDE), transform_points(found.landmarks, frame_to_face)) > 0.5


def overlap(mask, hull):
    found = mask > 0.5
    return (found & hull).sum() / (found | hull).sum()


def test_it_masks_a_face(segmenter, face):
    image, hull = face
    assert segmenter.face_type is FaceType.WHOLE_FACE
    assert overlap(segmenter.segment(image[None])[0], hull) > OVERLAP


def test_a_sheet_in_front_of_the_face_is_left_out(segmenter, face):
    """White from the nose down, at a slant: what it hides counts much less."""
    image, hull = face
    y, x = np.mgrid[:SIDE, :SIDE]
    sheet = (y - 0.1 * x > 0.52 * SIDE)[..., None]
    masks = segmenter.segment(np.stack([image, np.where(sheet, np.float32(0.95), image)]))
    before, after = (mask[sheet & hull].mean() for mask in masks)
    assert before > 0.8 and after < 0.5 * before


def test_it_is_small():
    assert WEIGHTS["xseg"].n_bytes < 10_000_000
