"""Training samples of an enhancer."""

import cv2
import numpy as np
import pytest

from core.errors import NoFacesFound
from samplelib.enhancer_samples import EnhancerSamples, cut_out, spoilt
from samplelib.face_source import Problems


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture
def faceset(make_faceset):
    return make_faceset(6, size=160)


def test_a_sample_is_a_face_and_the_same_face_small(faceset):
    samples = EnhancerSamples(faceset, 32, 0.0, 3, Problems())
    for position in range(12):
        sample = samples.make(position)
        small, large = sample["small"], sample["large"]
        assert (small.shape, small.dtype) == ((32, 32, 3), np.uint8)
        assert (large.shape, large.dtype) == ((128, 128, 3), np.uint8)
        wanted = large.reshape(32, 4, 32, 4, 3).mean(axis=(1, 3))  # area averaging by hand
        assert np.abs(small - wanted).max() <= 1


def test_a_sample_depends_on_seed_and_position_alone(faceset):
    one, two = (EnhancerSamples(faceset, 32, 1.0, 3, Problems()) for _ in range(2))
    other = EnhancerSamples(faceset, 32, 1.0, 4, Problems())
    later = two.make(7)
    for name, picture in one.make(7).items():
        assert np.array_equal(picture, later[name])
    assert not np.array_equal(one.make(7)["large"], one.make(8)["large"])
    assert not np.array_equal(one.make(7)["large"], other.make(7)["large"])


def test_every_face_comes_in_every_epoch(faceset):
    samples = EnhancerSamples(faceset, 32, 0.0, 3, Problems())
    whole = [cv2.imread(str(face.path)).mean() for face in faceset.faces]
    assert len({round(value, 3) for value in whole}) == 6  # all differ
    for epoch in range(2):
        assert len({samples.make(6 * epoch + n)["large"].tobytes() for n in range(6)}) == 6


def test_detail_is_never_made_larger_where_the_face_has_enough():
    rows = np.arange(200, dtype=np.uint8)[:, np.newaxis, np.newaxis]
    face = np.tile(rows, (1, 200, 3))  # a ramp that tells the scale
    for seed in range(20):
        part = cut_out(face, 100, rng(seed)).astype(float)
        slopes = np.diff(part[:, 50, 0])
        assert 0.9 <= slopes.mean() <= 2.1
    small = cut_out(face[:60, :60], 100, rng())
    assert small.shape == (100, 100, 3)


def test_softness_says_how_far_faces_are_spoilt():
    sharp = rng(1).integers(0, 256, (32, 32, 3), np.uint8)
    assert np.array_equal(spoilt(sharp, 0.0, rng()), sharp)
    errors = {softness: np.mean([np.abs(spoilt(sharp, softness, rng(seed)).astype(int) - sharp)
                                 for seed in range(40)]) for softness in (0.25, 0.5, 1.0)}
    assert 1 < errors[0.25] < errors[0.5] < errors[1.0] < 60


def test_an_unreadable_face_is_passed_over_and_noted(faceset):
    problems = Problems()
    samples = EnhancerSamples(faceset, 32, 0.0, 3, problems)
    bad = faceset.faces[2].path
    bad.write_bytes(bad.read_bytes()[:200])
    for position in range(6):
        samples.make(position)
    assert [problem.path for problem in problems.since(0)] == [bad]
    for face in faceset.faces:
        face.path.unlink()
    with pytest.raises(NoFacesFound, match="extract the faces again"):
        EnhancerSamples(faceset, 32, 0.0, 3, Problems()).make(0)
