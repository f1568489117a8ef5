"""The merger's colour transfers against references in float64 and SciPy, and on hard faces."""

import cv2
import numpy as np
import pytest
from scipy.linalg import inv, sqrtm
from scipy.stats import wasserstein_distance

from core.imaging.color import bgr_to_lab, lab_to_bgr
from core.imaging.distribution_transfer import random_rotations
from core.imaging.sliced_transport import random_directions
from merger.color_transfer import COLOR_TRANSFERS, SEED, transfer_color
from tests.core.imaging.idt_by_hand import idt_by_hand

SIDE = 48  # below a swatch's side: every pixel is measured
CHANGING = [name for name in COLOR_TRANSFERS if name != "none"]
MASKED = [name for name in CHANGING if name == "rct" or name.endswith("-m")]
RANDOM = ["idt", "idt-m", "sot-m", "mix-m"]


def smooth_face(seed, centre, side=SIDE, spread=0.06, grain=0.01):
    """(side, side, 3) float32 in (0, 1): light and shade, with a little grain."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(centre, spread, (5, 5, 3))
    face = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_LINEAR)
    return np.clip(face + rng.normal(0, grain, face.shape), 0.02, 0.98).astype(np.float32)


@pytest.fixture
def face():
    return smooth_face(1, (0.35, 0.42, 0.5))


@pytest.fixture
def reference():
    return smooth_face(2, (0.5, 0.5, 0.62), spread=0.08)


@pytest.fixture
def mask(round_mask):
    return round_mask(SIDE)


def inside(picture, mask):
    """(N, 3) float64: the pixels of a hard mask."""
    return picture[mask[..., 0] > 0.5].astype(np.float64)


def in_box(picture):
    return picture.reshape(-1, 3).astype(np.float64)


def lct_in_scipy(pixels, own, wanted):
    roots = [np.real(sqrtm(np.cov(x.T, bias=True) + 1e-5 * np.eye(3))) for x in (own, wanted)]
    return (pixels - own.mean(0)) @ (roots[1] @ inv(roots[0])).T + wanted.mean(0)


def mkl_in_scipy(pixels, own, wanted):
    """The optimal map between two Gaussians: A^-1/2 (A^1/2 B A^1/2)^1/2 A^-1/2."""
    a, b = (np.cov(x.T, bias=True) for x in (own, wanted))
    root = np.real(sqrtm(a))
    linear = inv(root) @ np.real(sqrtm(root @ b @ root)) @ inv(root)
    return (pixels - own.mean(0)) @ linear.T + wanted.mean(0)


@pytest.mark.parametrize(("name", "by_scipy", "is_masked"), [
    ("lct", lct_in_scipy, False), ("mkl", mkl_in_scipy, False), ("mkl-m", mkl_in_scipy, True)])
def test_linear_transfers_agree_with_scipy(name, by_scipy, is_masked, face, reference, mask):
    own, wanted = (inside(x, mask) if is_masked else in_box(x) for x in (face, reference))
    expected = np.clip(by_scipy(in_box(face), own, wanted), 0, 1).reshape(face.shape)
    found = transfer_color(name, face, reference, mask)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_soft_masks_weight_the_moments(face, reference):
    soft = np.random.default_rng(4).random((SIDE, SIDE, 1)).astype(np.float32)
    found = in_box(transfer_color("mkl-m", face, reference, soft))
    weights = soft.reshape(-1).astype(np.float64)
    moments = [np.average(in_box(reference), axis=0, weights=weights),
               np.cov(in_box(reference).T, aweights=weights, bias=True)]
    np.testing.assert_allclose(np.average(found, axis=0, weights=weights), moments[0], atol=1e-5)
    np.testing.assert_allclose(
        np.cov(found.T, aweights=weights, bias=True), moments[1], atol=1e-5)


@pytest.mark.parametrize("name", ["idt", "idt-m"])
def test_distribution_transfer_agrees_with_numpy(name, face, reference, mask):
    weights = mask if name == "idt-m" else np.ones_like(mask)
    expected = idt_by_hand(inside(face, weights), inside(reference, weights),
                           random_rotations(np.random.default_rng(SEED)))
    found = inside(transfer_color(name, face, reference, mask), weights)
    difference = np.abs(found - expected)  # the table is linear between its nodes
    assert difference.mean() < 0.5 / 255 and np.quantile(difference, 0.99) < 2.5 / 255
    assert np.abs(expected - inside(face, weights)).mean() > 10 / 255


def sot_moves_in_numpy(own, wanted, directions):
    """Rank by rank, direction by direction, in float64."""
    x = own.copy()
    for step in directions:
        moves = np.zeros_like(x)
        for direction in step:
            places, goal = x @ direction, np.sort(wanted @ direction)
            distance = np.empty(len(x))
            distance[np.argsort(places)] = goal - np.sort(places)
            moves += distance[:, None] * direction
        x += moves / len(step)
    return x - own


def smoothed_in_numpy(moves, mask, sigma):
    """At each pixel of the mask the Gaussian mean of the moves of the others."""
    places = np.argwhere(mask[..., 0] > 0.5).astype(np.float64)
    distances = ((places[:, None] - places[None]) ** 2).sum(-1)
    weights = np.exp(-distances / (2 * sigma**2))
    return weights @ moves / weights.sum(1, keepdims=True)


def test_sliced_transport_agrees_with_numpy(face, reference, mask):
    directions = random_directions(np.random.default_rng(SEED), 10, 30)
    own = inside(face, mask)
    moves = sot_moves_in_numpy(own, inside(reference, mask), directions)
    expected = own + smoothed_in_numpy(moves, mask, SIDE / 8)
    found = inside(transfer_color("sot-m", face, reference, mask), mask)
    np.testing.assert_allclose(found, expected, atol=1 / 255)
    assert np.abs(expected - own).mean() > 10 / 255


def test_mix_sets_lightness_by_moments_and_colour_by_transport(face, reference, mask):
    found, own, wanted = (inside(bgr_to_lab(x), mask) for x in (
        transfer_color("mix-m", face, reference, mask), face, reference))
    gain = np.sqrt((wanted[:, 0].var() + 0.1) / (own[:, 0].var() + 0.1))  # 1e-5 of 100 squared
    lightness = (own[:, 0] - own[:, 0].mean()) * gain + wanted[:, 0].mean()
    np.testing.assert_allclose(found[:, 0], lightness, atol=0.7)  # the tables of Lab
    directions = random_directions(np.random.default_rng(SEED))
    directions[..., 0] = 0
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    flat_own, flat_wanted = (lab * (0, 1 / 127, 1 / 127) for lab in (own, wanted))
    moves = smoothed_in_numpy(sot_moves_in_numpy(flat_own, flat_wanted, directions), mask, SIDE / 8)
    np.testing.assert_allclose(found[:, 1:], (flat_own + moves)[:, 1:] * 127, atol=1.0)


@pytest.mark.parametrize("name", CHANGING)
def test_the_face_comes_nearer_to_the_reference_in_every_channel(name, face, reference, mask):
    found = transfer_color(name, face, reference, mask)
    share = 0.6 if name.startswith("idt") else 0.25  # idt goes 64 % of the way
    for channel in range(3):
        before, after = (wasserstein_distance(inside(x, mask)[:, channel],
                                              inside(reference, mask)[:, channel])
                         for x in (face, found))
        assert after < share * before + 0.012


@pytest.mark.parametrize("name", MASKED)
def test_masked_transfers_do_not_see_what_lies_outside(name, face, reference, mask):
    other = np.where(mask > 0, reference, np.float32((0.9, 0.1, 0.0)))
    outside = np.where(mask > 0, face, np.float32((0.0, 0.3, 1.0)))
    expected = inside(transfer_color(name, face, reference, mask), mask)
    found = inside(transfer_color(name, outside, other, mask), mask)
    # The table of idt spans the whole picture, so its nodes lie otherwise.
    np.testing.assert_allclose(found, expected, atol=6 / 255 if name == "idt-m" else 1e-5)
    assert np.abs(found - expected).mean() < 1 / 255


@pytest.mark.parametrize("name", ["lct", "mkl", "idt"])
def test_unmasked_transfers_see_the_whole_picture_or_what_counts_as_it(
    name, face, reference, mask
):
    other = np.where(mask > 0, reference, np.float32((0.9, 0.1, 0.0)))
    assert np.abs(transfer_color(name, face, other, mask)
                  - transfer_color(name, face, reference, mask)).mean() > 0.05
    np.testing.assert_array_equal(
        inside(transfer_color(name, face, other, mask, whole=mask), mask),
        inside(transfer_color(name, face, reference, mask, whole=mask), mask))


@pytest.mark.parametrize("name", RANDOM)
def test_chance_is_set_by_the_seed(name, face, reference, mask):
    first, again, other = (transfer_color(name, face, reference, mask, seed=seed)
                           for seed in (7, 7, 8))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-4


def hard_faces():
    """Faces that have no colour, no light and shade, or neither."""
    grey = np.repeat(smooth_face(3, (0.4, 0.4, 0.4))[..., :1], 3, axis=2)
    grain = np.random.default_rng(5).normal(0, 0.4 / 255, grey.shape).astype(np.float32)
    flat = np.full((SIDE, SIDE, 3), 0.5, np.float32)
    return {"black": flat * 0, "white": flat * 2, "flat": flat, "grey": grey,
            "nearly flat": flat + grain, "nearly grey": grey + grain}


HARD = hard_faces()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", CHANGING)
@pytest.mark.parametrize("kind", HARD)
def test_flat_and_grey_faces_and_references_stay_finite(name, kind, reference, mask):
    for pair in ((HARD[kind], reference), (reference, HARD[kind]), (HARD[kind], HARD[kind])):
        found = transfer_color(name, *pair, mask)
        assert np.isfinite(found).all() and found.min() >= 0 and found.max() <= 1


def root(matrix):
    """The symmetric root, by singular values; SciPy's refuses nearly flat colours."""
    left, values, right = np.linalg.svd(matrix)
    return left * np.sqrt(values) @ right


@pytest.mark.parametrize("name", [name for name in CHANGING if name not in ("rct", "mix-m")])
@pytest.mark.parametrize("kind", HARD)
def test_no_direction_of_colour_is_spread_beyond_the_limit(name, kind, mask):
    reference = smooth_face(6, (0.5, 0.5, 0.5), spread=0.1)
    weights = mask if name.endswith("-m") else np.ones_like(mask)
    own, found = (inside(x, weights) for x in (
        HARD[kind], transfer_color(name, HARD[kind], reference, mask)))
    a, b = (np.cov(x.T, bias=True) + 1e-10 * np.eye(3) for x in (own, found))
    stretch = np.linalg.eigvalsh(inv(root(a)) @ root(root(a) @ b @ root(a)) @ inv(root(a)))
    assert stretch.max() < 4.4


@pytest.mark.parametrize("name", ["rct", "mkl", "sot-m", "mix-m", "idt"])
def test_a_nearly_grey_face_shows_no_coloured_grain(name, mask):
    grey, reference = HARD["nearly grey"], smooth_face(6, (0.3, 0.5, 0.7), spread=0.1)
    before, after = (bgr_to_lab(x) for x in (
        grey, transfer_color(name, grey, reference, mask)))
    grain = [np.diff(lab[..., 1:], axis=0).std() for lab in (before, after)]
    assert grain[1] < 5 * grain[0]


def test_large_pictures_are_measured_on_a_part_of_their_pixels(round_mask):
    face, reference = (smooth_face(seed, 0.5, side=300, grain=0.0) for seed in (1, 2))
    wide_face, wide_reference = (x[:200] for x in (face, reference))
    mask = round_mask(300)[:200]
    for name in RANDOM:
        found = transfer_color(name, wide_face, wide_reference, mask)
        assert found.shape == wide_face.shape
    moved = inside(transfer_color("sot-m", wide_face, wide_reference, mask), mask)
    np.testing.assert_allclose(moved.mean(0), inside(wide_reference, mask).mean(0), atol=0.01)


@pytest.mark.parametrize("name", COLOR_TRANSFERS)
def test_an_empty_mask_and_no_transfer_give_the_face(name, face, reference, mask):
    assert transfer_color(name, face, reference, np.zeros_like(mask)) is face
    assert transfer_color("none", face, reference, mask) is face


def test_the_arguments_are_not_changed(face, reference, mask):
    before = [x.copy() for x in (face, reference, mask)]
    for name in COLOR_TRANSFERS:
        transfer_color(name, face, reference, mask)
    for copy, given in zip(before, (face, reference, mask), strict=True):
        np.testing.assert_array_equal(given, copy)


def test_lab_goes_there_and_back(face):
    np.testing.assert_allclose(lab_to_bgr(bgr_to_lab(face)), face, atol=0.01)


@pytest.mark.parametrize("name", CHANGING)
def test_colours_hardly_move_when_the_frame_hardly_does(name, face, reference, mask):
    """Else they would flicker: the next frame has other grain and is a pixel further."""
    grain = np.random.default_rng(12).normal(0, 1 / 255, face.shape).astype(np.float32)
    first = transfer_color(name, face, reference, mask)
    moved = np.clip(np.roll(reference, 1, axis=1) + grain, 0, 1)
    difference = inside(transfer_color(name, face, moved, mask) - first, mask)
    assert np.abs(difference.mean(axis=0)).max() < 2 / 255 and np.abs(difference).mean() < 3 / 255
