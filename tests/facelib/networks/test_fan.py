"""FAN: against the public PyTorch implementation, from picture and boxes to landmarks."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from core.video import read_frames
from facelib.fan_sizes import CROP_SIZE, MAP_SIZE
from facelib.networks.fan import FAN
from facelib.networks.fan_landmarks import FANLandmarks, _cut, _decode, _peaks, _Window
from facelib.types import Face
from leras.graph import compile as compile_graph
from leras.graph import image_spec
from tests.facelib.checkpoints.public_reference import assert_close, our_state, public
from tests.facelib.checkpoints.random_weights import random_picture

CLIP = Path(__file__).parents[3] / "demo" / "src_woman.mp4"
BOXES = [Face(box, 1.0) for box in public("fan")["boxes"]]


@pytest.fixture(scope="module", name="network")
def fixture_network():
    network = FAN()
    network.load_state(our_state("fan", "fan"))
    return network


@pytest.fixture(scope="module", name="tiny")
def fixture_tiny():
    network = FAN(width=1 / 8, n_stacks=1)
    network.initialize(np.random.default_rng(1))
    return network


@pytest.fixture(scope="module", name="landmarker")
def fixture_landmarker(tiny):
    return FANLandmarks(tiny, batch_size=2)


@pytest.fixture(scope="module", name="picture")
def fixture_picture():
    return random_picture(200, 240, 1)


def test_size_is_that_of_the_released_network(network):
    assert network.n_parameters() == 23_874_320
    assert len(network.state()) == 945


def test_maps_are_those_of_the_public_network(network):
    crop = random_picture(256, 256, 2)[np.newaxis, ..., ::-1].astype(np.float32) / 255
    first, *_, last = compile_graph(network, image_spec(CROP_SIZE, CROP_SIZE, 3))(crop)
    assert_close(first[0].transpose(2, 0, 1)[::17], public("fan")["first_maps"])
    assert_close(last[0].transpose(2, 0, 1)[::9], public("fan")["maps"])
    cells, values = _peaks(tf.constant(last))
    places = _decode(cells.numpy(), values.numpy(), fit=False)[0] * MAP_SIZE
    np.testing.assert_allclose(places, public("fan")["grid_points"], atol=1e-6)


@pytest.mark.parametrize("mirror", [False, True])
def test_landmarks_are_those_of_the_public_package(network, picture, mirror):
    landmarker = FANLandmarks(network, mirror=mirror, lift=0.12, whole_pixels=True)
    (landmarks,) = landmarker.extract([picture], [BOXES])
    # The package cuts its results down to whole pixels.
    expected = public("fan")[f"points_flip{int(mirror)}"]
    np.testing.assert_array_equal(np.trunc(landmarks), expected)
    assert landmarks.dtype == np.float32


def test_five_samples_are_the_mean_of_five_moved_boxes(tiny, landmarker, picture):
    (averaged,) = FANLandmarks(tiny, samples=5).extract([picture], [BOXES])
    moved = []
    for shift in ((0, 0), (-1, -1), (1, -1), (1, 1), (-1, 1)):
        faces = [Face(face.box + np.float32(shift * 2), 1.0) for face in BOXES]
        moved += landmarker.extract([picture], [faces])
    np.testing.assert_allclose(averaged, np.mean(moved, axis=0), atol=1e-3)


def test_faces_of_several_images_keep_their_order(landmarker, picture):
    other = random_picture(150, 150, 7)
    results = landmarker.extract([picture, other, other], [BOXES, [], BOXES[:1]])
    assert [result.shape for result in results] == [(3, 68, 2), (0, 68, 2), (1, 68, 2)]
    (alone,) = landmarker.extract([other], [BOXES[:1]])
    np.testing.assert_allclose(results[2], alone, atol=1e-3)
    assert landmarker.extract([], []) == []


@pytest.mark.parametrize("whole_pixels", [False, True])
def test_boxes_outside_of_the_picture_have_no_landmarks(tiny, picture, whole_pixels):
    outside = [Face(np.float32(box), 1.0) for box in (
        (-300, 10, -200, 110), (400, 10, 500, 110), (10, 500, 110, 600), (10, 10, 110, 110))]
    landmarker = FANLandmarks(tiny, whole_pixels=whole_pixels)
    (landmarks,) = landmarker.extract([picture], [outside])
    assert np.isnan(landmarks[:3]).all()
    assert np.isfinite(landmarks[3]).all()


def test_low_peaks_are_no_face(tiny, picture):
    (landmarks,) = FANLandmarks(tiny, min_confidence=1e9).extract([picture], [BOXES])
    assert np.isnan(landmarks).all()


@pytest.mark.parametrize("side", [40.0, 256.0, 600.0])
def test_crop_pixels_are_where_the_landmarks_say(side):
    columns = np.arange(250, dtype=np.uint8)
    picture = np.repeat(np.repeat(columns[np.newaxis, :, np.newaxis], 220, 0), 3, 2)
    window = _Window(picture, 121.0, 100.7, side)
    pixels = np.arange(CROP_SIZE)
    expected = ((pixels + 0.5) / CROP_SIZE - 0.5) * side + 121.0 - 0.5
    inside = (expected > 2) & (expected < 247)
    row = _cut(window)[CROP_SIZE // 2, :, 0].astype(float)
    np.testing.assert_allclose(row[inside], expected[inside], atol=1.0)
    assert abs((row - expected)[inside].mean()) < 0.1


def test_fitted_peak_of_a_gaussian_is_its_centre():
    rows, columns = np.mgrid[:MAP_SIZE, :MAP_SIZE]
    centres = np.random.default_rng(0).uniform(3, 60, (68, 2))
    maps = np.exp(-((columns[..., None] - centres[:, 0]) ** 2
                    + (rows[..., None] - centres[:, 1]) ** 2) / (2 * 1.5**2))
    cells, values = _peaks(tf.constant(maps[np.newaxis], tf.float32))
    fitted = _decode(cells.numpy(), values.numpy(), fit=True)[0] * MAP_SIZE - 0.5
    quarter = _decode(cells.numpy(), values.numpy(), fit=False)[0] * MAP_SIZE - 0.5
    np.testing.assert_allclose(fitted, centres, atol=1e-3)
    assert 0.1 < np.abs(quarter - centres).max() <= 0.26


def test_peak_at_the_border_is_the_centre_of_its_cell():
    maps = np.zeros((1, MAP_SIZE, MAP_SIZE, 68), np.float32)
    maps[0, 0, 5], maps[0, 1, 5] = 1.0, 0.5
    cells, values = _peaks(tf.constant(maps))
    for fit in (False, True):
        places = _decode(cells.numpy(), values.numpy(), fit)[0] * MAP_SIZE
        np.testing.assert_array_equal(places, np.full((68, 2), (5.5, 0.5)))


def test_gradients_reach_every_trained_parameter():
    network = FAN(width=1 / 8, n_stacks=2)
    network.initialize(np.random.default_rng(1))
    crops = tf.constant(random_picture(256, 256)[np.newaxis], tf.float32) / 255
    variables = {path: variable for path, variable in network.named_variables()
                 if not path.endswith(("running_mean", "running_var"))}
    with tf.GradientTape() as tape:
        loss = tf.add_n([tf.reduce_mean(tf.square(maps)) for maps in network(crops)])
    gradients = tape.gradient(loss, list(variables.values()))
    for path, gradient in zip(variables, gradients):
        assert gradient is not None, path
        assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0, path


def test_number_of_samples_is_checked(tiny):
    with pytest.raises(ValueError, match="samples must be 1 to 5"):
        FANLandmarks(tiny, samples=0)


def test_the_small_network_sees_no_face_in_a_wall(monkeypatch, tmp_path):
    monkeypatch.setenv("FACELAB_DATA_DIR", str(tmp_path))
    frame = next(iter(read_frames(CLIP))).image
    boxes = [Face(np.float32([350, 60, 550, 310]), 1.0), Face(np.float32([30, 60, 200, 250]), 1.0)]
    (landmarks,) = FANLandmarks.load_2d().extract([frame], [boxes])
    assert np.isfinite(landmarks[0]).all() and np.isnan(landmarks[1]).all()
    (landmarks,) = FANLandmarks.load_2d(min_confidence=0).extract([frame], [boxes])
    assert np.isfinite(landmarks).all()
