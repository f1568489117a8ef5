import json

import numpy as np
import pytest

from core.errors import ImageError, NoFacesFound, NoImagesFound
from core.imaging.io import write_image
from facelib.types import FoundFace
from samplelib.photographs import (
    label_photographs,
    labels_path,
    load_photographs,
    read_labels,
    unlabelled,
    write_labels,
)
from tests.samplelib.photos import draw, face_landmarks, make_photos


class FindsTheDrawn:
    """Says that each picture shows one face at a known place."""

    def detect(self, images):
        return [[None] for _ in images]

    def complete(self, images, detected):
        return [[FoundFace(np.zeros(4), 1.0, np.float32(face_landmarks(50)))] for _ in images]


def test_labels_come_back_to_a_hundredth_of_a_pixel(tmp_path):
    landmarks = np.random.default_rng(0).uniform(0, 900, (3, 68, 2))
    write_labels(tmp_path / "a.jpg", landmarks, "me")
    assert labels_path(tmp_path / "a.jpg").name == "a.jpg.faces.json"
    assert json.loads(labels_path(tmp_path / "a.jpg").read_text())["origin"] == "me"
    photo = read_labels(tmp_path / "a.jpg")
    assert photo.path == tmp_path / "a.jpg" and photo.landmarks.dtype == np.float32
    np.testing.assert_allclose(photo.landmarks, landmarks, atol=0.0051)


def test_photographs_with_and_without_faces_are_told_apart(tmp_path):
    photos = make_photos(tmp_path, n_faces=3, n_plain=2)
    assert [photo.path.name for photo in photos.faces] == [f"face_{n}.png" for n in range(3)]
    assert [photo.path.name for photo in photos.plain] == ["plain_0.png", "plain_1.png"]


def test_only_pictures_without_labels_are_looked_at(tmp_path):
    make_photos(tmp_path)
    write_image(tmp_path / "new.png", draw([]))
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    assert [path.name for path in unlabelled(tmp_path)] == ["broken.jpg", "new.png"]
    told = []
    label_photographs(unlabelled(tmp_path), FindsTheDrawn(), "drawn", told.append)
    assert len(told) == 1 and "broken.jpg" in told[0]
    np.testing.assert_allclose(read_labels(tmp_path / "new.png").landmarks[0], face_landmarks(50),
                               atol=0.006)
    assert [path.name for path in unlabelled(tmp_path)] == ["broken.jpg"]


@pytest.mark.parametrize("text", ["", "[]", '{"format": 1, "faces": [{"landmarks": [[1, 2]]}]}',
                                  '{"format": 2, "faces": []}', '{"format": 1, "faces": 3}',
                                  '{"format": 1, "faces": [[]]}'])
def test_damaged_labels_are_skipped_with_a_way_out(tmp_path, text):
    make_photos(tmp_path)
    labels_path(tmp_path / "face_1.png").write_text(text)
    photos = load_photographs(tmp_path)
    assert [photo.path.name for photo in photos.faces] == ["face_0.png", "face_2.png"]
    ((path, reason),) = photos.skipped
    assert path.name == "face_1.png" and "delete it" in reason


def test_missing_labels_are_an_error_with_a_way_out(tmp_path):
    with pytest.raises(ImageError, match="start again"):
        read_labels(tmp_path / "a.jpg")


def test_a_folder_without_faces_is_refused(tmp_path):
    with pytest.raises(NoImagesFound):
        load_photographs(tmp_path)
    with pytest.raises(NoFacesFound, match="add photographs of people"):
        make_photos(tmp_path, n_faces=0)
