"""Samples as pictures: things drawn on a face arrive where the matrices say."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from core.imaging.hsv import shift_hsv
from facelib.align import face_transform
from facelib.face_type import FaceType
from facelib.masks import eyes_mouth_mask, hull_mask
from samplelib.face_image import write_face, write_info
from samplelib.face_info import FaceInfo
from samplelib.face_source import FaceSource, Problems
from samplelib.faceset import load_faceset
from samplelib.geometry import UNCHANGED, Geometry, draw_geometry, picture_to_sample
from samplelib.hsv_shift import HsvShift, draw_hsv_shift
from samplelib.prepared_face import prepare_face
from samplelib.processor import make_sample as make_bytes
from samplelib.recipe import SampleOptions, SampleRecipe

ALL = ("warped", "target", "mask", "eyes_mouth")
RNG = np.random.default_rng(0)
DOTS = np.array([[70, 80], [180, 90], [120, 130], [90, 190], [170, 200]], float)


def make_sample(*arguments) -> dict[str, np.ndarray]:
    """The sample with its arrays in [0, 1]."""
    return {name: array / np.float32(255) for name, array in make_bytes(*arguments).items()}


@pytest.fixture
def dotted(tmp_path, landmarks_of):
    """Function: a 256 px black face of some type with five soft white dots at DOTS."""
    def make(face_type: FaceType):
        y, x = np.mgrid[:256, :256]
        image = sum(np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * 4.0**2)) for px, py in DOTS)
        image = np.repeat(np.uint8(np.clip(image, 0, 1) * 255)[..., None], 3, axis=2)
        write_face(tmp_path / "dots_0.jpg", image,
                   FaceInfo(face_type, landmarks_of(face_type, 256)), jpeg_quality=100)
        return load_faceset(tmp_path).faces[0]
    return make


def centre_of_dot(image: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Centre of mass (x, y) of the bright dot around a place."""
    reach = max(7, len(image) // 16)
    side = 2 * reach + 1
    x0, y0 = np.round(near).astype(int) - reach
    patch = np.clip(image[y0:y0 + side, x0:x0 + side, 1] - 0.1, 0, None)
    y, x = np.mgrid[:side, :side]
    return np.array([(patch * x).sum(), (patch * y).sum()]) / patch.sum() + (x0, y0)


@pytest.mark.parametrize("resolution", [96, 128, 256, 300])
@pytest.mark.parametrize("geometry", [
    UNCHANGED, Geometry(rotation=9, scale=1.04, shift=(0.03, -0.04)),
    Geometry(rotation=-10, scale=0.95, shift=(-0.05, 0.05), is_flipped=True)])
def test_dots_move_where_the_matrix_says(dotted, resolution, geometry):
    recipe = SampleRecipe(resolution, FaceType.FULL, ALL)
    sample = make_sample(prepare_face(dotted(FaceType.FULL), recipe), recipe, geometry, RNG)
    matrix = picture_to_sample(geometry, resolution)
    for dot in DOTS * resolution / 256:
        expected = matrix @ (*dot, 1)
        for name in ("target", "warped"):
            assert np.allclose(centre_of_dot(sample[name], expected), expected, atol=0.06)


@pytest.mark.parametrize("shown, wanted", [
    (FaceType.WHOLE_FACE, FaceType.FULL), (FaceType.HEAD, FaceType.WHOLE_FACE),
    (FaceType.FULL, FaceType.HALF)])
def test_a_narrower_face_type_is_cropped_by_the_landmarks(dotted, landmarks_of, shown, wanted):
    recipe = SampleRecipe(128, wanted, ALL)
    geometry = Geometry(rotation=5, shift=(0.02, 0.01))
    sample = make_sample(prepare_face(dotted(shown), recipe), recipe, geometry, RNG)
    crop = face_transform(landmarks_of(shown, 256), 128, wanted)
    matrix = picture_to_sample(geometry, 128)
    places = [matrix @ (*(crop @ (*dot, 1)), 1) for dot in DOTS]
    inside = [place for place in places if (place > 9).all() and (place < 119).all()]
    assert len(inside) >= 3
    for expected in inside:
        assert np.allclose(centre_of_dot(sample["target"], expected), expected, atol=0.06)


def test_a_crop_from_a_wider_face_shows_what_is_beyond_its_border(dotted, landmarks_of):
    """A sample moved aside shows the wider face's own pixels, not a smear."""
    recipe = SampleRecipe(128, FaceType.FULL, ALL)
    face = dotted(FaceType.HEAD)
    beyond = face_transform(landmarks_of(FaceType.HEAD, 256), 128, FaceType.FULL) @ (*DOTS[1], 1)
    shift = (118 - beyond) / 128 - 0.02
    sample = make_sample(prepare_face(face, recipe), recipe,
                         Geometry(shift=(shift[0], 0)), RNG)
    expected = beyond + (shift[0] * 128, 0)
    if 8 < expected[1] < 120:
        assert np.allclose(centre_of_dot(sample["target"], expected), expected, atol=0.06)


def test_mask_lies_on_the_target_and_is_not_warped(make_faceset, landmarks_of):
    recipe = SampleRecipe(128, FaceType.FULL, ALL)
    face = prepare_face(make_faceset(1, size=256).faces[0], recipe)
    options = SampleOptions(random_flip=True)
    for seed in range(6):
        geometry = draw_geometry(options, np.random.default_rng(seed))
        mask = make_sample(face, recipe, geometry, RNG)["mask"]
        moved = landmarks_of(FaceType.FULL, 128) @ (matrix := picture_to_sample(
            geometry, 128))[:, :2].T + matrix[:, 2]
        if geometry.is_flipped:  # hull parts are symmetric sets, so sides need no swapping
            moved = moved[FLIP]
        expected = hull_mask((128, 128), moved)
        overlap = np.minimum(mask, expected).sum() / np.maximum(mask, expected).sum()
        assert overlap > 0.97
        assert mask.min() == 0 and mask.max() == 1


@pytest.mark.parametrize("shown, wanted", [
    (FaceType.FULL, FaceType.FULL), (FaceType.WHOLE_FACE, FaceType.FULL),
    (FaceType.HEAD, FaceType.HALF)])
def test_masks_are_those_of_the_aligned_picture_brought_to_size(
        dotted, landmarks_of, shown, wanted):
    """They are drawn at the size that is stored, which must not show."""
    recipe = SampleRecipe(128, wanted, ALL)
    sample = make_sample(prepare_face(dotted(shown), recipe), recipe, UNCHANGED, RNG)
    landmarks = landmarks_of(shown, 256)
    hull = hull_mask((256, 256), landmarks)
    features = eyes_mouth_mask((256, 256), landmarks) * (hull > 0)
    matrix = np.eye(2, 3) / 2 if shown == wanted else face_transform(landmarks, 128, wanted)
    for name, drawn in (("mask", hull), ("eyes_mouth", features / features.max())):
        # Averages of 4 x 4 places each, so that the expected mask has a smooth edge too.
        to_fine = np.float32([[4, 0, 1.5], [0, 4, 1.5]]) @ np.vstack([matrix, (0, 0, 1)])
        fine = cv2.warpAffine(drawn, to_fine, (512, 512))
        expected = cv2.resize(fine, (128, 128), interpolation=cv2.INTER_AREA)
        difference = np.abs(sample[name][..., 0] - expected)
        assert difference.mean() < 0.006 and np.quantile(difference, 0.995) < 0.4


# Mirror partner of each of the 68 landmarks, from the scheme's own symmetry.
FLIP = np.r_[16:-1:-1, 26:16:-1, 27:31, 35:30:-1, 45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
             54:47:-1, 59:54:-1, 64:59:-1, 67:64:-1]


def test_warped_differs_from_target_only_by_the_warp(make_faceset):
    recipe = SampleRecipe(96, FaceType.FULL, ALL)
    face = prepare_face(make_faceset(1).faces[0], recipe)
    warped = draw_geometry(SampleOptions(), np.random.default_rng(1))
    plain = Geometry(warped.rotation, warped.scale, warped.shift)
    with_warp, without = (make_sample(face, recipe, g, RNG) for g in (warped, plain))
    assert np.abs(with_warp["warped"] - with_warp["target"]).mean() > 0.01
    assert np.array_equal(without["warped"], without["target"])
    for name in ("target", "mask", "eyes_mouth"):
        assert np.array_equal(with_warp[name], without[name])


def test_a_warp_of_zero_reads_the_same_pixels_as_none(make_faceset):
    recipe = SampleRecipe(96, FaceType.FULL, ALL)
    face = prepare_face(make_faceset(1, size=200).faces[0], recipe)
    sample = make_sample(face, recipe, Geometry(rotation=4, warp=np.zeros((5, 5, 2))), RNG)
    difference = np.abs(sample["warped"] - sample["target"])
    assert difference.mean() < 0.002 and difference.max() < 0.1


def test_images_repeat_their_border_and_masks_end(make_faceset):
    recipe = SampleRecipe(64, FaceType.FULL, ALL)
    face = prepare_face(make_faceset(1, size=64).faces[0], recipe)
    sample = make_sample(face, recipe, Geometry(shift=(0.5, 0)), RNG)
    assert np.array_equal(sample["target"][:, :31], np.repeat(sample["target"][:, :1], 31, axis=1))
    assert sample["mask"][:, :32].max() == 0 < sample["mask"].max()


def test_arrays_are_bytes(make_faceset):
    recipe = SampleRecipe(80, FaceType.FULL, ALL)
    face = prepare_face(make_faceset(1).faces[0], recipe)
    sample = make_bytes(face, recipe, draw_geometry(SampleOptions(), RNG), RNG)
    for name, channels in zip(ALL, (3, 3, 1, 1)):
        assert sample[name].shape == (80, 80, channels) and sample[name].dtype == np.uint8
    assert sample["eyes_mouth"].max() == 255
    assert (sample["mask"][sample["eyes_mouth"] > 128] > 0).all()


def test_unchanged_sample_of_equal_size_is_the_face_itself(make_faceset):
    faceset = make_faceset(1, size=96)
    recipe = SampleRecipe(96, FaceType.FULL, ALL)
    sample = make_sample(prepare_face(faceset.faces[0], recipe), recipe, UNCHANGED, RNG)
    image = cv2.imread(str(faceset.faces[0].path))
    assert np.abs(sample["target"] * 255 - image).max() < 1.5


def test_cache_keeps_to_its_limit_and_gives_equal_faces(make_faceset):
    faceset = make_faceset(4)
    recipe = SampleRecipe(64, FaceType.FULL)
    one = prepare_face(faceset.faces[0], recipe).n_bytes
    assert one == 80 * 80 * 4  # stored at 1.25 times the sample's side, 3 + 1 channels
    source = FaceSource(faceset, recipe, 2 * one, Problems())
    first = [source.get(index) for index in range(4)]
    second = [source.get(index) for index in range(4)]
    assert [a is b for a, b in zip(first, second)] == [True, True, False, False]
    for a, b in zip(first, second):
        assert np.array_equal(a.planes["image"], b.planes["image"])


def test_hsv_shift_is_for_the_warped_output_alone(make_faceset):
    recipe = SampleRecipe(64, FaceType.FULL, ALL)
    face = prepare_face(make_faceset(1).faces[0], recipe)
    plain = make_bytes(face, recipe, UNCHANGED, RNG)
    shifted = make_bytes(face, recipe, UNCHANGED, RNG, HsvShift(30, 0.1, -0.1))
    for name in ("target", "mask", "eyes_mouth"):
        assert np.array_equal(plain[name], shifted[name])
    assert np.array_equal(shifted["warped"], shift_hsv(plain["target"], 30, 0.1, -0.1))
    assert np.abs(shifted["warped"].astype(int) - plain["target"]).mean() > 5


def test_hsv_shifts_fill_their_ranges():
    rng = np.random.default_rng(0)
    drawn = np.array([draw_hsv_shift(0.1, rng) for _ in range(3000)])
    for values, limit in zip(drawn.T, (18, 0.05, 0.05)):
        assert limit * 0.99 < values.max() <= limit and -limit <= values.min() < -limit * 0.99
        assert abs(values.mean()) < limit * 0.05


def test_shrinking_averages_instead_of_skipping(tmp_path, landmarks_of):
    """A fine checkerboard becomes grey; skipping pixels would give black, white or moire."""
    y, x = np.mgrid[:512, :512]
    board = np.repeat(np.uint8(255 * ((x + y) % 2))[..., None], 3, axis=2)
    write_face(tmp_path / "board_0.jpg", board,
               FaceInfo(FaceType.FULL, landmarks_of(FaceType.FULL, 512)), jpeg_quality=100)
    recipe = SampleRecipe(96, FaceType.FULL)
    face = prepare_face(load_faceset(tmp_path).faces[0], recipe)
    target = make_sample(face, recipe, Geometry(rotation=7, scale=0.96), RNG)["target"]
    assert np.abs(target - 0.5).max() < 0.1


def test_landmarks_outside_the_picture_are_an_error(make_faceset):
    face = make_faceset(1, FaceType.WHOLE_FACE).faces[0]
    write_info(face.path, replace(face.info, landmarks=face.info.landmarks + 1000))
    with pytest.raises(ValueError, match="outside the picture"):
        prepare_face(face, SampleRecipe(64, FaceType.FULL))


def test_a_face_that_has_become_too_narrow_is_an_error(make_faceset):
    face = make_faceset(1, FaceType.WHOLE_FACE).faces[0]
    write_info(face.path, replace(face.info, face_type=FaceType.HALF))
    with pytest.raises(ValueError, match="half_face, too narrow"):
        prepare_face(face, SampleRecipe(64, FaceType.FULL))


def test_only_wanted_planes_are_made(make_faceset):
    face = make_faceset(1).faces[0]
    assert set(prepare_face(face, SampleRecipe(64, FaceType.FULL, ("warped",))).planes) == {"image"}
