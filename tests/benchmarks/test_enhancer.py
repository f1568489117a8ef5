"""The benchmark of FaceEnhancer measures what it says, on drawn faces."""

import cv2
import numpy as np
import pytest

from benchmarks import enhancer
from facelib.face_type import FaceType
from facelib.masks import hull_mask
from samplelib.face_image import read_face, write_face
from samplelib.face_info import FaceInfo
from tests.samplelib.conftest import draw_face, mean_landmarks


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept") / "plain"
    folder.mkdir()
    landmarks = mean_landmarks(enhancer.SIDE, FaceType.WHOLE_FACE)
    rng = np.random.default_rng(0)
    for number in range(10):
        face = draw_face(landmarks, enhancer.SIDE, 60 + 9 * number)
        freckles = cv2.GaussianBlur(rng.normal(0, 20, face.shape[:2]), (0, 0), 1.0)[..., None]
        face = np.clip(face + 3 * freckles, 0, 255).astype(np.uint8)
        write_face(folder / f"{number:02d}.jpg", face, FaceInfo(FaceType.WHOLE_FACE, landmarks))
    return sorted(folder.glob("*.jpg"))


def test_the_last_fifth_is_never_learned(paths):
    learned, held_out = enhancer.split(paths[0].parents[1])
    assert [path.name for path in held_out] == ["08.jpg", "09.jpg"]
    assert sorted(path.name for path in learned.iterdir()) == [f"{n:02d}.jpg" for n in range(8)]


def test_the_face_itself_is_without_error_and_an_error_is_told_in_levels(paths):
    faces = iter([read_face(path)[0] / np.float32(255) for path in paths])
    small = enhancer.small_faces(paths, 0.0)
    error, structure, edges = enhancer.figures(lambda _: next(faces), small, paths)
    assert error < 0.01 and structure > 0.9999 and edges == pytest.approx(1, abs=1e-3)
    brighter = iter([np.minimum(read_face(path)[0] + 4.0, 255).astype(np.float32) / 255
                     for path in paths])
    error, _, _ = enhancer.figures(lambda _: next(brighter), small, paths)
    inside = [read_face(path)[0][hull_mask((enhancer.SIDE,) * 2, read_face(path)[1].landmarks)
                                 [..., 0] > 0.5] for path in paths]
    assert error == pytest.approx(np.mean([np.minimum(255 - face.astype(float), 4).mean()
                                           for face in inside]), abs=0.1)


def test_what_was_softened_is_farther_off_than_what_was_not(paths):
    plain, soft = (enhancer.figures(enhancer.cubic, enhancer.small_faces(paths, softness), paths)
                   for softness in (0.0, 0.5))
    assert 0 < plain[0] < soft[0] and soft[1] < plain[1] < 1 and plain[2] < 1


def test_the_sheet_shows_each_way_beside_the_face(paths):
    small = enhancer.small_faces(paths, 0.0)
    picture = enhancer.sheet({"cubic": enhancer.cubic, "again": enhancer.cubic}, small, paths)
    side = enhancer.SIDE
    assert picture.shape == (enhancer.N_SHOWN * side, 3 * side, 3)
    np.testing.assert_array_equal(picture[:, :side], picture[:, side:2 * side])
    np.testing.assert_array_equal(picture[:side, 2 * side:], read_face(paths[0])[0])
