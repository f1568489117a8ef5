"""Distances against dense sampling; outlines of masks against scikit-image's rasteriser."""

import numpy as np
import pytest
from skimage.draw import disk, polygon2mask

from core.polygon_geometry import mask_polygons, nearest_edge, nearest_point
from core.polygons import polygon_mask

STAR = np.array([(10, 10), (60, 30), (110, 12), (90, 60), (112, 110), (60, 80), (8, 104)], float)


@pytest.mark.parametrize("at", [(0, 0), (60, 31), (100, 70), (5, 50), (60, 60)])
def test_nearest_edge_is_the_nearest_of_many_places_on_the_outline(at):
    shares = np.linspace(0, 1, 4001)[:, np.newaxis]
    places = np.stack([a + shares * (b - a) for a, b in zip(STAR, [*STAR[1:], STAR[0]])])
    distances = np.hypot(*(places - at).transpose(2, 0, 1))
    found = nearest_edge(STAR, at)
    assert found.distance == pytest.approx(distances.min(), abs=1e-3)
    assert np.hypot(*(found.projection - at)) == pytest.approx(found.distance)
    assert distances[found.index].min() == pytest.approx(distances.min(), abs=1e-3)


def test_nearest_edge_of_a_single_point_is_the_point():
    found = nearest_edge(np.array([(3.0, 4.0)]), (0, 0))
    assert (found.index, found.distance) == (0, 5.0)


def test_nearest_point():
    assert nearest_point(STAR, (91, 60)) == (3, 1.0)


def test_outlines_give_the_mask_back():
    mask = polygon2mask((120, 120), STAR[:, ::-1]).astype(np.float32)
    mask[disk((58, 60), 12)] = 0
    polygons = mask_polygons(mask[..., np.newaxis], tolerance=1)
    assert [polygon.is_include for polygon in polygons] == [True, False]
    drawn = polygon_mask((120, 120), polygons)[..., 0]
    assert np.minimum(mask, drawn).sum() / np.maximum(mask, drawn).sum() > 0.97
    assert sum(len(polygon.points) for polygon in polygons) < 30


def test_unsimplified_outlines_give_the_mask_back_exactly():
    mask = np.zeros((40, 40, 1), np.float32)
    mask[5:30, 8:33] = 1
    mask[12:20, 14:22] = 0
    assert np.array_equal(polygon_mask((40, 40), mask_polygons(mask, tolerance=0)), mask)


def test_specks_and_empty_masks_give_nothing():
    mask = np.zeros((100, 100, 1), np.float32)
    assert mask_polygons(mask) == ()
    mask[3:6, 3:6] = 1
    assert mask_polygons(mask) == ()
