"""Which boxes stay where several overlap, against pairs one by one."""

import numpy as np
import pytest

from facelib.boxes import alike, by_shape, require_pictures, suppress


def by_pairs(boxes, scores, threshold, extra, of_smaller):
    """Keeps a box if no surer kept one overlaps it too much."""
    def sides(box):
        return box[2] - box[0] + extra, box[3] - box[1] + extra

    kept = []
    for i in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        for k in kept:
            both = np.concatenate([np.maximum(boxes[i][:2], boxes[k][:2]),
                                   np.minimum(boxes[i][2:], boxes[k][2:])])
            common = np.prod(np.maximum(sides(both), 0))
            areas = np.prod(sides(boxes[i])), np.prod(sides(boxes[k]))
            whole = min(areas) if of_smaller else sum(areas) - common
            if common / whole > threshold:
                break
        else:
            kept.append(i)
    return kept


@pytest.mark.parametrize("extra", [0.0, 1.0])
@pytest.mark.parametrize("of_smaller", [False, True])
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.7])
def test_kept_boxes_are_those_of_pairs_one_by_one(threshold, extra, of_smaller):
    rng = np.random.default_rng(4)
    corners = rng.uniform(0, 100, (150, 2))
    boxes = np.hstack([corners, corners + rng.uniform(5, 40, (150, 2))])
    scores = rng.permutation(150) / 150
    kept = suppress(boxes, scores, threshold, extra=extra, of_smaller=of_smaller)
    assert kept.tolist() == by_pairs(boxes, scores, threshold, extra, of_smaller)
    assert 1 < len(kept) < 150


def test_equal_scores_keep_their_order():
    boxes = np.float32([(0, 0, 9, 9), (50, 0, 59, 9), (1, 0, 10, 9)])
    assert suppress(boxes, np.full(3, 0.5), 0.3).tolist() == [0, 1]


def test_no_boxes():
    assert suppress(np.empty((0, 4)), np.empty(0), 0.3).tolist() == []


def test_images_of_one_shape_go_together_and_each_once():
    images = [np.zeros((height, 4, 3), np.uint8) for height in (5, 6, 5, 5, 6, 5)]
    chunks = list(alike(images, 3))
    assert chunks == [[0, 2, 3], [5], [1, 4]]


def test_only_pictures_are_pictures():
    require_pictures([np.zeros((1, 1, 3), np.uint8)])
    with pytest.raises(ValueError, match="uint8 wanted"):
        require_pictures([np.zeros((4, 4, 3), np.float32)])


def test_images_of_one_shape_are_worked_on_together_and_keep_their_places():
    images = [np.full((2 + n % 2, 3, 3), n, np.uint8) for n in range(7)]
    calls = []

    def means(chunk):
        calls.append([int(image.mean()) for image in chunk])
        return [int(image.mean()) for image in chunk]

    assert by_shape(images, 3, means) == list(range(7))
    assert sorted(calls) == [[0, 2, 4], [1, 3, 5], [6]]
    assert by_shape([], 3, means) == []
