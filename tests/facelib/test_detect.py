"""Finding faces: the search around the networks, and both networks on real clips."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.imaging.io import read_image
from facelib.appearance import AppearanceEmbedder
from facelib.detect import find_faces
from facelib.registry import EMBEDDERS
from facelib.tracks import Tracker
from facelib.types import Face, FoundFace

ROOT = Path(__file__).parents[2]


class BrightSquareDetector:
    """Finds white squares whose upper left quarter is grey: these are upright."""

    def detect(self, images):
        return [list(self._squares(image[..., 0])) for image in images]

    def _squares(self, image):
        _, _, boxes, _ = cv2.connectedComponentsWithStats((image > 0).astype(np.uint8))
        for x, y, width, height, _ in boxes[1:]:
            if image[y, x] == 100:
                yield Face(np.float32([x, y, x + width - 1, y + height - 1]), 0.9)


class CornerLandmarker:
    """All landmarks at the lower right corner of the box; refuses boxes at the left edge."""

    def extract(self, images, faces):
        return [
            np.array(
                [
                    np.full((68, 2), np.nan if face.box[0] == 0 else face.box[2:], np.float32)
                    for face in found
                ],
                np.float32,
            ).reshape(-1, 68, 2)
            for found in faces
        ]


def picture(*squares, turns=0):
    """A 60 x 90 picture with upright squares (x, y, side), then turned counter-clockwise."""
    image = np.zeros((60, 90, 3), np.uint8)
    for x, y, side in squares:
        image[y : y + side, x : x + side] = 255
        image[y : y + side // 2, x : x + side // 2] = 100
    return np.rot90(image, turns).copy()


def find(*images, **options):
    return find_faces(images, BrightSquareDetector(), CornerLandmarker(), **options)


def test_largest_faces_come_first_and_can_be_limited():
    image = picture((5, 5, 10), (40, 10, 30))
    assert [face.box[0] for face in find(image)[0]] == [40, 5]
    assert [face.box[0] for face in find(image, max_faces=1)[0]] == [40]
    assert [face.box[0] for face in find(image, min_face_size=20)[0]] == [40]


def test_box_refused_by_the_landmark_extractor_is_no_face():
    assert [face.box[0] for face in find(picture((0, 0, 30), (50, 5, 10)))[0]] == [50]


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_turned_pictures_give_places_in_the_picture_itself(turns):
    image = picture((20, 10, 16), turns=turns)
    (face,) = find(image)[0]
    x1, y1, x2, y2 = face.box.astype(int)
    assert (x2 - x1, y2 - y1) == (15, 15)
    assert image[y1 : y2 + 1, x1 : x2 + 1].min() > 0  # exactly the square
    # The upright square's lower right corner is opposite to its grey quarter.
    x, y = face.landmarks[0].astype(int)
    assert image[y, x, 0] == 255
    assert image[y1 + y2 - y, x1 + x2 - x, 0] == 100


def test_only_pictures_without_a_face_are_turned():
    images = [picture((20, 10, 16)), picture((20, 10, 16), turns=1), picture()]
    assert [len(faces) for faces in find(*images)] == [1, 1, 0]
    assert [len(faces) for faces in find(*images, rotate=False)] == [1, 0, 0]


def test_pictures_with_small_faces_alone_are_not_turned():
    lying, small = picture((20, 10, 16), turns=1), picture((5, 5, 8))
    small_beside_lying = np.vstack([np.pad(lying, ((0, 0), (0, 30), (0, 0))), small])
    assert [len(faces) for faces in find(lying, small_beside_lying, min_face_size=12)] == [1, 0]


def test_no_pictures_give_no_faces():
    assert find() == []


def some_frames(path, count):
    capture = cv2.VideoCapture(str(path))
    total = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    wanted = set(np.linspace(0, total - 1, count).astype(int))
    frames = [capture.read()[1] for _ in range(total)]
    capture.release()
    return [frame for index, frame in enumerate(frames) if index in wanted]


@pytest.mark.parametrize("clip", ["src_woman.mp4", "dst_man.mp4"])
def test_every_frame_of_a_demo_clip_shows_one_face(networks, clip):
    found = find_faces(some_frames(ROOT / "demo" / clip, 6), *networks)
    assert [len(faces) for faces in found] == [1] * 6
    for (face,) in found:
        assert face.landmarks.shape == (68, 2) and face.landmarks.dtype == np.float32
        x1, y1, x2, y2 = face.box
        nose_x, nose_y = face.landmarks[30]
        assert x1 < nose_x < x2 and y1 < nose_y < y2


def test_people_are_told_apart_by_their_looks(networks):
    """Both demo clips: the woman before and after her cut, the man in two poses."""
    frames = [frame for clip in ("src_woman.mp4", "dst_man.mp4")
              for frame in some_frames(ROOT / "demo" / clip, 6)]
    landmarks = [np.array([face.landmarks for face in found])
                 for found in find_faces(frames, *networks)]
    embeddings = EMBEDDERS.load("appearance")().embed(frames, landmarks)
    assert {embedding.shape for embedding in embeddings} == {(1, 328)}
    tracker = Tracker(same_person=AppearanceEmbedder.same_person)
    people = [tracker.step(number, [FoundFace(np.arange(4), 1.0, points[0], embedding[0])],
                           is_cut=True)[0].track
              for number, (points, embedding) in enumerate(zip(landmarks, embeddings))]
    assert not set(people[:6]) & set(people[6:])
    assert len(set(people[:6])) <= 2 and len(set(people[6:])) <= 2


def test_no_faces_have_no_looks():
    (none,) = AppearanceEmbedder().embed([np.zeros((9, 9, 3), np.uint8)], [np.zeros((0, 68, 2))])
    assert none.shape == (0, 328)


def test_title_frames_have_no_face_in_any_rotation(networks):
    frames = some_frames(ROOT / "tests/data/face_then_noface.mp4", 8)
    assert [len(faces) for faces in find_faces(frames, *networks)] == [1] * 4 + [0] * 4


def test_upside_down_and_lying_portraits_are_found(networks):
    portrait = read_image(ROOT / "tests/data/astronaut_nasa_pd.png")
    (upright,) = find_faces([portrait], *networks)[0]
    eye_distance = np.linalg.norm(upright.landmarks[36] - upright.landmarks[45])
    for turns in (1, 2, 3):
        (face,) = find_faces([np.rot90(portrait, turns).copy()], *networks)[0]
        x, y = upright.landmarks.T
        expected = {1: (y, 511 - x), 2: (511 - x, 511 - y), 3: (511 - y, x)}[turns]
        errors = np.linalg.norm(face.landmarks - np.stack(expected, axis=1), axis=1)
        assert errors.mean() / eye_distance < 0.03
