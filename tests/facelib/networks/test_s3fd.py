"""S3FD: against the public PyTorch implementation, and its choice of boxes against plain loops."""

import math

import numpy as np
import pytest
import tensorflow as tf

from facelib.anchors import STRIDES
from facelib.networks.s3fd import S3FD, L2Norm
from facelib.networks.s3fd_detector import S3FDDetector
from facelib.user_weights import Weights
from leras.graph import compile as compile_graph
from tests.facelib.checkpoints.public_reference import assert_close, our_state, public
from tests.facelib.checkpoints.random_weights import random_picture

ANY_SIZE = tf.TensorSpec((None, None, None, 3), tf.float32)


@pytest.fixture(scope="module", name="network")
def fixture_network():
    network = S3FD()
    network.load_state(our_state("s3fd", "s3fd"))
    return network


@pytest.fixture(scope="module", name="tiny")
def fixture_tiny():
    network = S3FD(width=1 / 16)
    network.initialize(np.random.default_rng(2))
    return network


def test_size_is_that_of_the_released_network(network):
    assert network.n_parameters() == 22_459_110
    assert len(network.state()) == 65


def test_outputs_are_those_of_the_public_network(network):
    levels = compile_graph(network, ANY_SIZE)(random_picture(128, 160)[np.newaxis])
    for number, level in enumerate(levels):
        assert_close(level[0].transpose(2, 0, 1), public("s3fd")[f"level{number}"])


def test_faces_are_those_of_the_public_detector(network):
    detector = S3FDDetector(network, halve=False, grow_bottom=0.0)
    faces = sorted(detector.detect([random_picture(128, 160)])[0], key=lambda face: -face.score)
    expected = public("s3fd")["faces"]
    ours = np.array([[*face.box, face.score] for face in faces])
    assert_close(ours, expected)
    assert len(ours) > 50 and expected[:, 4].min() > 0.5


def boxes_by_loops(levels, scale):
    """The specification of DeepFaceLab's detector, cell by cell and pair by pair."""
    candidates = []
    for stride, level in zip(STRIDES, levels):
        for row, cells in enumerate(level[0].astype(float)):
            for column, (background, face, a0, a1, a2, a3) in enumerate(cells):
                p = math.exp(face) / (math.exp(face) + math.exp(background))
                if p <= 0.05:
                    continue
                size = 4 * stride
                x, y = (k * stride + stride / 2 + 0.1 * a * size
                        for k, a in ((column, a0), (row, a1)))
                w, h = size * math.exp(0.2 * a2), size * math.exp(0.2 * a3)
                candidates.append((p, x - w / 2, y - h / 2, x + w / 2, y + h / 2))
    kept = []
    for box in sorted(candidates, reverse=True):
        if all(overlap(box[1:], other[1:]) <= 0.3 for other in kept):
            kept.append(box)
    faces = []
    for p, *box in kept:
        left, top, right, bottom = (int(c) * scale for c in box)
        if p >= 0.5 and min(right - left, bottom - top) >= 40:
            bottom += 0.1 * (bottom - top)
            faces.append((int(left), int(top), int(right), int(bottom)))
    return sorted(faces, key=lambda b: -(b[2] - b[0]) * (b[3] - b[1]))


def overlap(a, b):
    w = max(0, min(a[2], b[2]) - max(a[0], b[0]) + 1)
    h = max(0, min(a[3], b[3]) - max(a[1], b[1]) + 1)
    areas = [(c[2] - c[0] + 1) * (c[3] - c[1] + 1) for c in (a, b)]
    return w * h / (sum(areas) - w * h)


def test_whole_pixels_give_the_boxes_of_the_specification(tiny):
    detector = S3FDDetector(tiny, whole_pixels=True, min_face_size=40)
    image = np.repeat(np.repeat(random_picture(96, 140), 2, axis=0), 2, axis=1)
    ours = [tuple(face.box.astype(int)) for face in detector.detect([image])[0]]
    levels = compile_graph(tiny, ANY_SIZE)(image[np.newaxis, ::2, ::2])
    expected = boxes_by_loops(levels, 2)
    assert len(expected) >= 3
    assert ours == expected


@pytest.mark.parametrize("size, input_size", [
    ((360, 640), (180, 320)), ((720, 1280), (360, 640)), ((1080, 1920), (360, 640)),
    ((131, 200), (65, 100)), ((100, 90), (71, 64)), ((30, 40), (64, 64)),
    ((8, 3000), (64, 3000)), ((1, 1), (64, 64)),
])
def test_input_is_half_the_picture_and_never_too_small(tiny, size, input_size):
    detector = S3FDDetector(tiny)
    spec = tf.TensorSpec((None, *input_size, 3), tf.uint8)
    detector._run = compile_graph(
        lambda images: [y[..., 1:] for y in tiny(tf.cast(images, tf.float32))], spec)
    # A picture of another size would not fit the graph.
    assert isinstance(detector.detect([np.zeros((*size, 3), np.uint8)])[0], list)


def test_images_of_several_sizes_give_the_same_faces_together_as_alone(tiny):
    detector = S3FDDetector(tiny, batch_size=2)
    sizes = ((150, 200), (200, 150), (150, 200), (150, 200), (70, 64))
    images = [random_picture(*size, seed) for seed, size in enumerate(sizes)]
    for faces, image in zip(detector.detect(images), images, strict=True):
        alone = detector.detect([image])[0]
        assert len(alone) > 0
        for a, b in zip(faces, alone, strict=True):
            np.testing.assert_allclose(a.box, b.box, atol=0.01)


def detector_that_sees(network, boxes, **options):
    """Finds these boxes in an input of 64 x 64.

    Each is: stride, row, column, probability, width and height as shares of the anchor's.
    """
    detector = S3FDDetector(network, halve=False, grow_bottom=0.0, **options)
    levels = [np.zeros((1, 64 // stride + 1, 64 // stride + 1, 5), np.float32)
              for stride in STRIDES]
    for stride, row, column, probability, width, height in boxes:
        levels[STRIDES.index(stride)][0, row, column] = (
            probability, 0, 0, 5 * math.log(width), 5 * math.log(height))
    detector._run = lambda images: levels
    return lambda: [(face.score, *face.box) for face in detector.detect(
        [np.zeros((64, 64, 3), np.uint8)])[0]]


def test_boxes_far_from_the_size_of_their_anchor_can_be_dropped(tiny):
    boxes = [(4, 0, 0, 0.9, 0.3, 0.3), (4, 0, 7, 0.8, 0.32, 0.32), (4, 0, 14, 0.7, 1.1, 0.1),
             (8, 6, 1, 0.6, 3.1, 3.1), (8, 6, 6, 0.99, 3.2, 3.2)]
    rows = detector_that_sees(tiny, boxes, least_overlap=0.1, overlap_threshold=1.0)()
    assert sorted(score for score, *_ in rows) == pytest.approx([0.6, 0.7, 0.8])
    assert len(detector_that_sees(tiny, boxes, overlap_threshold=1.0)()) == 5


@pytest.mark.parametrize(("limit", "scores"), [(1.0, [0.9, 0.8, 0.7]), (0.6, [0.9, 0.8]),
                                               (0.4, [0.9])])
def test_boxes_that_share_much_of_the_smaller_one_can_be_dropped(tiny, limit, scores):
    # 32 x 32 around (28, 28); beside it, 16 pixels on, 17/33 of each; inside of it, 8 x 8.
    boxes = [(8, 3, 3, 0.9, 1, 1), (8, 3, 5, 0.8, 1, 1), (4, 5, 5, 0.7, 0.5, 0.5)]
    rows = detector_that_sees(tiny, boxes, overlap_of_smaller=limit, overlap_threshold=0.35)()
    assert [score for score, *_ in rows] == pytest.approx(scores)


def test_weights_bring_their_threshold_along(tiny, monkeypatch):
    about = {"width": str(1 / 16), "score_threshold": "0.6", "least_overlap": "0.1",
             "max_side": "640"}
    monkeypatch.setattr("facelib.networks.s3fd_detector.load_weights",
                        lambda name: Weights(tiny.state(), about))
    image = random_picture(150, 200)
    plain = S3FDDetector(tiny, least_overlap=0.1).detect([image])[0]
    scores = [face.score for face in plain]
    assert min(scores) < 0.6 < max(scores)
    assert [face.score for face in S3FDDetector.load().detect([image])[0]] == pytest.approx(
        [score for score in scores if score >= 0.6])
    assert len(S3FDDetector.load(score_threshold=0.5).detect([image])[0]) == len(scores)


def test_channels_can_be_red_green_blue(tiny):
    image = random_picture(150, 200)
    straight = S3FDDetector(tiny).detect([image])[0]
    swapped = S3FDDetector(tiny, channels="rgb").detect([image[..., ::-1].copy()])[0]
    assert [face.score for face in swapped] == pytest.approx([face.score for face in straight])


def test_gradients_reach_every_parameter(tiny):
    images = tf.constant(random_picture(64, 96)[np.newaxis], tf.float32)
    with tf.GradientTape() as tape:
        loss = tf.add_n([tf.reduce_sum(tf.square(level)) for level in tiny(images)])
    variables = dict(tiny.named_variables())
    gradients = dict(zip(variables, tape.gradient(loss, list(variables.values()))))
    for path, gradient in gradients.items():
        assert gradient is not None, path
        assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0, path


def test_norm_of_a_dark_pixel_is_zero_and_can_be_learned():
    norm = L2Norm(8, 10.0)
    x = tf.zeros((1, 2, 2, 8))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = norm(x)
    assert np.abs(y).max() == 0
    assert np.isfinite(tape.gradient(y, x)).all()


def test_noise_free_pictures_and_no_pictures(tiny):
    assert S3FDDetector(tiny, score_threshold=1.0).detect([random_picture(64, 64)]) == [[]]
    assert S3FDDetector(tiny).detect([]) == []
    with pytest.raises(ValueError, match="uint8 wanted"):
        S3FDDetector(tiny).detect([np.zeros((9, 9), np.uint8)])
