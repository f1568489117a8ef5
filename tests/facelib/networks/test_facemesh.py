"""FaceMesh: against its released graph in NumPy, and its landmarks against another predictor."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.geometry import transform_points
from core.imaging.io import read_image
from facelib.landmarks import REGIONS, mirror_landmarks
from facelib.networks.facemesh import load_facemesh
from facelib.networks.facemesh_landmarks import FaceMeshLandmarks
from facelib.networks.facemesh_regions import region_of_face
from facelib.types import Face
from leras.graph import compile as compile_graph
from leras.graph import image_spec

PICTURES = Path(__file__).parents[2] / "data"

FACES = {  # box and points by cv2.FaceDetectorYN
    "single_face.jpg": Face(
        np.float32([191.4, 147.0, 373.3, 399.2]),
        0.95,
        np.float32([(231.8, 242.8), (316.7, 242.4), (265.5, 291.7), (235.2, 327.6), (313.3, 328)]),
    ),
    "astronaut_nasa_pd.png": Face(
        np.float32([178.0, 62.6, 268.4, 176.4]),
        0.93,
        np.float32([(200.1, 101.8), (247.2, 102.6), (220.3, 124.7), (198.9, 143.2), (239.8, 144)]),
    ),
}

# Mean of dlib's 68-point predictor over nine slightly shifted boxes.
DLIB_LANDMARKS = {
    "single_face.jpg": {
        **{19: (220, 214), 24: (316, 212), 30: (267, 297), 33: (269, 310)},
        **{36: (215, 248), 39: (246, 250), 42: (297, 248), 45: (328, 246)},
        **{48: (236, 328), 54: (316, 323), 57: (273, 356), 8: (278, 400)},
    },
    "astronaut_nasa_pd.png": {
        **{19: (200, 87), 24: (252, 91), 30: (225, 127), 33: (224, 134)},
        **{36: (195, 101), 39: (212, 104), 42: (238, 105), 45: (255, 104)},
        **{48: (201, 139), 54: (246, 141), 57: (222, 156), 8: (220, 178)},
    },
}


@pytest.fixture(scope="module", name="landmarker")
def fixture_landmarker():
    return FaceMeshLandmarks.load()


@pytest.fixture(scope="module", name="portrait")
def fixture_portrait():
    return read_image(PICTURES / "astronaut_nasa_pd.png"), FACES["astronaut_nasa_pd.png"]


def test_network_agrees_with_its_released_graph(run_facemesh_graph, portrait):
    image, face = portrait
    matrix = region_of_face(face).image_to_crop()
    crop = cv2.warpAffine(image, matrix, (192, 192))[..., ::-1]
    noise = np.random.default_rng(0).random((192, 192, 3))
    crops = np.stack([crop / 255, noise]).astype(np.float32)
    mesh, flag = compile_graph(load_facemesh(), image_spec(192, 192, 3))(crops)
    expected_mesh, expected_flag = run_facemesh_graph(crops)
    scale = np.abs(expected_mesh).max()
    assert np.abs(mesh.reshape(expected_mesh.shape) - expected_mesh).max() / scale < 1e-4
    np.testing.assert_allclose(flag, expected_flag.ravel(), rtol=1e-4, atol=1e-4)
    assert flag[0] > 5 and flag[1] < 0


@pytest.mark.parametrize("name", FACES)
def test_landmarks_are_near_those_of_another_predictor(landmarker, name):
    (landmarks,) = landmarker.extract([read_image(PICTURES / name)], [[FACES[name]]])[0]
    assert landmarks.dtype == np.float32
    eye_distance = np.linalg.norm(landmarks[36] - landmarks[45])
    errors = [
        np.linalg.norm(landmarks[index] - point) / eye_distance
        for index, point in DLIB_LANDMARKS[name].items()
    ]
    assert np.mean(errors) < 0.03
    assert max(errors) < 0.06


def test_landmarks_of_the_mirrored_picture_are_mirrored(landmarker, portrait):
    image, face = portrait
    width = image.shape[1]
    x1, y1, x2, y2 = face.box
    points = face.points[[1, 0, 2, 4, 3]] * (-1, 1) + (width - 1, 0)
    mirrored_face = Face(np.float32([width - x2, y1, width - x1, y2]), 0.9, points)
    (straight,) = landmarker.extract([image], [[face]])[0]
    (mirrored,) = landmarker.extract([image[:, ::-1]], [[mirrored_face]])[0]
    eye_distance = np.linalg.norm(straight[36] - straight[45])
    errors = np.linalg.norm(mirror_landmarks(mirrored, width) - straight, axis=1) / eye_distance
    assert errors[17:].mean() < 0.025  # without the jaw; the map is not exactly symmetric
    assert errors.mean() < 0.03


@pytest.mark.parametrize("degrees", [35, -80, 130, 180])
@pytest.mark.parametrize("seen_upright", [False, True])
def test_landmarks_turn_with_the_picture(landmarker, portrait, degrees, seen_upright):
    image, face = portrait
    turn = cv2.getRotationMatrix2D((223, 120), degrees, 1.0)
    turned_image = cv2.warpAffine(image, turn, image.shape[1::-1])
    # Detectors give eye points as if the face stood upright, also where it does not.
    points = face.points if seen_upright else transform_points(face.points, turn)
    (straight,) = landmarker.extract([image], [[face]])[0]
    (turned,) = landmarker.extract([turned_image], [[Face(face.box, 0.9, points)]])[0]
    eye_distance = np.linalg.norm(straight[36] - straight[45])
    errors = np.linalg.norm(turned - transform_points(straight, turn), axis=1) / eye_distance
    assert errors.mean() < 0.02


def test_five_crops_give_steadier_landmarks_than_one(portrait):
    image, face = portrait
    spread = {}
    for samples in (1, 5):
        landmarker = FaceMeshLandmarks.load(samples=samples)
        shifted = []
        for shift in range(6):
            matrix = np.float64([(1, 0, shift / 3), (0, 1, -shift / 4)])
            moved = cv2.warpAffine(image, matrix, image.shape[1::-1], flags=cv2.INTER_CUBIC)
            (landmarks,) = landmarker.extract([moved], [[face]])[0]
            shifted.append(landmarks - matrix[:, 2])
        spread[samples] = np.std(shifted, axis=0).mean()
    assert spread[5] < 0.8 * spread[1]


def test_faces_of_several_images_keep_their_order(landmarker, portrait):
    image, face = portrait
    other = read_image(PICTURES / "single_face.jpg")
    other_face = FACES["single_face.jpg"]
    results = landmarker.extract([other, image, image], [[other_face], [], [face]])
    assert [result.shape for result in results] == [(1, 68, 2), (0, 68, 2), (1, 68, 2)]
    for result, one in ((results[0], other_face), (results[2], face)):
        x1, y1, x2, y2 = one.box
        nose = result[0, REGIONS["nose_ridge"]].mean(axis=0)
        assert x1 < nose[0] < x2 and y1 < nose[1] < y2


def test_box_without_a_face_gets_no_landmarks(landmarker, portrait):
    image, face = portrait
    noise = np.random.default_rng(0).integers(0, 256, image.shape, np.uint8)
    assert np.isnan(landmarker.extract([noise], [[face]])[0]).all()
    sure_of_nothing = FaceMeshLandmarks.load(min_confidence=0.0)
    assert np.isfinite(sure_of_nothing.extract([noise], [[face]])[0]).all()


def test_face_without_points_is_taken_as_upright(landmarker, portrait):
    image, face = portrait
    with_points = landmarker.extract([image], [[face]])[0]
    without = landmarker.extract([image], [[Face(face.box, face.score)]])[0]
    np.testing.assert_allclose(without, with_points, atol=1.0)


def test_number_of_samples_is_checked():
    with pytest.raises(ValueError, match="samples must be 1 to 5"):
        FaceMeshLandmarks.load(samples=6)


def test_a_face_does_not_change_with_those_beside_it():
    network = load_facemesh()
    run = compile_graph(network, image_spec(192, 192, 3))
    crops = np.random.default_rng(3).random((17, 192, 192, 3), np.float32)
    mesh, flag = run(crops)
    for n in (1, 3, 8, 13):
        alone = run(crops[:n])
        np.testing.assert_array_equal(alone[0], mesh[:n])
        np.testing.assert_array_equal(alone[1], flag[:n])
