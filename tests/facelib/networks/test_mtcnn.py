"""MTCNN: against the public PyTorch implementation, and its own weights on real faces."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import tensorflow as tf

from core.imaging.io import read_image
from facelib.networks.mtcnn import ONet, PNet, RNet
from facelib.networks.mtcnn_detector import MTCNNDetector, _resized, _windows
from leras.graph import compile as compile_graph
from tests.facelib.checkpoints.make_options import MTCNN_MIN_SIZE, MTCNN_THRESHOLDS
from tests.facelib.checkpoints.public_reference import assert_close, our_state, public
from tests.facelib.checkpoints.random_weights import random_picture

PICTURES = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module", name="networks")
def fixture_networks():
    networks = PNet(), RNet(), ONet()
    for network, name in zip(networks, ("pnet", "rnet", "onet")):
        network.load_state(our_state("mtcnn", f"mtcnn_{name}"))
    return networks


@pytest.fixture(scope="module", name="detector")
def fixture_detector():
    return MTCNNDetector.load()


def test_sizes_are_those_of_the_released_networks(networks):
    assert [network.n_parameters() for network in networks] == [6_632, 100_178, 389_040]


def test_proposals_are_those_of_the_public_network(networks):
    picture = (random_picture(40, 42, 4)[np.newaxis] - np.float32(127.5)) / 128
    scores, offsets = compile_graph(networks[0], tf.TensorSpec((None, None, None, 3)))(picture)
    assert_close(scores[0], public("mtcnn")["pnet_1"][1])
    assert_close(offsets[0].transpose(2, 0, 1), public("mtcnn")["pnet_0"])


@pytest.mark.parametrize("number, name, side", [(1, "rnet", 24), (2, "onet", 48)])
def test_judgements_are_those_of_the_public_networks(networks, number, name, side):
    crop = (random_picture(side, side, 4)[np.newaxis] - np.float32(127.5)) / 128
    run = compile_graph(networks[number], tf.TensorSpec((None, side, side, 3)))
    score, offsets, *points = run(crop)
    *expected_points, expected_scores = (
        public("mtcnn")[f"{name}_{i}"] for i in range(1, 2 + len(points)))
    assert_close(offsets[0], public("mtcnn")[f"{name}_0"])
    assert_close(score, expected_scores[1:])
    for ours, theirs in zip(points, expected_points, strict=True):
        assert_close(ours[0], theirs)


@pytest.mark.parametrize("height, width", [(37, 50), (100, 150)])
def test_area_means_are_those_of_pytorch(height, width):
    picture = random_picture(90, 121, 5)
    means = _resized(cv2.integral(picture), _windows(0, 90, height), _windows(0, 121, width))
    np.testing.assert_allclose(means, public("mtcnn")[f"area_{height}_{width}"], atol=1e-4)


def test_faces_are_those_of_the_public_detector(networks):
    detector = MTCNNDetector(networks, thresholds=MTCNN_THRESHOLDS, min_face_size=MTCNN_MIN_SIZE)
    faces = sorted(detector.detect([random_picture(90, 121, 5)])[0], key=lambda face: -face.score)
    assert_close(np.array([[*face.box, face.score] for face in faces]), public("mtcnn")["faces"])
    assert_close(np.array([face.points for face in faces]), public("mtcnn")["points"])
    assert len(faces) == 20


@pytest.mark.parametrize("name, boxes", [
    ("single_face.jpg", [(191, 145, 373, 402)]),
    ("multi_face.jpg", [(683, 286, 791, 419), (531, 299, 633, 438), (316, 234, 409, 361),
                        (221, 65, 302, 174), (437, 213, 518, 308)]),
])
def test_shipped_weights_find_what_facenet_pytorch_finds(detector, name, boxes):
    faces = detector.detect([read_image(PICTURES / name)])[0]
    np.testing.assert_allclose([face.box for face in faces], boxes, atol=1.0)
    assert min(face.score for face in faces) > 0.99


def test_points_are_the_eyes_nose_and_mouth(detector):
    (face,) = detector.detect([read_image(PICTURES / "astronaut_nasa_pd.png")])[0]
    expected = [(200, 102), (247, 103), (222, 127), (199, 143), (240, 144)]  # of YuNet
    np.testing.assert_allclose(face.points, expected, atol=6)


def test_images_of_several_sizes_give_the_same_faces_together_as_alone(detector):
    images = [read_image(PICTURES / name) for name in ("multi_face.jpg", "single_face.jpg")]
    images += [images[1][:, ::-1].copy(), np.zeros((60, 80, 3), np.uint8),
               np.zeros((5, 300, 3), np.uint8), np.zeros((1, 1, 3), np.uint8)]
    together = detector.detect(images)
    assert [len(faces) for faces in together] == [5, 1, 1, 0, 0, 0]
    for faces, image in zip(together, images):
        for a, b in zip(faces, detector.detect([image])[0], strict=True):
            np.testing.assert_allclose(a.box, b.box, atol=0.05)


def test_small_faces_can_be_left_out(detector):
    image = read_image(PICTURES / "multi_face.jpg")
    assert len(MTCNNDetector.load(min_face_size=200).detect([image])[0]) < 5


@pytest.mark.parametrize("kind, shape", [
    (PNet, (30, 34)), (RNet, (24, 24)), (ONet, (48, 48))])
def test_gradients_reach_every_parameter(kind, shape):
    network = kind()
    network.initialize(np.random.default_rng(3))
    images = tf.random.stateless_normal((4, *shape, 3), (1, 2))
    variables = dict(network.named_variables())
    with tf.GradientTape() as tape:
        loss = tf.add_n([tf.reduce_sum(tf.square(y)) for y in network(images)])
    for path, gradient in zip(variables, tape.gradient(loss, list(variables.values()))):
        assert gradient is not None and np.abs(gradient).max() > 0, path
