"""Two hundred files that nobody should have to work with, made from a seed."""

import io
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

ORIENTATION = 0x0112  # EXIF tag

GOOD, BAD = "good", "bad"
"""Whether a file must be worked on, or reported in one line."""


def write_hostile_files(folder: Path, portrait: np.ndarray, seed: int = 0) -> dict[str, str]:
    """Fills a folder.

    Args:
        folder: Exists.
        portrait: (H, W, 3) uint8 BGR with one face.
        seed: Decides where files are cut and what noise they hold.

    Returns:
        File name -> GOOD or BAD, for each of the 200 files.
    """
    rng = np.random.default_rng(seed)
    kinds = [_truncated, _empty, _wrong_suffix, _tiny, _wide, _cmyk, _sixteen_bit, _grey, _alpha,
             _exif, _unicode, _long_names, _links, _noise, _odd_files]
    verdicts: dict[str, str] = {}
    for kind in kinds:
        for name, content, verdict in kind(portrait, rng):
            path = folder / name
            if isinstance(content, bytes):
                path.write_bytes(content)
            elif isinstance(content, str):
                path.symlink_to(content)
            verdicts[name] = verdict
    return verdicts


Made = Iterator[tuple[str, bytes | str, str]]
"""(name, bytes of the file or target of the link, verdict)."""


def _jpeg(image: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()


def _png(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def _pil(image: np.ndarray, kind: str, mode: str = "RGB", **settings) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image[..., ::-1]).convert(mode).save(buffer, kind, **settings)
    return buffer.getvalue()


def _truncated(portrait: np.ndarray, rng: np.random.Generator) -> Made:
    for suffix in (".jpg", ".png", ".tif", ".webp", ".bmp"):
        whole = cv2.imencode(suffix, portrait)[1].tobytes()
        for number, share in enumerate(rng.uniform(0.02, 0.9, 8)):
            yield f"truncated{number}{suffix[1:]}{suffix}", whole[: int(len(whole) * share)], BAD


def _empty(portrait: np.ndarray, rng: np.random.Generator) -> Made:
    for suffix in (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"):
        yield f"empty_{suffix[1:]}{suffix}", b"", BAD
    yield "empty\nof two lines.webp", b"", BAD


def _wrong_suffix(portrait: np.ndarray, rng: np.random.Generator) -> Made:
    encoded = {suffix: cv2.imencode(f".{suffix}", portrait)[1].tobytes()
               for suffix in ("jpg", "png", "webp", "bmp", "tiff")}
    for kind, data in encoded.items():
        for suffix in encoded:
            if suffix != kind:
                yield f"really_{kind}_named_{suffix}.{suffix}", data, GOOD
    for suffix, data in {"jpg": b"%PDF-1.7\n" + bytes(300), "png": b"PK\x03\x04" + bytes(300),
                         "tif": b"hello " * 90, "webp": b"RIFF" + bytes(60),
                         "bmp": b"BM" + bytes(10), "jpeg": b"\xff\xd8\xff\xe0"}.items():
        yield f"no_picture_{suffix}.{suffix}", data, BAD


def _tiny(portrait: np.ndarray, rng: np.random.Generator) -> Made:
    for height, width in ((1, 1), (1, 7), (7, 1), (2, 2), (3, 5), (15, 15), (31, 33)):
        image = rng.integers(0, 256, (height, width, 3), np.uint8)
        yield f"tiny_{height}x{width}.png", _png(image), GOOD
        yield f"tiny_{height}x{width}_j.jpg", _jpeg(image), GOOD


def _wide(portrait: np.ndarray, rng: np.random.Generator) -> Made:
    line = np.tile(portrait[60:63], (1, 300, 1))[:, :30000]
    yield "wide.png", _png(line), GOOD
    yield "wide_j.jpg", _jpeg(line), GOOD
    yield "high.png", _png(np.ascontiguousarray(line.transpose(1, 0, 2))), GOOD
    strip = np.zeros((portrait.shape[0], 30000, 3), np.uint8)
    strip[:, 17000 : 17000 + portrait.shape[1]] = portrait
    yield "wide_strip.png", _png(strip), GOOD


def _cmyk(portrait: np.ndarray, rng: np.random.Generator) -> Made:
    for number in range(8):
        dark = np.uint8(portrait * rng.uniform(0.5, 1))
        yield f"cmyk{number}.jpg", _pil(dark, "JPEG", "CMYK", quality=80 + number), GOOD


def _sixteen_bit(portrait: np.ndarray, rng: np.random.Generator) -> Made:
    for number in range(5):
        noise = rng.integers(0, 257, portrait.shape, np.uint16)
        deep = portrait.astype(np.uint16) * 256 + noise
        yield f"sixteen{number}.png", _png(np.minimum(deep, 65535).astype(np.uint16)), GOOD
        yield f"sixteen_t{number}.tif", cv2.imencode(".tif", deep)[1].tobytes(), GOOD
    yield "float.tif", cv2.imencode(".tif", np.float32(portrait) / 255)[1].tobytes(), GOOD


def _grey(portrait: np.ndarray, rng: np.random.Generator) -> Made:
    grey = cv2.cvtColor(portrait, cv2.COLOR_BGR2GRAY)
    for suffix in (".png", ".jpg", ".bmp", ".tif", ".webp"):
        yield f"grey_{suffix[1:]}{suffix}", cv2.imencode(suffix, grey)[1].tobytes(), GOOD
    yield "grey16.png", _png(grey.astype(np.uint16) * 257), GOOD
    yield "black_and_white.png", _pil(portrait, "PNG", "1"), GOOD
    yield "palette.png", _pil(portrait, "PNG", "P"), GOOD
    yield "grey_alpha.png", _pil(portrait, "PNG", "LA"), GOOD


def _alpha(portrait: np.ndarray, rng: np.random.Generator) -> Made:
    for number in range(5):
        alpha = rng.integers(0, 256, portrait.shape[:2], np.uint8)
        picture = np.dstack([portrait, alpha])
        yield f"alpha{number}.png", _png(picture), GOOD
        yield f"alpha_w{number}.webp", cv2.imencode(".webp", picture)[1].tobytes(), GOOD


def _exif(portrait: np.ndarray, rng: np.random.Generator) -> Made:
    """All eight orientations, so that the picture seen is always the same."""
    undo = {1: lambda p: p, 2: lambda p: p[:, ::-1], 3: lambda p: p[::-1, ::-1],
            4: lambda p: p[::-1], 5: lambda p: p.transpose(1, 0, 2),
            6: lambda p: np.rot90(p), 7: lambda p: np.rot90(p.transpose(1, 0, 2), 2),
            8: lambda p: np.rot90(p, -1)}
    for orientation, turn in undo.items():
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        stored = np.ascontiguousarray(turn(portrait))
        yield f"exif{orientation}.jpg", _pil(stored, "JPEG", exif=exif, quality=95), GOOD
        yield f"exif{orientation}_t.png", _pil(stored, "PNG", exif=exif), GOOD
    exif = Image.Exif()
    exif[ORIENTATION] = 99
    yield "exif99.jpg", _pil(portrait, "JPEG", exif=exif), GOOD


def _unicode(portrait: np.ndarray, rng: np.random.Generator) -> Made:
    picture = _jpeg(portrait)
    for stem in ("лицо", "顔 01", "وجه", "ça và", "emoji😀", "tab\tname", "line\nbreak", "quote'\"",
                 "back\\slash", "e\u0301", "%s%d", "$HOME", "-flag", "a_b_c_0", "dots...and..",
                 " leading", "trailing "):
        yield f"{stem}.jpg", picture, GOOD
    yield os.fsdecode(b"not utf-8 \xff\xfe.jpg"), picture, GOOD


def _long_names(portrait: np.ndarray, rng: np.random.Generator) -> Made:
    picture = _jpeg(portrait)
    for number, length in enumerate((180, 220, 240, 248, 251)):
        yield "n" * (length - 1) + f"{number}.jpg", picture, GOOD
    yield "長" * 80 + ".jpg", picture, GOOD
    yield "長" * 83 + ".png", picture, GOOD


def _links(portrait: np.ndarray, rng: np.random.Generator) -> Made:
    yield "loop_a.png", "loop_b.png", BAD
    yield "loop_b.png", "loop_a.png", BAD
    yield "self.jpg", "self.jpg", BAD
    yield "nowhere.jpg", "does not exist.jpg", BAD
    yield "to_good.jpg", "cmyk0.jpg", GOOD
    yield "to_empty.png", "empty_png.png", BAD
    yield "chain.jpg", "to_good.jpg", GOOD


def _noise(portrait: np.ndarray, rng: np.random.Generator) -> Made:
    """Whole files with some bytes changed in the header or anywhere; neither way is certain."""
    for suffix in (".jpg", ".png"):
        whole = cv2.imencode(suffix, portrait)[1].tobytes()
        for number in range(6):
            data = bytearray(whole)
            reach = 40 if number < 3 else len(data)
            for place in rng.integers(2, reach, 3):
                data[place] ^= int(rng.integers(1, 256))
            yield f"noise{number}{suffix[1:]}{suffix}", bytes(data), ""


def _odd_files(portrait: np.ndarray, rng: np.random.Generator) -> Made:
    size = struct.pack(">II", 400_000, 400_000)
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + size + b"\x08\x02\x00\x00\x00"
    yield "huge_header.png", bomb + bytes(40), BAD
    yield "random_p.png", rng.integers(0, 256, 5000, np.uint8).tobytes(), BAD
    yield "random.jpg", rng.integers(0, 256, 5000, np.uint8).tobytes(), BAD
    yield "trailing.jpg", _jpeg(portrait) + bytes(1000), GOOD
    yield "trailing_p.png", _png(portrait) + bytes(1000), GOOD
    yield "two.jpg", _jpeg(portrait) * 2, GOOD
    yield "end_only.jpg", b"\xff\xd9", BAD
    yield "animation.webp", _pil(portrait, "WEBP", save_all=True, append_images=[
        Image.new("RGB", portrait.shape[1::-1])]), GOOD
    yield "progressive.jpg", _pil(portrait, "JPEG", progressive=True), GOOD
    yield "restart.jpg", cv2.imencode(".jpg", portrait, [cv2.IMWRITE_JPEG_RST_INTERVAL, 4])[
        1].tobytes(), GOOD
