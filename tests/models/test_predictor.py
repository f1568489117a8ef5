"""The predictor computes what is asked for, and nothing else."""

import numpy as np
import pytest
import tensorflow as tf

from facelib.face_type import FaceType
from models.predictor import CompiledPredictor
from models.quick96.model import Quick96Model
from tests.models.tiny import OPTIONS

SUBSETS = [(True, True), (True, False), (False, True), (False, False)]


@pytest.fixture(scope="module")
def predictor():
    return Quick96Model(OPTIONS).predictor()


def faces(n, seed=0):
    return np.random.default_rng(seed).random((n, 64, 64, 3), np.float32)


@pytest.mark.parametrize("face_mask, dst_mask", SUBSETS)
def test_a_subset_of_the_outputs_equals_that_of_the_full_call(predictor, face_mask, dst_mask):
    full = predictor(faces(2))
    part = predictor(faces(2), face_mask=face_mask, dst_mask=dst_mask)
    np.testing.assert_allclose(part.face, full.face, atol=1e-6)
    for wanted, got, expected in ((face_mask, part.face_mask, full.face_mask),
                                  (dst_mask, part.dst_mask, full.dst_mask)):
        if wanted:
            np.testing.assert_allclose(got, expected, atol=1e-6)
        else:
            assert got is None


def test_predictions_have_the_shape_of_the_faces_and_lie_in_0_1(predictor):
    assert (predictor.resolution, predictor.face_type) == (64, FaceType.FULL)
    for n in (1, 3):
        prediction = predictor(faces(n))
        assert prediction.face.shape == (n, 64, 64, 3)
        assert prediction.face_mask.shape == prediction.dst_mask.shape == (n, 64, 64, 1)
        for array in (prediction.face, prediction.face_mask, prediction.dst_mask):
            assert array.dtype == np.float32
            assert 0 <= array.min() and array.max() <= 1


def test_a_face_is_predicted_alike_alone_and_among_others(predictor):
    together = predictor(faces(3))
    alone = predictor(faces(3)[1:2])
    np.testing.assert_allclose(alone.face[0], together.face[1], atol=1e-5)
    np.testing.assert_allclose(alone.dst_mask[0], together.dst_mask[1], atol=1e-5)


def test_only_the_asked_outputs_are_computed_and_each_combination_is_traced_once():
    computed, traced = [], []

    def output(name):
        def compute(code):
            traced.append(name)
            with tf.control_dependencies([tf.py_function(
                    lambda: computed.append(name), [], [])]):
                return tf.identity(code)

        return compute

    predictor = CompiledPredictor(8, FaceType.FULL, lambda x: 2 * x, {
        name: output(name) for name in ("face", "face_mask", "dst_mask")})
    batch = np.full((1, 8, 8, 3), 0.25, np.float32)
    for face_mask, dst_mask in SUBSETS:
        asked = ["face", *["face_mask"] * face_mask, *["dst_mask"] * dst_mask]
        for _ in range(2):
            computed.clear()
            prediction = predictor(batch, face_mask=face_mask, dst_mask=dst_mask)
            assert sorted(computed) == sorted(asked)
            assert np.all(prediction.face == 0.5)
    assert traced.count("face") == 4 and traced.count("dst_mask") == 2


def test_the_predictor_follows_the_weights(predictor):
    """Training on and predicting in between needs no new predictor."""
    model = Quick96Model(OPTIONS)
    before = model.predictor()(faces(1)).face
    model.load_state(model.state() | {"inter": {
        path: array * 0.5 for path, array in model.state()["inter"].items()}})
    assert np.abs(model.predictor()(faces(1)).face - before).max() > 1e-4


def test_further_values_reach_the_graph_without_a_new_trace():
    traced = []

    def face(codes):
        traced.append(1)
        return codes

    predictor = CompiledPredictor(8, FaceType.FULL, lambda x, factor: x * factor, {"face": face},
                                  (2.0,))
    batch = np.full((1, 8, 8, 3), 0.25, np.float32)
    halved = predictor.at(0.5)
    for used, expected in ((predictor, 0.5), (halved, 0.125), (predictor, 0.5)):
        face_only = used(batch, face_mask=False, dst_mask=False).face
        assert np.all(face_only == expected)
    assert len(traced) == 1
    assert (halved.resolution, halved.face_type) == (8, FaceType.FULL)
