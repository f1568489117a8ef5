"""The order of faces."""

from samplelib.order import face_index, sample_rng


def test_every_epoch_shows_each_face_once_in_a_new_order():
    epochs = [[face_index(5, epoch * 20 + place, 20) for place in range(20)]
              for epoch in range(4)]
    assert all(sorted(epoch) == list(range(20)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4


def test_positions_can_be_asked_for_in_any_order():
    forward = [face_index(1, position, 7) for position in range(30)]
    backward = [face_index(1, position, 7) for position in reversed(range(30))]
    assert forward == backward[::-1]


def test_seeds_give_different_orders():
    orders = {tuple(face_index(seed, place, 12) for place in range(12)) for seed in range(5)}
    assert len(orders) == 5


def test_replacements_go_round_the_epoch():
    assert sorted(face_index(3, 11, 8, skip) for skip in range(8)) == list(range(8))
    assert face_index(3, 8, 8, 1) == face_index(3, 9, 8)


def test_chance_depends_on_seed_and_position():
    draws = {(seed, position): sample_rng(seed, position).random()
             for seed in range(3) for position in range(50)}
    assert len(set(draws.values())) == 150
    assert sample_rng(2, 7).random() == draws[2, 7]
