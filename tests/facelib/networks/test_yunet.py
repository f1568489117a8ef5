"""YuNet: against its released graph in NumPy, and against OpenCV's own detector."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.imaging.io import read_image
from facelib.networks.yunet import load_yunet
from facelib.networks.yunet_detector import YuNetDetector
from leras.graph import compile as compile_graph
from leras.graph import image_spec

PICTURES = Path(__file__).parents[2] / "data"

# Boxes x1, y1, x2, y2 and scores by cv2.FaceDetectorYN from the ONNX file, long side 640 pixels.
OPENCV_FACES = {
    "multi_face.jpg": [
        ((685.9, 288.7, 788.9, 423.7), 0.940),
        ((531.3, 304.7, 631.5, 436.2), 0.944),
        ((313.8, 235.5, 409.1, 359.1), 0.932),
        ((215.8, 61.7, 306.1, 175.3), 0.922),
        ((434.2, 218.4, 514.9, 314.4), 0.938),
    ],
    "single_face.jpg": [((191.4, 147.0, 373.3, 399.2), 0.950)],
    "astronaut_nasa_pd.png": [((178.0, 62.6, 268.4, 176.4), 0.931)],
}
ASTRONAUT_POINTS = [(200.1, 101.8), (247.2, 102.6), (220.3, 124.7), (198.9, 143.2), (239.8, 143.9)]


@pytest.fixture(scope="module", name="detector")
def fixture_detector():
    return YuNetDetector.load()


def test_network_agrees_with_its_released_graph(run_yunet_graph):
    image = cv2.resize(read_image(PICTURES / "astronaut_nasa_pd.png"), (160, 128))
    network = load_yunet()
    maps = compile_graph(network, image_spec(128, 160, 3))(image[np.newaxis])
    expected = run_yunet_graph(image)
    for level, ours in enumerate(maps):
        flat = ours.reshape(1, -1, 16)
        for part, array in zip((0, 1, slice(2, 6), slice(6, 16)), expected[level::3]):
            difference = np.abs(flat[..., part].reshape(array.shape) - array).max()
            assert difference / np.abs(array).max() < 1e-4


@pytest.mark.parametrize("name", OPENCV_FACES)
def test_faces_are_those_opencv_finds(detector, name):
    faces = detector.detect([read_image(PICTURES / name)])[0]
    assert len(faces) == len(OPENCV_FACES[name])
    for face, (box, score) in zip(faces, OPENCV_FACES[name]):
        np.testing.assert_allclose(face.box, box, atol=0.3)
        assert face.box.dtype == np.float32
        assert face.score == pytest.approx(score, abs=0.002)


def test_points_are_those_opencv_finds(detector):
    face = detector.detect([read_image(PICTURES / "astronaut_nasa_pd.png")])[0][0]
    np.testing.assert_allclose(face.points, ASTRONAUT_POINTS, atol=0.2)


def test_images_of_several_sizes_give_the_same_faces_together_as_alone(detector):
    images = [read_image(PICTURES / name) for name in OPENCV_FACES]
    images += [images[0][:, ::-1].copy(), np.zeros((17, 900, 3), np.uint8)]
    together = detector.detect(images)
    assert [len(faces) for faces in together] == [5, 1, 1, 5, 0]
    for faces, image in zip(together, images):
        alone = detector.detect([image])[0]
        for a, b in zip(faces, alone, strict=True):
            np.testing.assert_allclose(a.box, b.box, atol=0.05)


def test_full_batches_and_a_rest_are_all_detected():
    image = cv2.resize(read_image(PICTURES / "astronaut_nasa_pd.png"), (192, 192))
    found = YuNetDetector.load(batch_size=2).detect([image] * 5)
    assert [len(faces) for faces in found] == [1] * 5


def test_faces_are_sorted_largest_first_and_small_ones_can_be_left_out():
    image = read_image(PICTURES / "multi_face.jpg")
    faces = YuNetDetector.load(min_face_size=100).detect([image])[0]
    assert len(faces) == 2
    assert faces[0].area > faces[1].area > 100 * 100


def test_noise_and_flat_pictures_have_no_face(detector):
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
    assert detector.detect([noise, np.full((64, 64, 3), 128, np.uint8)]) == [[], []]


def test_no_images_give_no_faces(detector):
    assert detector.detect([]) == []


@pytest.mark.parametrize(
    "image", [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3)), np.zeros((0, 9, 3), np.uint8)]
)
def test_wrong_arrays_are_refused(detector, image):
    with pytest.raises(ValueError, match="uint8 wanted"):
        detector.detect([image])
