"""verify through the command line's own entry point."""

import json

import cv2
import numpy as np
import pytest

import main
from core.provenance import COMPOSITE, ContentSigner, sign_file
from core.report import JsonReporter, SilentReporter
from core.signing_identity import new_identity
from tests.core.video_maker import make_video, picture


@pytest.fixture
def signed(tmp_path):
    """A signed PNG of noise, so that its pixel data is most of the file."""
    path = tmp_path / "merged.png"
    noise = np.random.default_rng(2).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    cv2.imwrite(str(path), noise)
    sign_file(path)
    return path


def verify(*paths):
    reporter = SilentReporter()
    code = main.main(["verify", *map(str, paths)], reporter=reporter)
    return code, reporter.events


def test_signed_file_is_told_with_source_software_and_signer(signed):
    code, (event,) = verify(signed)
    assert code == 0 and event["state"] == "trusted" and event["status"] == "ok"
    for words in ("trained model", "FaceLab", "merged.png", "FaceLab installation", "c2pa.created"):
        assert words in event["message"]


def test_flipped_byte_in_the_pixel_data_is_found(signed):
    data = bytearray(signed.read_bytes())
    data[data.rindex(b"IDAT") + 3000] ^= 0xFF
    signed.write_bytes(bytes(data))
    code, (event,) = verify(signed)
    assert code == 1 and event["state"] == "invalid" and "CHANGED" in event["message"]


def test_recompressed_picture_has_lost_its_manifest(signed):
    cv2.imwrite(str(signed), cv2.imread(str(signed)))
    code, (event,) = verify(signed)
    assert code == 1 and event["state"] == "missing"


def test_one_bad_file_among_good_ones_fails_and_all_are_reported(signed, tmp_path):
    unsigned = tmp_path / "plain.png"
    cv2.imwrite(str(unsigned), picture(0))
    video = make_video(tmp_path / "v.mp4", 4)
    sign_file(video)
    code, events = verify(signed, unsigned, video)
    assert code == 1 and [event["state"] for event in events] == ["trusted", "missing", "trusted"]
    assert verify(signed, video)[0] == 0


def test_file_of_a_stranger_is_valid_and_says_so(signed):
    cv2.imwrite(str(signed), picture(0))
    ContentSigner(new_identity(), software="Other", software_version="2").sign_file(signed)
    code, (event,) = verify(signed)
    assert code == 0 and event["state"] == "valid" and "does not know" in event["message"]


def test_json_gives_the_whole_manifest(signed, capsys):
    assert main.main(["verify", "--json", str(signed)], reporter=JsonReporter()) == 0
    (line,) = capsys.readouterr().out.splitlines()
    event = json.loads(line)
    store = event["manifest"]
    active = store["manifests"][store["active_manifest"]]
    action = active["assertions"][0]["data"]["actions"][0]
    assert action["digitalSourceType"] == COMPOSITE == event["digital_source_type"]
    assert active["signature_info"]["alg"] == "Es256"


def test_unreadable_files_are_told_with_the_next_step_and_the_rest_is_still_read(tmp_path, signed):
    code, events = verify(tmp_path / "none.png", tmp_path / "v.mkv", signed)
    assert code == 1
    assert [event["state"] for event in events] == ["unreadable", "unreadable", "trusted"]
    assert "check the path" in events[0]["message"] and ".mp4" in events[1]["message"]
