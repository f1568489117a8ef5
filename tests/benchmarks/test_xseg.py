"""The benchmark of segmenters measures what it says, on drawn faces."""

import numpy as np
import pytest

from benchmarks import xseg
from core.polygons import polygon_mask
from core.prompt import SilentPrompter
from core.report import SilentReporter
from facelib.face_type import FaceType
from samplelib.face_image import read_face, read_info, write_face
from samplelib.face_info import FaceInfo
from samplelib.face_labels import decode_mask, known_mask
from tests.samplelib.conftest import draw_face, mean_landmarks

SIDE = 256


class Oracle:
    """Gives the masks that it was told, in order."""

    face_type = FaceType.WHOLE_FACE

    def __init__(self, masks):
        self._masks = np.stack(list(masks))

    def segment(self, faces):
        assert faces.shape == (len(self._masks), SIDE, SIDE, 3)
        return self._masks


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    landmarks = mean_landmarks(SIDE, FaceType.WHOLE_FACE)
    for number in range(12):
        write_face(folder / f"{number:02d}.jpg", draw_face(landmarks, SIDE, 30 + 15 * number),
                   FaceInfo(FaceType.WHOLE_FACE, landmarks))
    return folder


@pytest.fixture(scope="module")
def faces(plain, tmp_path_factory):
    return xseg.occluded(plain, tmp_path_factory.mktemp("occluded"))


def test_a_plain_script_and_apply_mask_alike(plain, tmp_path):
    faces = xseg.repeated(plain, tmp_path / "faces", 14)
    assert [path.name for path in sorted(faces.iterdir())][-2:] == ["000012_0.jpg", "000013_0.jpg"]
    assert (faces / "000013_0.jpg").read_bytes() == (plain / "01.jpg").read_bytes()
    xseg.mask_singly(faces)
    singly = [read_info(path) for path in sorted(faces.iterdir())]
    xseg.apply(xseg.ApplyOptions(faces, yes=True), SilentReporter(), SilentPrompter())
    for before, path in zip(singly, sorted(faces.iterdir()), strict=True):
        info = read_info(path)
        assert (before.xseg_origin, info.xseg_origin) == (
            "one at a time", "FaceLab's starter XSeg, wf")
        np.testing.assert_allclose(decode_mask(info.xseg_mask), decode_mask(before.xseg_mask),
                                   atol=1.01 / 255)


def test_most_faces_have_things_in_front_and_their_masks_know_it(plain, faces):
    hull = known_mask(read_face(plain / "00.jpg")[1], SIDE)
    changed = [path for path, mask in faces.items() if (mask != hull).any()]
    assert len(faces) == 12 and 5 <= len(changed) <= 11
    for path, mask in faces.items():
        assert (mask <= hull).all()
        before, after = (read_face(folder / path.name)[0].astype(int)
                         for folder in (plain, path.parent))
        # Where only little was drawn, a face is the same but for its compression.
        assert path in changed or np.abs(before - after).mean() < 6


def test_labels_are_polygons_around_the_true_masks(faces, tmp_path):
    folder = xseg.label(faces, 4, tmp_path / "labels")
    paths = sorted(folder.glob("*.jpg"))
    assert [path.name for path in paths] == ["00.jpg", "04.jpg", "07.jpg", "11.jpg"]
    masks = {path.name: mask for path, mask in faces.items()}
    for path in paths:
        drawn = polygon_mask((SIDE, SIDE), read_face(path)[1].polygons) > 0.5
        true = masks[path.name] > 0.5
        assert (drawn & true).sum() / (drawn | true).sum() > 0.9


def test_the_overlap_of_the_truth_is_one_and_of_half_of_it_a_half(faces):
    assert xseg.overlap(Oracle(faces.values()), faces) > 0.995
    halves = []
    for mask in faces.values():
        rows = np.cumsum(mask.sum((1, 2)))
        half = mask.copy()
        half[np.searchsorted(rows, rows[-1] / 2):] = 0
        halves.append(half)
    assert xseg.overlap(Oracle(halves), faces) == pytest.approx(0.5, abs=0.03)
