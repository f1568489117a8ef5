"""Pictures in and out, with Pillow as the independent encoder and decoder."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from core.errors import ImageError
from core.imaging.io import decode_image, encode_image, read_image, write_image


@pytest.fixture(scope="module")
def photo():
    """(120, 90, 3) uint8 BGR, smooth, with a different colour in each quarter."""
    y, x = np.mgrid[:120, :90].astype(np.float64)
    channels = [40 + x, 30 + y * 1.5, 200 - x - y / 2]
    return np.clip(np.dstack(channels), 0, 255).astype(np.uint8)


def pillow(image_bgr):
    return Image.fromarray(np.ascontiguousarray(image_bgr[..., ::-1]))


def saved(picture, kind, **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def test_png_comes_back_exactly_under_any_unicode_name(tmp_path, photo):
    path = tmp_path / "Фото ünï 顔 😀.png"
    write_image(path, photo)
    assert np.array_equal(read_image(path), photo)
    with Image.open(path) as picture:
        assert np.array_equal(np.asarray(picture)[..., ::-1], photo)


def test_colour_order_is_blue_green_red():
    red = saved(Image.new("RGB", (2, 2), (255, 0, 0)), "PNG")
    assert decode_image(red, "red")[0, 0].tolist() == [0, 0, 255]


def test_grey_is_repeated_over_three_channels(photo):
    grey = photo[..., 1]
    image = decode_image(saved(Image.fromarray(grey), "PNG"), "grey")
    assert np.array_equal(image, np.dstack([grey] * 3))


def test_alpha_is_dropped_and_hidden_colours_stay(photo):
    rgba = np.dstack([photo[..., ::-1], np.zeros(photo.shape[:2], np.uint8)])
    assert np.array_equal(decode_image(saved(Image.fromarray(rgba), "PNG"), "alpha"), photo)


def test_palette_picture_has_its_colours():
    picture = Image.new("P", (2, 1))
    picture.putpalette([10, 20, 30, 200, 100, 50])
    picture.putpixel((1, 0), 1)
    image = decode_image(saved(picture, "PNG"), "palette")
    assert image.tolist() == [[[30, 20, 10], [50, 100, 200]]]


def test_sixteen_bit_is_scaled_and_rounded():
    values = np.uint16([[0, 128, 129, 257, 32768, 65535]])
    image = decode_image(saved(Image.fromarray(values), "PNG"), "16 bit")
    # v / 257 rounded: 0.498 -> 0, 0.502 -> 1, 127.502 -> 128
    assert image[0, :, 0].tolist() == [0, 0, 1, 1, 128, 255]


def test_float_picture_is_scaled_from_zero_to_one():
    values = np.float32([[[0, 0.5, 1.5]]])
    image = decode_image(cv2.imencode(".tif", values)[1].tobytes(), "float")
    assert image.tolist() == [[[0, 128, 255]]]


def test_cmyk_jpeg_has_natural_colours(photo):
    data = saved(pillow(photo).convert("CMYK"), "JPEG", quality=98)
    assert np.abs(decode_image(data, "cmyk").astype(int) - photo).mean() < 2


# What the eight EXIF orientations do to the stored array (EXIF 2.32, table of tag 274).
UPRIGHT = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_orientation_is_applied(photo, orientation, kind):
    exif = Image.Exif()
    exif[274] = orientation
    options = {"quality": 98, "subsampling": 0} if kind == "JPEG" else {}
    image = decode_image(saved(pillow(photo), kind, exif=exif, **options), "turned")
    expected = UPRIGHT[orientation](photo)
    assert image.shape == expected.shape
    assert np.abs(image.astype(int) - expected).mean() < 2


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.999])
def test_truncated_jpeg_is_refused(photo, kept, progressive):
    noisy = photo ^ np.random.default_rng(1).integers(0, 32, photo.shape, dtype=np.uint8)
    data = saved(pillow(noisy), "JPEG", quality=95, progressive=progressive)
    with pytest.raises(ImageError, match="half.jpg"):
        decode_image(data[: int(len(data) * kept)], "half.jpg")


def test_truncated_jpeg_with_an_end_marker_put_on_is_refused(photo):
    noisy = photo ^ np.random.default_rng(1).integers(0, 32, photo.shape, dtype=np.uint8)
    data = saved(pillow(noisy), "JPEG", quality=95)
    with pytest.raises(ImageError, match="premature end"):
        decode_image(data[: len(data) // 2] + b"\xff\xd9", "half.jpg")


def test_truncated_jpeg_with_a_whole_thumbnail_is_refused(photo):
    noisy = photo ^ np.random.default_rng(1).integers(0, 32, photo.shape, dtype=np.uint8)
    thumbnail = saved(pillow(photo[:16, :16]), "JPEG")
    data = saved(pillow(noisy), "JPEG", exif=b"Exif\x00\x00" + thumbnail, quality=95)
    with pytest.raises(ImageError):
        decode_image(data[: len(data) // 2], "half.jpg")


def test_jpeg_with_trailing_bytes_is_read(photo):
    data = saved(pillow(photo), "JPEG", quality=98) + b"appended by a camera"
    assert decode_image(data, "trailing").shape == photo.shape


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "BMP"])
def test_truncated_picture_of_other_kinds_is_refused(photo, kind):
    data = saved(pillow(photo), kind)
    with pytest.raises(ImageError, match="cut"):
        decode_image(data[: len(data) // 2], "cut")


@pytest.mark.parametrize("content", [b"", b"\xff\xd8", b"no picture at all", b"\x89PNG\r\n\x1a\n"])
def test_a_file_that_is_no_picture_is_an_error_of_one_line(tmp_path, content):
    path = tmp_path / "bad.png"
    path.write_bytes(content)
    with pytest.raises(ImageError) as caught:
        read_image(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_missing_file_and_folder_are_image_errors(tmp_path):
    with pytest.raises(ImageError, match="nowhere.png"):
        read_image(tmp_path / "nowhere.png")
    with pytest.raises(ImageError):
        read_image(tmp_path)


def test_jpeg_quality_chooses_size_and_colour_resolution(photo):
    sharp = encode_image(photo, ".JPG", jpeg_quality=95)
    small = encode_image(photo, ".jpg", jpeg_quality=60)
    assert len(small) < len(sharp)
    layers = [Image.open(io.BytesIO(data)).layer[0][1:3] for data in (sharp, small)]
    assert layers == [(1, 1), (2, 2)]  # sampling of the luma against the chroma


def test_one_channel_is_written_as_grey(photo):
    data = encode_image(photo[..., :1], ".png")
    assert Image.open(io.BytesIO(data)).mode == "L"


def test_unknown_suffix_and_float_arrays_are_refused(photo):
    with pytest.raises(ImageError, match=r"\.xyz"):
        encode_image(photo, ".xyz")
    with pytest.raises(ValueError, match="float64"):
        encode_image(photo / 255, ".png")


def test_failed_write_leaves_the_old_picture_and_nothing_else(tmp_path, photo):
    path = tmp_path / "face.png"
    write_image(path, photo)
    with pytest.raises(ValueError):
        write_image(path, photo.astype(np.float32))
    with pytest.raises(ImageError):
        write_image(tmp_path / "missing" / "face.png", photo)
    assert np.array_equal(read_image(path), photo)
    assert [p.name for p in tmp_path.iterdir()] == ["face.png"]


DEEP = np.random.default_rng(4).integers(0, 65536, (30, 41, 3), dtype=np.uint16)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_come_back_exactly_if_wanted(tmp_path, suffix, channels):
    path = tmp_path / f"deep{suffix}"
    write_image(path, DEEP[..., :channels])
    expected = DEEP if channels == 3 else np.repeat(DEEP[..., :1], 3, axis=2)
    assert np.array_equal(read_image(path, deep=True), expected)
    shallow = read_image(path)
    assert shallow.dtype == np.uint8
    assert np.array_equal(shallow, np.rint(expected / 257).astype(np.uint8))


def test_pillow_reads_the_same_sixteen_bits():
    grey = Image.open(io.BytesIO(encode_image(DEEP[..., :1], ".png")))
    assert grey.mode.startswith("I;16") and np.array_equal(np.asarray(grey), DEEP[..., 0])


def test_eight_bits_stay_eight_and_floats_become_sixteen_if_depth_is_wanted(photo):
    assert np.array_equal(decode_image(encode_image(photo, ".png"), "8 bit", deep=True), photo)
    values = np.float32([[[0, 0.5, 1.5]]])
    image = decode_image(cv2.imencode(".tif", values)[1].tobytes(), "float", deep=True)
    assert image.dtype == np.uint16 and image.tolist() == [[[0, 32768, 65535]]]


def test_sixteen_bits_are_refused_where_the_format_has_eight():
    with pytest.raises(ImageError, match=r"16 bits as '\.jpg'; use \.png"):
        encode_image(DEEP, ".jpg")
