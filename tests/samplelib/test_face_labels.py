"""Polygons and masks in face files."""

import cv2
import numpy as np
import pytest
import scipy.ndimage

from core.errors import CorruptFaceImage, ImageError
from core.polygons import Polygon
from facelib.face_type import FaceType
from facelib.masks import hull_mask
from samplelib.face_image import read_info, read_picture, write_info
from samplelib.face_labels import (
    decode_mask,
    encode_mask,
    known_mask,
    labelled_mask,
    stored_mask,
    write_mask,
    write_polygons,
)
from samplelib.faceset import load_faceset
from samplelib.recipe import SampleRecipe
from samplelib.sampler import preview_batch

OUTLINE = Polygon([(10.25, 12), (80, 15.5), (60, 90)])
HOLE = Polygon([(40, 30), (60, 30), (50, 50)], is_include=False)


@pytest.fixture
def face(make_faceset):
    return make_faceset(1).faces[0].path


@pytest.fixture
def soft():
    """A disc with a soft edge, (256, 256, 1)."""
    y, x = np.mgrid[:256, :256]
    return np.float32(1 / (1 + np.exp((np.hypot(x - 120, y - 130) - 70) / 3)))[..., None]


def test_polygons_come_back_exactly_and_the_picture_stays(face):
    before, picture = face.read_bytes(), read_picture(face)
    write_polygons(face, [HOLE, Polygon([]), OUTLINE])
    assert read_info(face).polygons == (OUTLINE, HOLE)
    np.testing.assert_array_equal(read_picture(face), picture)
    write_polygons(face, [])
    assert face.read_bytes() == before


def test_masks_come_back_to_half_a_level_and_are_small(face, soft):
    info = write_mask(face, soft, "starter")
    assert len(info.xseg_mask) < 20_000
    again = read_info(face)
    assert again.xseg_origin == "starter"
    np.testing.assert_allclose(decode_mask(again.xseg_mask), soft, atol=0.5 / 255 + 1e-6)
    assert write_mask(face, None, None).xseg_mask is None and read_info(face).xseg_origin is None


def test_a_mask_that_compresses_badly_becomes_a_jpeg_below_the_limit():
    noise = np.random.default_rng(1).random((256, 256, 1)).astype(np.float32)
    data = encode_mask(noise)
    assert data[:2] == b"\xff\xd8" and len(data) <= 50_000
    assert decode_mask(data).shape == (256, 256, 1)


@pytest.mark.parametrize("data", [b"", b"no picture", encode_mask(np.zeros((4, 4, 1)))[:30]])
def test_a_damaged_mask_says_what_to_do(data):
    with pytest.raises(ImageError, match="xseg apply"):
        decode_mask(data)


def test_what_was_drawn_outranks_what_was_made_and_that_the_hull(face, soft):
    info = read_info(face)
    assert labelled_mask(info, 96) is None
    np.testing.assert_array_equal(known_mask(info, 96), hull_mask((96, 96), info.landmarks, 1.0))
    info = write_mask(face, soft, "starter")
    made = known_mask(info, 96)
    places = np.arange(96) * 256 / 96
    expected = scipy.ndimage.map_coordinates(soft[..., 0], np.meshgrid(places, places)[::-1],
                                             order=1) > 0.5
    assert (made[..., 0] != expected).mean() < 0.005 and set(np.unique(made)) == {0, 1}
    np.testing.assert_allclose(stored_mask(info, 256), soft, atol=0.5 / 255 + 1e-6)
    info = write_polygons(face, [OUTLINE, HOLE])
    drawn = np.zeros((96, 96), np.uint8)
    cv2.fillPoly(drawn, [np.array([(10, 12), (80, 15), (60, 90)])], 1)
    cv2.fillPoly(drawn, [np.array([(40, 30), (60, 30), (50, 50)])], 0)
    np.testing.assert_array_equal(known_mask(info, 96)[..., 0], drawn)


def test_a_face_of_an_older_version_has_neither(face):
    info = read_info(face)
    assert info.polygons == () and info.xseg_mask is None and b"polygons" not in face.read_bytes()


def test_a_file_that_is_no_face_is_named(tmp_path, face):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(face.read_bytes()[:40])
    with pytest.raises(CorruptFaceImage, match="broken.jpg"):
        write_polygons(broken, [OUTLINE])
    write_info(face, read_info(face))


@pytest.mark.parametrize("plane", ["warped_drawn", "warped_stored"])
def test_samples_show_the_mask_where_the_face_is(face, soft, plane):
    """Of a face twice as large as the sample: the mask's centre comes to half its place."""
    write_polygons(face, [Polygon([(20, 30), (59, 30), (59, 69), (20, 69)])])
    square = np.zeros((256, 256, 1), np.float32)
    square[80:187, 53:160] = 1
    write_mask(face, square, "by hand")
    recipe = SampleRecipe(48, FaceType.FULL, ("target", plane, "mask"))
    batch = preview_batch(load_faceset(face.parent), recipe, [0])
    ys, xs = np.nonzero(batch[plane][0, ..., 0] > 127)
    np.testing.assert_allclose((xs.mean(), ys.mean()), (19.5, 24.5), atol=0.5)
    assert 380 < len(xs) < 420
    seen = batch["mask"][0, ..., 0] > 127  # swaps learn the segmenter's mask where there is one
    np.testing.assert_allclose(np.argwhere(seen).mean(0), (24.5, 19.5), atol=0.6)
