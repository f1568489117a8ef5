"""What S3FD's answers cost, and which anchors are asked: against plain loops and PyTorch."""

import numpy as np
import pytest
import tensorflow as tf
import torch

from facelib.anchors import STRIDES, anchors, encode, level_sides
from facelib.networks.s3fd import S3FD
from facelib.networks.s3fd_detector import decoded
from models.s3fd.loss import LEAST_NEGATIVES, detection_loss
from models.s3fd.matching import ENOUGH, match, overlaps

N, SIDES = 3, ((5, 4), (3, 2))


def answers(seed=0):
    """Two levels of cells, and targets with faces in the first two pictures only."""
    rng = np.random.default_rng(seed)
    levels = [rng.normal(0, 2, (N, *side, 6)).astype(np.float32) for side in SIDES]
    n_anchors = sum(height * width for height, width in SIDES)
    classes = np.zeros((N, n_anchors), np.int8)
    classes[0, [2, 7]] = classes[1, [20, 24, 25]] = 1
    classes[:, 11] = -1
    offsets = rng.normal(0, 1, (N, n_anchors, 4)).astype(np.float32) * (classes == 1)[..., None]
    return levels, classes, offsets


def public_total(levels, classes, offsets):
    """Sum of PyTorch's losses over the chosen anchors, for each anchor of a face."""
    total, n_faces = 0.0, int((classes == 1).sum())
    cells = torch.cat([level.reshape(N, -1, 6) for level in levels], 1)
    for row, kinds in zip(cells, classes):
        entropy = torch.nn.functional.cross_entropy(
            row[:, :2], torch.tensor(np.maximum(kinds, 0), dtype=torch.long), reduction="none")
        faces, background = np.flatnonzero(kinds == 1), np.flatnonzero(kinds == 0)
        hardest = entropy[background].argsort(descending=True)
        hardest = background[hardest[:max(3 * len(faces), LEAST_NEGATIVES)].numpy()]
        total = total + entropy[faces].sum() + entropy[hardest].sum()
    is_face = torch.tensor(classes == 1)
    total = total + torch.nn.functional.smooth_l1_loss(
        cells[..., 2:][is_face], torch.tensor(offsets)[is_face].double(), reduction="sum")
    return total / n_faces


@pytest.mark.parametrize("jit", [True, False])
def test_cost_and_gradients_are_pytorchs(jit):
    levels, classes, offsets = answers()

    @tf.function(autograph=False, jit_compile=jit)
    def run(*levels):
        with tf.GradientTape() as tape:
            tape.watch(levels)
            loss = detection_loss(levels, tf.constant(classes), tf.constant(offsets))
            mean = tf.reduce_mean(loss.total)
        return mean, tf.add_n(list(loss.terms.values())) - loss.total, tape.gradient(mean, levels)

    mean, rest, gradients = run(*map(tf.constant, levels))
    public = [torch.tensor(level, dtype=torch.float64, requires_grad=True) for level in levels]
    expected = public_total(public, classes, offsets)
    expected.backward()
    assert float(mean) == pytest.approx(expected.item(), rel=1e-5)
    np.testing.assert_allclose(rest, 0, atol=1e-5)
    for ours, theirs in zip(gradients, public):
        np.testing.assert_allclose(ours, theirs.grad.numpy(), rtol=1e-4, atol=1e-6)


def test_a_batch_without_faces_still_learns_what_is_none():
    levels, classes, offsets = answers()
    total = detection_loss([tf.constant(level) for level in levels],
                           tf.zeros_like(classes), tf.zeros_like(offsets)).total
    margins = np.concatenate([level.reshape(N, -1, 6) for level in levels], 1)[..., :2]
    costs = np.log(np.exp(margins).sum(-1)) - margins[..., 0].astype(np.float64)
    expected = N * np.sort(costs, axis=1)[:, -LEAST_NEGATIVES:].sum(1)
    np.testing.assert_allclose(total, expected, rtol=1e-5)


@pytest.mark.parametrize("side", [64, 96, 192, 256])
def test_there_is_an_anchor_for_each_cell_of_the_network(side):
    network = S3FD(width=1 / 8)
    maps = network(tf.zeros((1, side, side, 3)))
    assert tuple(level.shape[1] for level in maps) == level_sides(side)
    boxes = anchors(side, side)
    assert len(boxes) == sum(level.shape[1] * level.shape[2] for level in maps)
    np.testing.assert_array_equal(boxes[1], (6 - 8, 2 - 8, 6 + 8, 2 + 8))
    np.testing.assert_array_equal(boxes[-1, 2:] - boxes[-1, :2], 4 * STRIDES[-1])


def test_offsets_lead_from_anchors_to_boxes():
    rng = np.random.default_rng(0)
    corners, sides = rng.uniform(0, 100, (9, 2)), rng.uniform(5, 60, (9, 2))
    boxes, of = np.hstack([corners, corners + sides]), anchors(64, 64)[::20][:9]
    np.testing.assert_allclose(decoded(of, encode(boxes, of)), boxes, rtol=1e-4, atol=1e-3)
    one = encode(np.array([[10.0, 20, 26, 52]]), np.array([[8.0, 24, 24, 40]]))
    # Centre 2 to the right and 4 down of 16 pixels, by 0.1; height doubled, by 0.2.
    np.testing.assert_allclose(one, [[1.25, 2.5, 0, np.log(2) / 0.2]], rtol=1e-6)


def test_overlap_is_intersection_over_union():
    shares = overlaps(np.array([[0.0, 0, 4, 4]]), np.array([[2.0, 0, 6, 4], [4, 4, 8, 8]]))
    np.testing.assert_allclose(shares, [[8 / 24, 0]])


def test_every_face_has_an_anchor_and_small_ones_have_enough():
    of = anchors(192, 192)
    rng = np.random.default_rng(1)
    for _ in range(40):
        side = np.exp(rng.uniform(np.log(6), np.log(180), 3))
        centre = rng.uniform(side[:, None] / 2, 192 - side[:, None] / 2, (3, 2))
        boxes = np.hstack([centre - side[:, None] / 2, centre + side[:, None] / 2])
        shares = overlaps(boxes, of)
        if (overlaps(boxes, boxes) - np.eye(3)).max() > 0.05:
            continue
        targets = match(boxes, np.empty((0, 4)), of)
        found = decoded(of[targets.classes == 1], targets.offsets[targets.classes == 1])
        owners = overlaps(boxes, found).argmax(0)
        for face in range(3):
            could = int((shares[face] > 0.1).sum())
            assert (owners == face).sum() >= max(1, min(could, ENOUGH) - 3)
        assert (targets.classes[(shares >= 0.35).any(0)] == 1).all()
        assert (targets.classes[(shares <= 0.1).all(0)] != 1).sum() >= len(of) - 400


def test_anchors_over_doubtful_faces_are_not_asked():
    of = anchors(192, 192)
    face, doubtful = np.array([[20.0, 20, 60, 60]]), np.array([[100.0, 100, 140, 140]])
    targets = match(face, doubtful, of)
    meets = overlaps(doubtful, of)[0] > 0.1
    assert (targets.classes[meets] == -1).all() and meets.sum() > 10
    assert (targets.classes[~meets] >= 0).all()
    assert not targets.offsets[targets.classes != 1].any()
