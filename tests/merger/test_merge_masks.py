import cv2
import numpy as np
import pytest
from scipy import ndimage

from facelib.align import face_transform
from facelib.face_type import FaceType
from facelib.masks import hull_mask
from facelib.types import SwapPrediction
from merger.borders import grid_side
from merger.faces import FaceToMerge, StoredMask
from merger.masks import MASK_MODES, face_mask
from merger.options import MergeOptions

LEARNED = [name for name in MASK_MODES if "XSeg" not in name and "stored" not in name]
SIDE = 256  # a model of this resolution has its masks on the mask grid already


@pytest.fixture
def prediction():
    rng = np.random.default_rng(11)
    noise = rng.random((2, SIDE, SIDE))
    soft = np.float32(np.clip(ndimage.gaussian_filter(noise, (0, 6, 6)) * 8 - 3.5, 0, 1))
    return SwapPrediction(
        face=np.zeros((SIDE, SIDE, 3), np.float32),
        face_mask=soft[0][..., np.newaxis],
        dst_mask=soft[1][..., np.newaxis],
    )


def make(mask_mode, prediction, landmarks, face_type=FaceType.FULL, *, erode=0.0, blur=0.0):
    square = face_transform(landmarks, 1, face_type)
    return face_mask(mask_mode, FaceToMerge(landmarks, prediction), square, erode=erode, blur=blur)


def raw_by_hand(mask_mode, prediction):
    face, dst = prediction.face_mask[..., 0], prediction.dst_mask[..., 0]
    return {
        "full": np.ones((SIDE, SIDE)),
        "learned-prd": face,
        "learned-dst": dst,
        "learned-prd*learned-dst": face * dst,
        "learned-prd+learned-dst": np.clip(face + dst, 0, 1),
    }[mask_mode]


def finished_by_hand(raw, erode, blur):
    """Erosion, empty border, blur and noise floor with SciPy."""
    radius = round(erode / 100 * SIDE)
    assert radius <= 5  # larger ones are composed of several discs
    if radius:
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
        raw = ndimage.grey_erosion(raw, footprint=disc, mode="constant", cval=0)
    reach = int(np.ceil(blur / 100 * SIDE / 2))
    framed = np.zeros_like(raw)
    inside = slice(reach + 1, SIDE - reach - 1)
    framed[inside, inside] = raw[inside, inside]
    if reach:
        sigma = blur / 100 * SIDE / 6
        framed = ndimage.gaussian_filter(framed, sigma, mode="constant", radius=reach)
    return np.where(framed < 1 / 255, 0, framed)


@pytest.mark.parametrize("mask_mode", [name for name in LEARNED if name != "dst"])
@pytest.mark.parametrize(("erode", "blur"), [(0, 0), (2, 0), (0, 9), (1.5, 12)])
def test_masks_equal_those_made_with_scipy(mask_mode, erode, blur, prediction, landmarks_at):
    mask = make(mask_mode, prediction, landmarks_at(0, 0, 100), erode=erode, blur=blur)
    expected = finished_by_hand(raw_by_hand(mask_mode, prediction), erode, blur)
    assert mask.shape == (SIDE, SIDE, 1) and mask.dtype == np.float32
    np.testing.assert_allclose(mask[..., 0], expected, atol=1 / 255 + 1e-5)
    assert np.abs(mask[..., 0] - expected).mean() < 1e-4


@pytest.mark.parametrize("face_type", [FaceType.FULL, FaceType.WHOLE_FACE, FaceType.HEAD])
def test_dst_mask_is_the_hull_drawn_in_the_frame(face_type, prediction, landmarks_at):
    landmarks = landmarks_at(640, 600, 400, 25)
    mask = make("dst", prediction, landmarks, face_type)
    frame_hull = hull_mask((1300, 1300), landmarks)
    frame_to_grid = face_transform(landmarks, SIDE, face_type)
    expected = cv2.warpAffine(frame_hull, frame_to_grid, (SIDE, SIDE), flags=cv2.INTER_AREA) > 0.5
    shown = mask[..., 0] > 0.5
    assert (shown & expected).sum() / (shown | expected).sum() > 0.97


@pytest.mark.parametrize("mask_mode", LEARNED)
@pytest.mark.parametrize("face_type", [FaceType.HALF, FaceType.FULL, FaceType.WHOLE_FACE])
def test_default_border_fades_to_nothing_inside_the_square(mask_mode, face_type, landmarks_at):
    ones = np.ones((64, 64, 1), np.float32)  # a model that claims the whole square
    prediction = SwapPrediction(np.zeros((64, 64, 3), np.float32), ones, ones)
    mask = make(mask_mode, prediction, landmarks_at(0, 0, 9), face_type, erode=2.5, blur=10)[..., 0]
    assert max(mask[0].max(), mask[-1].max(), mask[:, 0].max(), mask[:, -1].max()) == 0
    steepest = max(np.abs(np.diff(mask, axis=axis)).max() for axis in (0, 1))
    # A Gaussian edge of width b has its steepest slope 6 / (b sqrt(2 pi)).
    assert steepest < 1.1 * 6 / (0.10 * mask.shape[0] * np.sqrt(2 * np.pi)) < 0.11
    assert mask.max() > 0.99


def test_default_border_shows_little_of_what_lies_outside_of_the_mask(landmarks_at):
    half = np.zeros((SIDE, SIDE, 1), np.float32)
    half[:, SIDE // 2 :] = 1
    prediction = SwapPrediction(np.zeros((SIDE, SIDE, 3), np.float32), half, half)
    options = MergeOptions()
    mask = make(
        options.mask_mode,
        prediction,
        landmarks_at(0, 0, 9),
        erode=options.erode_mask,
        blur=options.blur_mask,
    )
    row = mask[SIDE // 2, :, 0]
    assert 0 < row[SIDE // 2 - 1] < 0.07 and row[SIDE // 2 + 20] > 0.95


def test_mask_sizes_mean_the_same_for_every_model_resolution(landmarks_at, round_mask):
    areas, widths = [], []
    for resolution in (64, 128, 320, 640):
        disc = round_mask(resolution)
        prediction = SwapPrediction(np.zeros((resolution, resolution, 3), np.float32), disc, disc)
        mask = make("learned-prd", prediction, landmarks_at(0, 0, 9), erode=6, blur=15)
        areas.append(mask.mean())
        row = mask[mask.shape[0] // 2, : mask.shape[1] // 2, 0]
        widths.append(np.count_nonzero((row > 0.05) & (row < 0.95)) / mask.shape[1])
    assert max(areas) / min(areas) < 1.05 and max(widths) - min(widths) < 0.01
    assert areas[0] == pytest.approx(np.pi * (0.35 - 0.06) ** 2, rel=0.04)


def test_enlarged_learned_mask_stays_in_place(landmarks_at):
    small = np.zeros((64, 64, 1), np.float32)
    small[20:40, 10:30] = 1
    prediction = SwapPrediction(np.zeros((64, 64, 3), np.float32), small, None)
    mask = make("learned-prd", prediction, landmarks_at(0, 0, 9))[..., 0]
    scale = grid_side(64) / 64
    y, x = ndimage.center_of_mass(mask)
    assert (x, y) == pytest.approx((19.5 * scale, 29.5 * scale), abs=0.05)


def test_missing_or_broken_masks_are_reported(landmarks_at):
    face = np.zeros((64, 64, 3), np.float32)
    with pytest.raises(ValueError, match="learned-dst"):
        make("learned-dst", SwapPrediction(face, None, None), landmarks_at(0, 0, 9))
    broken = np.full((64, 64, 1), np.nan, np.float32)
    with pytest.raises(ValueError, match="not finite"):
        make("learned-prd", SwapPrediction(face, broken, None), landmarks_at(0, 0, 9))


def stored_in(landmarks, side, face_type=FaceType.HEAD):
    """A mask as an aligned face of another type and size carries it: a disc drawn in the frame."""
    frame_to_mask = face_transform(landmarks, side, face_type)
    disc = np.zeros((400, 400), np.float32)
    cv2.circle(disc, (200, 190), 60, 1, -1, cv2.LINE_AA)
    mask = cv2.warpAffine(disc, frame_to_mask, (side, side), flags=cv2.INTER_LINEAR)
    return StoredMask(mask[..., np.newaxis], frame_to_mask)


@pytest.mark.parametrize("side", [200, 640])
@pytest.mark.parametrize("face_type", [FaceType.FULL, FaceType.WHOLE_FACE])
def test_stored_masks_come_from_the_aligned_face_through_the_frame(side, face_type, landmarks_at):
    landmarks = landmarks_at(200, 200, 90, 20)
    picture = np.zeros((64, 64, 3), np.float32)
    face = FaceToMerge(landmarks, SwapPrediction(picture, None, None),
                       stored_mask=stored_in(landmarks, side))
    frame_to_square = face_transform(landmarks, 1, face_type)
    mask = face_mask("stored-dst", face, frame_to_square, erode=0, blur=0)[..., 0]
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    centre = frame_to_square @ (200, 190, 1)
    radius = 60 * np.sqrt(np.linalg.det(frame_to_square[:, :2]))
    expected = np.hypot(x - centre[0], y - centre[1]) < radius
    shown = mask > 0.5
    assert (shown & expected).sum() / (shown | expected).sum() > 0.97
    assert not shown[0].any() and mask.max() == pytest.approx(1, abs=0.01)


def test_a_stored_mask_shows_nothing_where_the_aligned_face_ends(landmarks_at):
    landmarks = landmarks_at(200, 200, 90)
    small = StoredMask(np.ones((64, 64, 1), np.float32),
                       face_transform(landmarks, 64, FaceType.HALF))
    face = FaceToMerge(landmarks, SwapPrediction(np.zeros((64, 64, 3), np.float32), None, None),
                       stored_mask=small)
    square = face_transform(landmarks, 1, FaceType.WHOLE_FACE)
    mask = face_mask("stored-dst", face, square, erode=0, blur=0)
    half, whole = (1 / np.linalg.det(face_transform(landmarks, 1, kind)[:, :2])
                   for kind in (FaceType.HALF, FaceType.WHOLE_FACE))
    assert mask.mean() == pytest.approx(half / whole, rel=0.03)


def test_a_face_without_a_stored_mask_has_the_hull_with_its_brows(prediction, landmarks_at):
    landmarks = landmarks_at(0, 0, 9)
    square = face_transform(landmarks, 1, FaceType.FULL)
    areas = []
    for expand in (0.0, 1.0, 2.0):
        face = FaceToMerge(landmarks, prediction, eyebrows_expand=expand)
        stored, hull = (face_mask(mode, face, square, erode=0, blur=0)
                        for mode in ("stored-dst", "dst"))
        np.testing.assert_array_equal(stored, hull)
        expected = hull_mask((SIDE, SIDE), landmarks @ square[:, :2].T * SIDE + square[:, 2] * SIDE,
                             expand)
        assert np.abs(hull - expected).mean() < 0.01
        areas.append(hull.sum())
    assert areas[0] < 0.95 * areas[1] < 0.95 * 0.95 * areas[2] * 1.1
