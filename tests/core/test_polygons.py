"""Polygons and the masks that they stand for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.polygons import Polygon, includes_first, polygon_mask


def square(low, high, is_include=True):
    return Polygon([(low, low), (high, low), (high, high), (low, high)], is_include)


def test_a_square_holds_its_border():
    mask = polygon_mask((10, 12), [square(2, 5)])
    assert mask.shape == (10, 12, 1) and mask.dtype == np.float32
    expected = np.zeros((10, 12))
    expected[2:6, 2:6] = 1
    np.testing.assert_array_equal(mask[..., 0], expected)


def test_what_is_cut_out_wins_wherever_it_stands_in_the_list():
    ring = polygon_mask((12, 12), [square(4, 6, False), square(1, 9), square(5, 7)])
    assert ring.sum() == 81 - 9
    assert includes_first([square(4, 6, False), square(1, 9), square(5, 7)])[0] == square(1, 9)


def test_points_between_pixels_are_cut_down_as_other_programs_do():
    np.testing.assert_array_equal(polygon_mask((9, 9), [square(2.99, 5.99)]),
                                  polygon_mask((9, 9), [square(2, 5)]))


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=3, max_size=9),
       st.tuples(st.integers(0, 40), st.integers(0, 40)))
def test_the_mask_is_the_even_odd_rule(points, place):
    """Away from the border: a ray to the left crosses the outline an odd number of times."""
    x, y = place
    edges = list(zip(points, points[1:] + points[:1], strict=True))
    if any(_distance(place, a, b) < 1.5 for a, b in edges):
        return
    crossings = sum(1 for (x1, y1), (x2, y2) in edges if (y1 > y) != (y2 > y)
                    and x1 + (y - y1) * (x2 - x1) / (y2 - y1) < x)
    assert polygon_mask((41, 41), [Polygon(points)])[y, x, 0] == crossings % 2


def _distance(place, a, b):
    place, a, b = (np.array(point, float) for point in (place, a, b))
    along = np.dot(place - a, b - a) / max(np.dot(b - a, b - a), 1e-9)
    return np.linalg.norm(place - (a + np.clip(along, 0, 1) * (b - a)))


def test_no_points_draw_nothing_and_scaling_keeps_the_shape():
    assert polygon_mask((8, 8), [Polygon([])]).sum() == 0
    assert square(1, 3).scaled(2) == square(2, 6)
    assert square(1, 3) != square(1, 3, False)
    with pytest.raises(ValueError):
        square(1, 3).points[0] = 7
