"""videoed denoise-image-sequence on frames of a clip with grain of known strength."""

import json

import cv2
import numpy as np
import pytest

from core.imaging.io import read_image
from core.paths import image_paths
from core.provenance import read_manifest, sign_file
from tests.commands import run

SIGMA = 8.0


@pytest.fixture(scope="module")
def grainy(framed, tmp_path_factory):
    """(folder of grainy frames, the frames without grain)."""
    folder = tmp_path_factory.mktemp("grainy")
    rng = np.random.default_rng(0)
    clean = []
    for path in image_paths(framed.path("data_src"))[:10]:
        clean.append(read_image(path)[:160, 100:340].astype(float))
        noisy = clean[-1] + rng.normal(0, SIGMA, clean[-1].shape)
        cv2.imwrite(str(folder / path.name), np.clip(np.rint(noisy), 0, 255).astype(np.uint8))
    return folder, clean


def denoise(folder, target, *words):
    return run("videoed", "denoise-image-sequence", "--input-dir", folder, "--output-dir", target,
               *words)


def errors(folder, clean):
    pairs = zip(image_paths(folder), clean, strict=True)
    return np.array([np.sqrt(np.mean((read_image(path) - wanted) ** 2)) for path, wanted in pairs])


@pytest.mark.parametrize("words, share", [
    (("--spatial", 8, "--temporal", 0), 0.7), (("--spatial", 0, "--temporal", 10), 0.7),
    (("--factor", 4), 0.65)])
def test_grain_goes_and_the_picture_stays(grainy, tmp_path, words, share):
    folder, clean = grainy
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert denoise(folder, tmp_path / "out", *words).code == 0
    assert errors(tmp_path / "out", clean).mean() < share * errors(folder, clean).mean()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_what_is_missing_is_made_again_alike(grainy, tmp_path):
    folder, _ = grainy
    target = tmp_path / "out"
    denoise(folder, target)
    whole = {path.name: path.read_bytes() for path in image_paths(target)}
    (target / "00003.png").unlink()
    (target / "00009.png").unlink()
    outcome = denoise(folder, target)
    assert outcome.event("denoised")["n_written"] == 2
    assert {path.name: path.read_bytes() for path in image_paths(target)} == whole
    assert denoise(folder, target).event("denoised")["n_written"] == 0


def test_other_settings_ask_for_overwrite(grainy, tmp_path):
    folder, _ = grainy
    assert denoise(folder, tmp_path / "out").code == 0
    other = denoise(folder, tmp_path / "out", "--spatial", 2)
    assert other.code == 2 and "spatial 4.0 instead of 2.0" in other.error()
    assert denoise(folder, tmp_path / "out", "--spatial", 2, "--overwrite").code == 0


def test_a_damaged_image_is_left_out_and_told(grainy, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for path in image_paths(grainy[0]):
        (folder / path.name).write_bytes(path.read_bytes())
    broken = folder / "00004.png"
    broken.write_bytes(broken.read_bytes()[:500])
    outcome = denoise(folder, tmp_path / "out")
    assert outcome.code == 1 and "1 of 10 images failed" in outcome.error()
    assert any("00004.png: left out" in line for line in outcome.warnings())
    assert len(image_paths(tmp_path / "out")) == 9


def test_marked_images_stay_marked_and_16_bits_stay(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    rng = np.random.default_rng(1)
    for number in range(3):
        picture = rng.normal(30000, 900, (40, 60, 3)).astype(np.uint16)
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    sign_file(folder / "1.png")
    assert denoise(folder, tmp_path / "out").code == 0
    results = [cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
               for path in image_paths(tmp_path / "out")]
    assert {result.dtype for result in results} == {np.dtype(np.uint16)}
    assert results[0].std() < 500
    states = [read_manifest(path).state for path in image_paths(tmp_path / "out")]
    assert states == ["missing", "trusted", "missing"]
    assert json.dumps(read_manifest(tmp_path / "out/1.png").digital_source_type).endswith(
        'compositeWithTrainedAlgorithmicMedia"')


@pytest.mark.parametrize("words, told", [
    (("--spatial", 0, "--temporal", 0), "leave nothing to do"),
    (("--spatial", 30), "--spatial: must be between 0 and 20"),
])
def test_wrong_settings_are_told(grainy, tmp_path, words, told):
    outcome = denoise(grainy[0], tmp_path / "out", *words)
    assert outcome.code == 2 and told in outcome.error()


def test_the_input_is_never_the_output(grainy):
    outcome = denoise(grainy[0], grainy[0])
    assert outcome.code == 2 and "is the input itself" in outcome.error()
