"""JPEGs decoded no larger than needed."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from core.errors import ImageError
from core.imaging.io import decode_image, decode_jpeg_small, encode_image

DOTS = np.array([[30, 40], [200, 61], [120, 130], [70, 210], [221, 225]], float)


def dotted(side: int = 256) -> np.ndarray:
    """(side, side, 3) uint8 with soft dots at DOTS."""
    y, x = np.mgrid[:side, :side]
    image = sum(np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * 6.0**2)) for px, py in DOTS)
    return np.repeat(np.uint8(np.clip(image, 0, 1) * 200 + 20)[..., None], 3, axis=2)


def smooth(side: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    coarse = rng.uniform(0, 255, (12, 12, 3))
    return np.clip(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), 0, 255)


@pytest.mark.parametrize("least_side, side", [
    (1, 32), (32, 32), (33, 64), (100, 128), (160, 160), (161, 192), (224, 224), (225, 256),
    (256, 256), (900, 256)])
def test_it_is_the_smallest_of_eight_sizes_that_suffices(least_side, side):
    image, scale = decode_jpeg_small(encode_image(dotted(), ".jpg"), "face", least_side)
    assert image.shape == (side, side, 3) and image.dtype == np.uint8
    assert scale == side / 256


@pytest.mark.parametrize("quality", [80, 95])  # with and without colours at half the size
@pytest.mark.parametrize("side", [64, 96, 128, 160, 192, 224])
def test_it_looks_like_the_average_of_areas(quality, side):
    whole = np.rint(smooth(256)).astype(np.uint8)
    small, _ = decode_jpeg_small(encode_image(whole, ".jpg", jpeg_quality=quality), "face", side)
    expected = cv2.resize(whole.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)
    assert np.abs(small - expected).mean() < 2.5


@pytest.mark.parametrize("size", [256, 250, 241])  # whole blocks, and pieces at the edge
@pytest.mark.parametrize("least_side", [70, 100, 150, 180])
def test_places_are_where_the_scale_says(size, least_side):
    image, scale = decode_jpeg_small(
        encode_image(dotted(size), ".jpg", jpeg_quality=100), "face", least_side)
    assert min(image.shape[:2]) == -(-size * round(scale * 8) // 8) >= least_side
    for dot in DOTS:
        expected = (dot + 0.5) * scale - 0.5
        reach = int(12 * scale)
        x0, y0 = np.round(expected).astype(int) - reach
        patch = np.clip(image[y0:y0 + 2 * reach + 1, x0:x0 + 2 * reach + 1, 1] - 30.0, 0, None)
        y, x = np.mgrid[:patch.shape[0], :patch.shape[1]]
        found = np.array([(patch * x).sum(), (patch * y).sum()]) / patch.sum() + (x0, y0)
        assert np.abs(found - expected).max() < 0.08


def test_fine_detail_is_averaged_not_skipped():
    y, x = np.mgrid[:256, :256]
    board = np.repeat(np.uint8(255 * ((x + y) % 2))[..., None], 3, axis=2)
    image, _ = decode_jpeg_small(encode_image(board, ".jpg", jpeg_quality=100), "face", 100)
    assert np.abs(image - 127.5).max() < 4


def test_a_picture_that_exif_turns_is_decoded_whole_and_upright():
    picture = Image.fromarray(dotted()[..., ::-1])
    exif = picture.getexif()
    exif[0x0112] = 6
    file = io.BytesIO()
    picture.save(file, "jpeg", quality=95, exif=exif)
    image, scale = decode_jpeg_small(file.getvalue(), "face", 64)
    assert scale == 1 and np.array_equal(image, decode_image(file.getvalue(), "face"))


@pytest.mark.parametrize("damage", [
    lambda data: data[:len(data) // 2], lambda data: data[:100], lambda data: b"",
    lambda data: b"GIF89a", lambda data: data[:len(data) // 2] + b"\xff\xd9"])
def test_damage_is_found_at_every_size(damage):
    data = damage(encode_image(dotted(), ".jpg"))
    for least_side in (40, 160, 256):
        with pytest.raises(ImageError, match="face"):
            decode_jpeg_small(data, "face", least_side)
