"""Faces mixed out of others, for pretraining."""

import numpy as np

from demo.starter import faces
from samplelib.face_image import read_face
from samplelib.faceset import load_faceset


def test_mixed_faces_are_a_faceset_that_depends_on_the_seed_alone(faces_workspace, tmp_path):
    aligned = faces_workspace.path("data_src/aligned")
    for name, seed in (("first", 3), ("again", 3), ("other", 4)):
        faces.main(["--input-dir", str(aligned), "--output-dir", str(tmp_path / name),
                    "--n-faces", "3", "--seed", str(seed)])
    written = {name: [path.read_bytes() for path in sorted((tmp_path / name).iterdir())]
               for name in ("first", "again", "other")}
    assert written["first"] == written["again"]
    assert not set(written["first"]) & set(written["other"])
    assert len(load_faceset(tmp_path / "first").faces) == 3


def test_landmarks_move_with_the_picture(faces_workspace):
    material = faces.load_materials(faces_workspace.path("data_src/aligned"))[0]
    moved = material.landmarks + (6, 0)
    edges = (slice(50, 110), slice(50, 110))
    shifted = np.roll(material.image, 6, axis=1)[edges]
    warped = faces.warped_to(material, moved)[edges]
    assert np.abs(warped - shifted).mean() < 0.25 * np.abs(material.image[edges] - shifted).mean()


def test_frames_of_one_shot_share_the_chance_of_one_face(faces_workspace):
    material = faces.load_materials(faces_workspace.path("data_src/aligned"))[0]
    mirrored = faces.Material(material.image[:, ::-1], material.landmarks, material.info)
    inverted = faces.Material(1 - material.image, material.landmarks, material.info)
    chances = faces.rarity([material, material, material, inverted])
    assert np.isclose(chances.sum(), 1) and np.allclose(chances[:3], chances[0])
    assert np.isclose(chances[3] / chances[0], 3**0.75)
    assert not faces.is_grey(mirrored.image + np.float32([0, 0, 0.3]))


def test_mixed_pictures_carry_readable_data(faces_workspace, tmp_path):
    faces.main(["--input-dir", str(faces_workspace.path("data_src/aligned")),
                "--output-dir", str(tmp_path), "--n-faces", "1"])
    image, info = read_face(tmp_path / "00000.jpg")
    assert image.shape == (faces.SIDE, faces.SIDE, 3)
    assert 0 < info.landmarks.min() and info.landmarks.max() < faces.SIDE
