"""Things in front of faces: what they cover, and that chance is an argument."""

import numpy as np
import pytest

from benchmarks.sampler import mean_landmarks
from facelib.face_type import FaceType
from samplelib.occluders import shapes
from samplelib.occluders.layer import Layer, Place, put_over, usual_points
from samplelib.occluders.table import OCCLUDERS, occlude

SIDE = 96


@pytest.fixture(scope="module")
def place():
    rng = np.random.default_rng(3)
    face = np.float32(rng.random((SIDE, SIDE, 3)) * 0.1 + (0.4, 0.5, 0.7))
    other = np.float32(rng.random((SIDE, SIDE, 3)))
    return Place(face, other, usual_points(FaceType.WHOLE_FACE))


@pytest.mark.parametrize("face_type", [FaceType.HALF, FaceType.FULL, FaceType.WHOLE_FACE])
def test_points_lie_where_a_mean_face_has_them(face_type):
    """The mean face of the benchmarks has a jaw, which makes no difference to the crop."""
    expected = mean_landmarks(1000, face_type)[17:] / 1000
    np.testing.assert_allclose(usual_points(face_type), expected, atol=1e-6)


@pytest.mark.parametrize("name", OCCLUDERS)
def test_each_kind_covers_part_of_most_faces(name, place):
    """Over 40 draws: pictures and covers in range, and a face (a disc) that is mostly hit."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    face = np.hypot(x - place.middle[0], y - place.middle[1]) < place.unit
    hidden = []
    for seed in range(40):
        layer = OCCLUDERS[name](place, np.random.default_rng(seed))
        assert layer.picture.shape == (SIDE, SIDE, 3) and layer.cover.shape == (SIDE, SIDE, 1)
        assert 0 <= layer.picture.min() and layer.picture.max() <= 1
        assert 0 <= layer.cover.min() and layer.cover.max() <= 1.0001
        hidden.append((layer.cover[..., 0] > 0.5)[face].mean())
    assert 0.005 < np.mean(hidden) < 0.6 and np.mean(np.array(hidden) > 0.003) > 0.5


@pytest.mark.parametrize("name", OCCLUDERS)
def test_the_seed_fixes_a_thing(name, place):
    one, same, other = (OCCLUDERS[name](place, np.random.default_rng(seed)) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.picture, same.picture)
    np.testing.assert_array_equal(one.cover, same.cover)
    assert not np.array_equal(one.cover, other.cover)


def test_a_thing_hides_what_is_behind_and_the_mask_loses_it(place):
    cover = np.zeros((SIDE, SIDE, 1), np.float32)
    cover[20:40, 30:70], cover[40:42, 30:70], cover[42:44, 30:70] = 0.8, 0.2, 0.5
    red = Layer(np.broadcast_to(np.float32([0, 0, 1]), (SIDE, SIDE, 3)), cover)
    mask = np.ones((SIDE, SIDE, 1), np.float32)
    # Its first number decides that there is no shadow.
    seed = next(seed for seed in range(99) if np.random.default_rng(seed).random() >= 0.6)
    rng = np.random.default_rng(seed)
    image, seen = put_over(place.face, mask, red, rng)
    for row, share in ((30, 0.8), (40, 0.2), (42, 0.5)):
        np.testing.assert_allclose(image[row, 50], share * np.array([0, 0, 1])
                                   + (1 - share) * place.face[row, 50], atol=1e-6)
    np.testing.assert_array_equal(image[60:], place.face[60:])
    # What hardly covers tints; half a cover is an edge, and hides half.
    assert seen.sum() == pytest.approx(SIDE**2 - 20 * 40 - 2 * 40 / 2)


def test_shadows_only_darken_and_leave_the_mask(place):
    cover = np.zeros((SIDE, SIDE, 1), np.float32)
    cover[40:60, 40:60] = 1
    thing = Layer(np.zeros((SIDE, SIDE, 3), np.float32), cover)
    mask, darker = np.ones((SIDE, SIDE, 1), np.float32), 0
    for seed in range(20):
        image, seen = put_over(place.face, mask, thing, np.random.default_rng(seed))
        outside = cover[..., 0] == 0
        assert (image[outside] <= place.face[outside] + 1e-6).all()
        assert seen.sum() == SIDE**2 - 400
        darker += (image[outside] < place.face[outside] - 0.01).any()
    assert 5 < darker < 19


def test_masks_only_shrink_and_what_is_visible_stays_the_face(place):
    mask = np.ones((SIDE, SIDE, 1), np.float32)
    for seed in range(15):
        image, seen = occlude(place.face, mask, place, np.random.default_rng(seed))
        assert image.dtype == seen.dtype == np.float32 and 0 <= seen.min() <= seen.max() <= 1
        assert np.isin(seen, (0, 1)).mean() > 0.7  # but for edges
        changed = np.abs(image - place.face).max(-1)[seen[..., 0] == 1]
        assert np.median(changed) < 0.35  # at most a shadow


# Shapes


def test_areas_are_those_of_geometry():
    """Square, ellipse, superellipse of a high power, stroke, limb."""
    square = np.array([(0.2, 0.3), (0.6, 0.3), (0.6, 0.7), (0.2, 0.7)])
    assert shapes.polygon(200, square).sum() / 200**2 == pytest.approx(0.16, rel=0.02)
    centre, radii = np.array([0.5, 0.5]), np.array([0.3, 0.2])
    ellipse = shapes.polygon(200, shapes.ellipse(centre, radii, turn=0.7))
    assert ellipse.sum() / 200**2 == pytest.approx(np.pi * 0.3 * 0.2, rel=0.02)
    box = shapes.polygon(200, shapes.ellipse(centre, radii, power=40))
    assert box.sum() / 200**2 == pytest.approx(4 * 0.3 * 0.2, rel=0.05)
    line = shapes.stroke(200, np.array([(0.2, 0.5), (0.8, 0.5)]), 0.1)
    assert line.sum() / 200**2 == pytest.approx(0.6 * 0.1 + np.pi * 0.05**2, rel=0.05)
    limb = shapes.taper(200, np.array([0.2, 0.5]), np.array([0.8, 0.5]), 0.1, 0.1)
    assert limb.sum() / 200**2 == pytest.approx(0.6 * 0.1 + np.pi * 0.05**2, rel=0.05)


def test_a_curve_is_the_bezier_polynomial():
    points = np.array([(0, 0), (1, 2), (3, -1), (4, 0.5)])
    share = np.linspace(0, 1, 24)[:, None]
    expected = ((1 - share)**3 * points[0] + 3 * share * (1 - share)**2 * points[1]
                + 3 * share**2 * (1 - share) * points[2] + share**3 * points[3])
    np.testing.assert_allclose(shapes.curve(points), expected, atol=1e-12)


def test_a_rounded_surface_is_dark_at_its_edge_and_flat_inside():
    light = shapes.rounded(shapes.polygon(100, np.array([(.1, .1), (.9, .1), (.9, .9), (.1, .9)])),
                           0.2)
    assert light[50, 50] == pytest.approx(1) and light[11, 50] < 0.7 < light[20, 50]
