"""RetinaFace: against the public PyTorch implementation, and its own weights on real faces."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from core.imaging.io import read_image
from facelib.networks.retinaface import RetinaFace
from facelib.networks.retinaface_detector import RetinaFaceDetector
from leras.graph import compile as compile_graph
from tests.facelib.checkpoints.make_options import RETINAFACE_THRESHOLD
from tests.facelib.checkpoints.public_reference import assert_close, our_state, public
from tests.facelib.checkpoints.random_weights import random_picture

PICTURES = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module", name="network")
def fixture_network():
    network = RetinaFace()
    network.load_state(our_state("retinaface", "retinaface"))
    return network


@pytest.fixture(scope="module", name="detector")
def fixture_detector():
    return RetinaFaceDetector.load()


def test_outputs_are_those_of_the_public_network(network):
    assert network.n_parameters() == 423_264
    levels = compile_graph(network, tf.TensorSpec((None, None, None, 3)))(
        random_picture(102, 150, 3)[np.newaxis])

    def cells(start, end, width):
        return np.concatenate([level[0, ..., start:end].reshape(-1, width) for level in levels])

    logits = cells(0, 4, 2).astype(np.float64)
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert_close(scores, public("retinaface")["scores"])
    assert_close(cells(4, 12, 4), public("retinaface")["boxes"])
    assert_close(cells(12, 32, 10), public("retinaface")["points"])


def test_faces_are_those_of_the_public_detector(network):
    detector = RetinaFaceDetector(network, score_threshold=RETINAFACE_THRESHOLD)
    faces = sorted(detector.detect([random_picture(102, 150, 3)])[0],
                   key=lambda face: -face.score)
    expected = public("retinaface")["faces"]
    assert_close(np.array([[*face.box, face.score] for face in faces]), expected)
    assert len(faces) > 100


@pytest.mark.parametrize("name, boxes", [
    ("single_face.jpg", [(191.4, 147.0, 373.3, 399.2)]),
    ("astronaut_nasa_pd.png", [(178.0, 62.6, 268.4, 176.4)]),
    ("multi_face.jpg", [(685.9, 288.7, 788.9, 423.7), (313.8, 235.5, 409.1, 359.1),
                        (531.3, 304.7, 631.5, 436.2), (215.8, 61.7, 306.1, 175.3),
                        (434.2, 218.4, 514.9, 314.4)]),
])
def test_shipped_weights_find_the_faces_that_opencv_finds(detector, name, boxes):
    faces = detector.detect([read_image(PICTURES / name)])[0]
    np.testing.assert_allclose([face.box for face in faces], boxes, atol=12)
    assert min(face.score for face in faces) > 0.99


def test_points_are_the_eyes_nose_and_mouth(detector):
    (face,) = detector.detect([read_image(PICTURES / "astronaut_nasa_pd.png")])[0]
    expected = [(200, 102), (247, 103), (222, 127), (199, 143), (240, 144)]  # of YuNet
    np.testing.assert_allclose(face.points, expected, atol=6)


def test_images_of_several_sizes_give_the_same_faces_together_as_alone(detector):
    images = [read_image(PICTURES / name) for name in ("multi_face.jpg", "single_face.jpg")]
    images += [images[1][:, ::-1].copy(), np.zeros((17, 900, 3), np.uint8),
               np.zeros((1, 1, 3), np.uint8)]
    together = detector.detect(images)
    assert [len(faces) for faces in together] == [5, 1, 1, 0, 0]
    for faces, image in zip(together, images):
        for a, b in zip(faces, detector.detect([image])[0], strict=True):
            np.testing.assert_allclose(a.box, b.box, atol=0.05)


def test_small_faces_can_be_left_out():
    image = read_image(PICTURES / "multi_face.jpg")
    faces = RetinaFaceDetector.load(min_face_size=100).detect([image])[0]
    assert len(faces) == 1


def test_gradients_reach_every_parameter():
    network = RetinaFace()
    network.initialize(np.random.default_rng(3))
    images = tf.constant(random_picture(64, 96)[np.newaxis], tf.float32)
    variables = dict(network.named_variables())
    with tf.GradientTape() as tape:
        loss = tf.add_n([tf.reduce_sum(tf.square(y)) for y in network(images)])
    for path, gradient in zip(variables, tape.gradient(loss, list(variables.values()))):
        assert gradient is not None and np.abs(gradient).max() > 0, path
