"""Faces that were not found for a few frames, in a real extraction with a covered face."""

import cv2
import numpy as np
import pytest

from core.imaging.io import read_image
from core.paths import image_paths
from facelib.smoothing import eye_distances
from mainscripts.merging.dst_faces import DstFace, read_faces
from mainscripts.merging.gaps import Extracted, count_filled, fill_gaps, read_extracted
from tests.commands import run

COVERED = ("00006", "00007")


@pytest.fixture(scope="module")
def gappy(extracted, tmp_path_factory):
    """(the shared workspace with the face covered in two frames, stems, true faces)."""
    from tests.conftest import copy_workspace

    made = copy_workspace(extracted, tmp_path_factory.mktemp("gappy") / "workspace")
    data = made.path("data_dst")
    stems = [path.stem for path in image_paths(data)]
    true = read_faces(data / "aligned")
    for stem in COVERED:
        picture = read_image(data / f"{stem}.png")
        x, y, width, height = cv2.boundingRect(np.float32(true[stem][0].landmarks))
        picture[max(y - height // 2, 0): y + height, x: x + width] = 90
        cv2.imwrite(str(data / f"{stem}.png"), picture)
    assert run(*made.extract_words("dst"), "--min-face-size", 17, "--overwrite").code == 0
    return made, stems, true


def filled(gappy, longest=5):
    made, stems, _ = gappy
    aligned = made.path("data_dst/aligned")
    return fill_gaps(stems, read_faces(aligned), read_extracted(aligned, stems), longest)


def test_a_covered_face_is_put_where_it_must_have_been(gappy):
    _, _, true = gappy
    faces = filled(gappy)
    assert count_filled(faces) == 2
    for stem in COVERED:
        (face,) = faces[stem]
        assert face.path is None
        wanted = true[stem][0].landmarks
        error = np.linalg.norm(face.landmarks - wanted, axis=1).mean()
        assert error < 0.05 * eye_distances(wanted[np.newaxis])[0]


def test_gaps_longer_than_allowed_stay(gappy):
    assert count_filled(filled(gappy, longest=1)) == 0


def test_a_face_that_somebody_deleted_stays_away(faces_workspace):
    aligned = faces_workspace.path("data_dst/aligned")
    (aligned / "00006_0.jpg").unlink()
    stems = [path.stem for path in image_paths(faces_workspace.path("data_dst"))]
    faces = fill_gaps(stems, read_faces(aligned), read_extracted(aligned, stems), 5)
    assert "00006" not in faces


def test_without_the_journals_of_an_extraction_nothing_is_put_in(gappy, tmp_path):
    made, stems, _ = gappy
    bare = tmp_path / "bare"
    bare.mkdir()
    for path in made.path("data_dst/aligned").glob("*.jpg"):
        (bare / path.name).write_bytes(path.read_bytes())
    assert count_filled(fill_gaps(stems, read_faces(bare), read_extracted(bare, stems), 5)) == 0


def line(n_frames, missing, step=1.0):
    """A face that moves by `step` pixels a frame, missing in some frames."""
    rng = np.random.default_rng(1)
    shape = rng.random((68, 2)) * 100
    return {f"{n:05d}": [DstFace(shape + step * n, 0, None)] for n in range(n_frames)
            if n not in missing}


STEMS = [f"{n:05d}" for n in range(8)]


def test_a_cut_inside_a_gap_keeps_it():
    faces = line(8, missing={3, 4})
    known = Extracted(seen=set(STEMS))
    assert len(fill_gaps(STEMS, faces, known, 5)) == 8
    for cut in ("00003", "00004", "00005"):
        assert len(fill_gaps(STEMS, faces, Extracted(set(STEMS), {cut}), 5)) == 6
    assert len(fill_gaps(STEMS, faces, Extracted(set(STEMS), {"00006"}), 5)) == 8


def test_steady_motion_is_met_exactly():
    faces = fill_gaps(STEMS, line(8, missing={3, 4}), Extracted(set(STEMS)), 5)
    whole = line(8, missing=())
    for stem in STEMS:
        np.testing.assert_allclose(faces[stem][0].landmarks, whole[stem][0].landmarks)


def test_a_face_that_is_elsewhere_afterwards_is_not_joined():
    faces = line(8, missing={3, 4}, step=60)
    assert len(fill_gaps(STEMS, faces, Extracted(set(STEMS)), 5)) == 6


def test_a_frame_that_nobody_looked_at_is_not_filled():
    faces = line(8, missing={3, 4})
    assert len(fill_gaps(STEMS, faces, Extracted(set(STEMS) - {"00003"}), 5)) == 6
