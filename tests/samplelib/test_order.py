"""The order of faces."""

from collections import Counter

import numpy as np
import pytest

from samplelib.order import Balanced, Shuffled, Stream, sample_rng


def due(order, n: int) -> list[int]:
    return [next(order.candidates(position)) for position in range(n)]


def test_every_epoch_shows_each_face_once_in_a_new_order():
    faces = due(Shuffled(5, 20), 80)
    epochs = [faces[start:start + 20] for start in range(0, 80, 20)]
    assert all(sorted(epoch) == list(range(20)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4


BINS = [np.array([4]), np.array([0, 7, 2]), np.array([1, 3, 5, 6, 8])]


def test_bins_are_shown_equally_often_and_so_are_the_faces_of_each():
    order = Balanced(3, BINS)
    faces = due(order, 3 * 15 * 4)
    for start in range(0, len(faces), 3):  # each round visits each bin
        assert sorted(next(number for number, faces_of in enumerate(BINS) if face in faces_of)
                      for face in faces[start:start + 3]) == [0, 1, 2]
    assert Counter(faces) == {4: 60, **dict.fromkeys((0, 7, 2), 20),
                              **dict.fromkeys((1, 3, 5, 6, 8), 12)}


def test_bins_are_shuffled_anew_each_round_and_epoch():
    faces = due(Balanced(3, BINS), 300)
    assert len({tuple(faces[start:start + 3]) for start in range(0, 300, 3)}) > 10
    of_last_bin = [face for face in faces if face in BINS[2]]
    assert len({tuple(of_last_bin[start:start + 5]) for start in range(0, 100, 5)}) > 10


@pytest.mark.parametrize("make", [
    lambda seed: Shuffled(seed, 9), lambda seed: Balanced(seed, BINS)])
class TestEveryOrder:
    def test_positions_can_be_asked_for_in_any_order(self, make):
        forward, order = due(make(1), 90), make(1)
        backward = [next(order.candidates(position)) for position in reversed(range(90))]
        assert forward == backward[::-1]

    def test_seeds_give_different_orders(self, make):
        assert len({tuple(due(make(seed), 12)) for seed in range(5)}) == 5

    def test_replacements_go_through_all_faces(self, make):
        for position in (0, 5, 11, 64):
            assert sorted(make(3).candidates(position)) == list(range(9))


def test_a_bad_face_is_replaced_by_the_next_one_of_the_epoch():
    order = Shuffled(3, 8)
    assert list(order.candidates(8))[1] == next(order.candidates(9))


def test_a_bad_face_is_replaced_by_one_of_its_bin():
    order = Balanced(3, BINS)
    for position in range(30):
        first, second = list(order.candidates(position))[:2]
        assert first == 4 or any(first in faces and second in faces for faces in BINS)


def test_chance_depends_on_seed_position_and_use():
    draws = {(seed, position, stream): sample_rng(seed, position, stream).random()
             for seed in range(3) for position in range(50) for stream in Stream}
    assert len(set(draws.values())) == 150 * len(Stream)
    assert sample_rng(2, 7).random() == draws[2, 7, Stream.GEOMETRY]
