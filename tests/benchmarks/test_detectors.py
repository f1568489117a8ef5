"""The comparison of detectors: its judgements on made-up findings, whose figures are known."""

import numpy as np
import pytest

from benchmarks.detectors import (
    Picture,
    count_faces,
    count_false,
    error_figures,
    jitter_of,
    same_face,
    tables,
    turned_box,
    visible_faces,
    yaw_of,
)
from facelib.landmarks import MODEL_3D
from facelib.types import Face

IMAGE = np.zeros((100, 200, 3), np.uint8)


def face(x, y, side=20):
    return Face(np.float32([x, y, x + side, y + side]), 1.0)


class Finds:
    """Gives these faces in pictures of IMAGE's shape, and none in others."""

    def __init__(self, *faces):
        self.faces = list(faces)

    def detect(self, images):
        return [self.faces if image.shape == IMAGE.shape else [] for image in images]


def test_boxes_of_one_face_may_differ_a_little():
    assert same_face(face(10, 10).box, face(15, 12, 26).box)
    assert not same_face(face(10, 10).box, face(30, 10).box)
    assert not same_face(face(10, 10, 10).box, face(0, 0, 30).box)  # same place, other size


def test_a_face_is_visible_if_two_see_it():
    found = {"a": [face(10, 10), face(100, 50)], "b": [face(12, 11)], "c": []}
    (box,) = visible_faces(found)
    np.testing.assert_array_equal(box, found["a"][0].box)


def test_a_second_box_of_a_face_is_no_second_face():
    # 7 of 20 pixels to one side is near enough to the face of the others.
    found = {"a": [face(17, 10), face(10, 10)], "b": [face(10, 10)], "c": [face(9, 10)]}
    assert len(visible_faces(found)) == 1
    both = {"a": [face(10, 10), face(17, 10)], "b": [face(16, 10), face(10, 11)]}
    assert [box[0] for box in visible_faces(both)] == [10, 17]


def test_second_boxes_of_a_face_are_false():
    visible = [face(10, 10).box, face(100, 50).box]
    found = [face(12, 10), face(10, 10), face(16, 10), face(60, 60), face(100, 52)]
    assert count_false(found, visible) == 3
    assert count_false([], visible) == 0 and count_false(found, []) == 5


@pytest.mark.parametrize(("degrees", "turns"), [(0, 0), (90, 3), (180, 2)])
def test_boxes_turn_with_their_picture(degrees, turns):
    image = np.zeros((100, 200))
    image[20:40, 10:60] = 1
    rows, columns = np.nonzero(np.rot90(image, turns))  # counter-clockwise
    expected = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    np.testing.assert_array_equal(turned_box(np.array([10, 20, 60, 40]), degrees, image.shape),
                                  expected)


def test_recall_and_false_faces_are_counted():
    detectors = {"a": Finds(face(10, 10), face(100, 50)), "b": Finds(face(10, 10)), "c": Finds()}
    upright = [{name: finds.faces for name, finds in detectors.items()}]
    counts = count_faces([Picture("clip", 0, IMAGE)], upright, detectors)
    assert [counts[name].found[0] for name in "abc"] == [1, 1, 0]
    assert [counts[name].visible[0] for name in "abc"] == [1, 1, 1]
    assert [counts[name].false for name in "abc"] == [1, 0, 0]
    assert counts["a"].found[90] == 0 and counts["a"].visible[90] == 1


def project(yaw):
    """The mean head from far away, turned by degrees."""
    angle = np.radians(yaw)
    turn = np.array([(np.cos(angle), 0, np.sin(angle)), (0, 1, 0),
                     (-np.sin(angle), 0, np.cos(angle))])
    points = np.asarray(MODEL_3D, np.float64)
    return (points - points.mean(0)) @ turn.T[:, :2] * 2 + 300


def test_errors_are_shares_of_the_eye_distance_by_yaw():
    straight = project(0)
    eyes = np.linalg.norm(straight[36:42].mean(0) - straight[42:48].mean(0))
    moved = straight.copy()
    moved[:17] += (0, 0.1 * eyes)
    moved[17:] += (0.03 * eyes, 0.04 * eyes)
    figures = error_figures([straight, straight, None], [moved, None, moved])
    assert figures == {"under 15": {"faces": 1, "points 17-67": pytest.approx(5, abs=0.02),
                                    "jaw": pytest.approx(10, abs=0.02)}}
    assert yaw_of(project(25)) > 15 > 10 > yaw_of(straight)


def test_jitter_does_not_cross_gaps():
    rng = np.random.default_rng(0)
    points = [project(0) + rng.normal(0, 0.5, (68, 2)) for _ in range(9)]
    shown = [Picture("clip", index, IMAGE) for index in (0, 1, 2, 3, 50, 51, 52, 53, 54)]
    eyes = np.linalg.norm(project(0)[36:42].mean(0) - project(0)[42:48].mean(0))
    assert jitter_of(shown, points) == pytest.approx(100 * 0.5 / eyes, rel=0.1)
    apart = [Picture("clip", index, IMAGE) for index in (0, 50, 100, 150, 200, 250, 300, 350, 400)]
    assert jitter_of(apart, points) is None


def test_tables_name_all_that_was_measured():
    text = tables({
        "detectors": {"yunet": {"visible": 7, "false": 1, "recall": {0: 98.5, 90: 50.0, 180: 0.0}}},
        "landmarks": {"yunet + facemesh": {"jitter": 0.3, "error": {
            "under 15": {"faces": 7, "points 17-67": 2.5, "jaw": 4.5}}}}})
    assert "| yunet | 7 | 98.5 % | 50.0 % | 0.0 % | 1 |" in text
    assert "| yunet + facemesh | 2.5 / 4.5 | - | - | 0.3 |" in text
