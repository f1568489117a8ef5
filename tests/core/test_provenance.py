"""Signing and reading content credentials, offline."""

import concurrent.futures
import shutil
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import ProvenanceError
from core.provenance import COMPOSITE, MODEL_MADE, ContentSigner, read_manifest, sign_file
from core.signing_identity import new_identity
from core.version import version
from tests.core.video_maker import audio_packets, make_video

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture
def photo():
    rng = np.random.default_rng(5)
    return cv2.resize(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8), (160, 120))


def write(path, image):
    path.write_bytes(cv2.imencode(path.suffix, image)[1].tobytes())
    return path


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_signed_picture_is_trusted_and_keeps_its_pixels(tmp_path, photo, suffix):
    path = write(tmp_path / f"merged{suffix}", photo)
    before = cv2.imread(str(path))
    sign_file(path)
    manifest = read_manifest(path)
    assert manifest.state == "trusted" and manifest.is_valid
    assert manifest.digital_source_type == COMPOSITE
    assert COMPOSITE == ("http://cv.iptc.org/newscodes/digitalsourcetype/"
                         "compositeWithTrainedAlgorithmicMedia")
    assert manifest.software == f"FaceLab {version()}"
    assert manifest.title == f"merged{suffix}" and manifest.actions == ("c2pa.created",)
    assert manifest.signer.startswith("FaceLab installation") and manifest.problems == ()
    assert np.array_equal(cv2.imread(str(path)), before)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_title_source_type_and_software_are_told(tmp_path, photo):
    path = write(tmp_path / "a.png", photo)
    sign_file(path, software="Other", title="Ünï", source_type=MODEL_MADE)
    manifest = read_manifest(path)
    assert (manifest.title, manifest.digital_source_type) == ("Ünï", MODEL_MADE)
    assert manifest.software.startswith("Other ")


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_signed_video_is_trusted_and_keeps_its_sound(tmp_path, suffix):
    path = make_video(tmp_path / f"v{suffix}", 10, audio=("aac",))
    before = audio_packets(path)
    sign_file(path)
    assert read_manifest(path).state == "trusted"
    assert audio_packets(path) == before


def test_parent_is_named_and_its_own_manifest_kept(tmp_path):
    parent = make_video(tmp_path / "dst.mp4", 5)
    sign_file(parent, title="the original")
    path = make_video(tmp_path / "result.mp4", 6)
    sign_file(path, parent=parent)
    manifest = read_manifest(path)
    assert manifest.state == "trusted"
    assert manifest.actions == ("c2pa.opened", "c2pa.edited")
    assert manifest.digital_source_type == COMPOSITE
    titles = {entry.get("title") for entry in manifest.raw["manifests"].values()}
    assert titles == {"the original", "result.mp4"}


def flip(path, place):
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(bytes(data))


def test_one_changed_bit_of_the_picture_makes_it_invalid(tmp_path, photo):
    path = write(tmp_path / "a.png", photo)
    sign_file(path)
    data = path.read_bytes()
    flip(path, data.rindex(b"IDAT") + 50)
    manifest = read_manifest(path)
    assert manifest.state == "invalid" and not manifest.is_valid and manifest.problems


def test_one_changed_bit_of_the_claim_makes_it_invalid(tmp_path, photo):
    path = write(tmp_path / "a.png", photo)
    sign_file(path)
    flip(path, path.read_bytes().index(b"compositeWithTrained") + 3)
    assert read_manifest(path).state == "invalid"


def test_one_changed_bit_of_a_video_makes_it_invalid(tmp_path):
    path = make_video(tmp_path / "v.mp4", 20)
    sign_file(path)
    flip(path, path.read_bytes().index(b"mdat") + 900)
    assert read_manifest(path).state == "invalid"


def test_file_of_another_installation_is_valid_but_not_trusted(tmp_path, photo):
    path = write(tmp_path / "a.png", photo)
    other = new_identity()
    ContentSigner(other, software="FaceLab", software_version="9").sign_file(path)
    manifest = read_manifest(path)
    assert manifest.state == "valid" and manifest.is_valid
    assert any("untrusted" in problem for problem in manifest.problems)
    assert read_manifest(path, trust_anchors=other.root_certificate).state == "trusted"


def test_unsigned_picture_misses_a_manifest(tmp_path, photo):
    manifest = read_manifest(write(tmp_path / "a.jpg", photo))
    assert manifest.state == "missing" and not manifest.is_valid


def test_damaged_file_is_invalid_and_absent_file_is_an_error(tmp_path, photo):
    path = write(tmp_path / "a.png", photo)
    sign_file(path)
    path.write_bytes(path.read_bytes()[:600])
    assert read_manifest(path).state == "invalid"
    with pytest.raises(ProvenanceError, match="none.png"):
        read_manifest(tmp_path / "none.png")


def test_container_without_room_for_a_manifest_is_an_error_with_the_next_step(tmp_path):
    path = make_video(tmp_path / "v.mkv", 3)
    for call in (sign_file, read_manifest):
        with pytest.raises(ProvenanceError, match=r"\.mkv.*use \.mp4"):
            call(path)


def test_failed_signing_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "v.mp4"
    path.write_bytes(b"not a video at all")
    with pytest.raises(ProvenanceError, match="v.mp4"):
        sign_file(path)
    assert path.read_bytes() == b"not a video at all"
    assert [p.name for p in tmp_path.iterdir()] == ["v.mp4"]


def png_chunks(data):
    """{type: [payload]} of a PNG, checksums checked (PNG specification, section 5.3)."""
    chunks, place = {}, 8
    while place < len(data):
        size, kind = struct.unpack(">I4s", data[place:place + 8])
        body = data[place + 8:place + 8 + size]
        assert struct.unpack(">I", data[place + 8 + size:][:4])[0] == zlib.crc32(kind + body)
        chunks.setdefault(kind, []).append(body)
        place += 12 + size
    return chunks


def test_png_also_says_it_in_xmp(tmp_path, photo):
    path = write(tmp_path / "a.png", photo)
    sign_file(path)
    (text,) = png_chunks(path.read_bytes())[b"iTXt"]
    assert text.startswith(b"XML:com.adobe.xmp\x00\x00\x00\x00\x00")
    assert f'Iptc4xmpExt:DigitalSourceType="{COMPOSITE}"'.encode() in text


def test_jpeg_also_says_it_in_xmp_and_a_second_signature_adds_no_second_packet(tmp_path, photo):
    path = write(tmp_path / "a.jpg", photo)
    sign_file(path)
    sign_file(path)
    data = path.read_bytes()
    assert data.count(b"http://ns.adobe.com/xap/1.0/\x00") == 1
    assert data.count(b"Iptc4xmpExt:DigitalSourceType=") == 1
    assert read_manifest(path).state == "trusted"


def test_one_signer_serves_several_threads(photo):
    signer = ContentSigner.open()
    data = cv2.imencode(".png", photo)[1].tobytes()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        signed = list(pool.map(lambda i: signer.sign_bytes(data, "image/png", title=f"{i}.png"),
                               range(40)))
    assert len(set(signed)) == 40
    assert all(len(data) < len(one) < len(data) + 8000 for one in signed)


def test_all_pictures_signed_by_threads_verify(tmp_path, photo):
    signer = ContentSigner.open()
    paths = [write(tmp_path / f"{i}.png", photo) for i in range(8)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(signer.sign_file, paths))
    assert {read_manifest(path).state for path in paths} == {"trusted"}


def test_real_photo_is_signed(tmp_path):
    path = tmp_path / "face.jpg"
    shutil.copyfile(DATA / "single_face.jpg", path)
    before = cv2.imread(str(path))
    sign_file(path)
    assert read_manifest(path).state == "trusted"
    assert np.array_equal(cv2.imread(str(path)), before)
