"""Notes of found faces, and what is planned for them, without networks."""

import json

import numpy as np
import pytest

from core.frames import Frame
from core.shots import SIGNATURE_SHAPE
from facelib.landmarks import MODEL_3D
from facelib.smoothing import Run, jitter, smooth
from facelib.types import FoundFace
from mainscripts.extraction.plan import Planner, jitter_before_and_after, plan_all
from mainscripts.extraction.records import FoundFrame, from_note, to_note

N_FRAMES, CUT = 40, 25


def noisy_face(x, seed, embedding=None):
    rng = np.random.default_rng(seed)
    landmarks = MODEL_3D[:, :2] + (x, 100) + rng.normal(size=(68, 2)) * 0.5
    box = np.concatenate([landmarks.min(axis=0), landmarks.max(axis=0)])
    return FoundFace(box.astype(np.float32), 0.9, landmarks.astype(np.float32), embedding)


def shot(seed):
    return np.random.default_rng(seed).integers(0, 256, SIGNATURE_SHAPE, np.uint8)


@pytest.fixture
def video():
    """40 frames of two people with a cut; frame 7 cannot be read, frame 12 shows one of them."""
    frames = [Frame(number, f"{number + 1:05d}.png") for number in range(N_FRAMES)]
    found = {}
    for number, frame in enumerate(frames):
        faces = [noisy_face(100 + 3 * number, number), noisy_face(600 - number, 1000 + number)]
        found[frame.name] = FoundFrame(shot(int(number >= CUT)), faces[: 1 if number == 12 else 2])
    del found[frames[7].name]
    return frames, found


def plans(video, n_smooth=0):
    frames, found = video
    planner = Planner(same_person=1.0)
    return planner, list(plan_all(frames, lambda frame: found.get(frame.name), planner, n_smooth))


@pytest.mark.parametrize("embedding", [None, np.random.default_rng(5).random(9, np.float32)])
def test_a_note_gives_back_every_bit(embedding):
    found = FoundFrame(shot(3), [noisy_face(10, 1, embedding), noisy_face(-4, 2, embedding)])
    read = from_note(json.loads(json.dumps(to_note(found))))
    np.testing.assert_array_equal(read.signature, found.signature)
    for one, other in zip(read.faces, found.faces, strict=True):
        assert one.score == other.score
        for name in ("box", "landmarks", "embedding"):
            a, b = getattr(one, name), getattr(other, name)
            assert (a is None) == (b is None) and (a is None or a.dtype == np.float32)
            np.testing.assert_array_equal(a, b)


def test_a_note_without_faces_is_small_and_empty():
    read = from_note(to_note(FoundFrame(shot(1), [])))
    assert read.faces == [] and read.signature.shape == SIGNATURE_SHAPE


def test_tracks_go_through_gaps_and_end_at_cuts(video):
    planner, planned = plans(video)
    assert [plan.frame.index for plan in planned] == [*range(7), *range(8, N_FRAMES)]
    tracks = [[face.track for face in plan.faces] for plan in planned]
    assert tracks[: CUT - 1] == [[0, 1]] * 11 + [[0]] + [[0, 1]] * 12
    assert tracks[CUT - 1 :] == [[2, 3]] * 15
    assert (planner.n_tracks, planner.n_cuts) == (4, 1)


def test_without_smoothing_landmarks_stay_bit_for_bit(video):
    for plan in plans(video)[1]:
        for face, found in zip(plan.faces, video[1][plan.frame.name].faces):
            np.testing.assert_array_equal(face.face.landmarks, found.landmarks)


def test_each_track_is_smoothed_inside_its_shot(video):
    _, planned = plans(video, n_smooth=3)
    _, found = video
    for k, numbers in ((0, range(CUT)), (1, range(CUT)), (0, range(CUT, N_FRAMES))):
        seen = [number for number in numbers if number != 7 and (k == 0 or number != 12)]
        raw = np.array([found[f"{number + 1:05d}.png"].faces[k].landmarks for number in seen])
        expected = smooth(Run(np.array(seen), raw), 3)
        written = np.array([plan.faces[k].face.landmarks for plan in planned
                            if plan.frame.index in seen])
        np.testing.assert_allclose(written, expected, atol=1e-4)
        assert written.dtype == np.float32
        boxes = [plan.faces[k].face.box for plan in planned if plan.frame.index in seen]
        np.testing.assert_array_equal(boxes, [found[f"{number + 1:05d}.png"].faces[k].box
                                              for number in seen])


def test_the_reported_jitter_is_that_of_all_faces(video):
    planner, _ = plans(video, n_smooth=3)
    before, after = jitter_before_and_after(planner, 3)
    assert after < 0.5 * before
    assert jitter_before_and_after(planner, 0) == (before, before)
    # 0.5 mm of noise by the 62 mm between the eyes of the mean face.
    assert before == pytest.approx(0.5 / 65, rel=0.1)
    assert jitter([]) is None


def test_a_fingerprint_changes_with_what_is_written(video):
    base = {plan.frame.name: plan.fingerprint for plan in plans(video)[1]}
    assert base == {plan.frame.name: plan.fingerprint for plan in plans(video)[1]}
    smoothed = {plan.frame.name: plan.fingerprint for plan in plans(video, 2)[1]}
    assert all(base[name] != smoothed[name] for name in base)
    frames, found = video
    moved = [Frame(frame.index + 1, frame.name) for frame in frames]
    assert all(plan.fingerprint != base[plan.frame.name] for plan in plans((moved, found))[1])
