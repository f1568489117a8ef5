"""merge --compositor-dir: what another program needs to make the merged frame itself."""

import json

import cv2
import numpy as np
import pytest

from core.imaging.io import read_image
from core.paths import image_paths
from core.provenance import read_manifest
from tests.commands import run
from tests.conftest import copy_workspace


@pytest.fixture(scope="module")
def composed(trained, tmp_path_factory):
    """A workspace merged with patches; not to be changed."""
    made = copy_workspace(trained, tmp_path_factory.mktemp("composed") / "workspace")
    assert run(*made.merge_words(), "--mask-mode", "dst", "--output-face-scale", 10,
               "--compositor-dir", made.path("patches")).code == 0
    return made


def put_in(frame, folder, told):
    """The frame with the faces that the JSON names, by OpenCV alone."""
    canvas = frame.astype(np.float64)
    for face in told["faces"]:
        patch = cv2.imread(str(folder / face["file"]), cv2.IMREAD_UNCHANGED)
        assert patch.dtype == np.uint16 and patch.shape[2] == 4
        warped = cv2.warpAffine(
            patch.astype(np.float32) / 65535, np.array(face["frame_to_patch"]),
            (told["width"], told["height"]), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.warpAffine(
            patch[..., 3].astype(np.float32) / 65535, np.array(face["frame_to_patch"]),
            (told["width"], told["height"]), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        canvas += alpha[..., np.newaxis] * (255 * warped[..., :3] - canvas)
    return canvas


def test_putting_the_patches_in_gives_the_merged_frame(composed):
    for path in image_paths(composed.path("data_dst")):
        frame = read_image(path)
        told = json.loads((composed.path("patches") / f"{path.stem}.json").read_text())
        assert (told["frame"], told["height"], told["width"]) == (path.name, *frame.shape[:2])
        made = put_in(frame, composed.path("patches"), told)
        merged = read_image(composed.path("data_dst/merged") / path.name).astype(float)
        assert np.abs(merged - frame).max() > 20
        difference = np.abs(made - merged)
        assert difference.max() < 12 and difference.mean() < 0.15  # two ways of resampling


def test_patches_say_that_a_model_made_them(composed):
    manifest = read_manifest(composed.path("patches/00001_0.png"))
    assert manifest.is_valid
    assert manifest.digital_source_type.endswith("/trainedAlgorithmicMedia")


def test_missing_patches_are_made_again_and_frames_without_faces_have_none(composed, tmp_path):
    made = copy_workspace(composed, tmp_path / "workspace")
    words = (*made.merge_words(), "--mask-mode", "dst", "--output-face-scale", 10,
             "--color-smoothing", 0, "--compositor-dir", made.path("patches"), "--overwrite")
    assert run(*words).code == 0
    made.path("patches/00004.json").unlink()
    made.path("data_dst/aligned/00007_0.jpg").unlink()
    assert run(*words).event("merging")["done_now"] == 2
    assert json.loads(made.path("patches/00007.json").read_text())["faces"] == []
    assert not made.path("patches/00007_0.png").exists()
    assert made.path("patches/00004.json").exists()
