"""The benchmark of training: its stand-in, its count of operations, its rows and its tables."""

import dataclasses
import functools

import pytest

from benchmarks import train
from benchmarks.machine import Turns, Usage
from benchmarks.plain_step import PlainStep
from benchmarks.tables import train_tables
from models.side import Side

TINY = train.Row("df-ud", 64, "none", "tiny", 1)


@functools.cache
def stand_in(row):
    """Tracing one takes seconds; what is counted does not change with its weights."""
    return PlainStep(train.build_model(row, xla=False))


@pytest.mark.parametrize("name, extras", [("df-ud", "gan"), ("liae-udt", "true-face"),
                                          ("quick96", "none")])
def test_the_stand_in_starts_with_the_losses_of_the_model(name, extras):
    row = dataclasses.replace(TINY, model=name, extras=extras)
    batches = train.random_batches(row)
    expected = train.build_model(row, xla=False).train_step(1, batches).losses
    plain = stand_in(row)
    losses = plain.step(batches)
    assert losses == pytest.approx([expected["src"], expected["dst"]], rel=1e-4)
    later = [sum(plain.step(batches)) for _ in range(3)]
    assert min(later) < sum(losses)


def test_the_operations_of_a_step_are_those_counted_by_hand():
    """DF-ud at 64 px, by the table of layers of the training specification, section 2.6a."""
    e, ae, d, dm = 16, 32, 16, 4
    encoder = [(32, 25, 3, e), (16, 25, e, 2 * e), (8, 25, 2 * e, 4 * e), (4, 25, 4 * e, 8 * e)]
    dense = [(1, 1, 16 * 8 * e, ae), (1, 1, ae, 4 * ae)]
    inter = [(2, 9, ae, 4 * ae)]
    face = [(4, 9, ae, 32 * d), *[(8, 9, 8 * d, 8 * d)] * 2, (8, 9, 8 * d, 16 * d),
            *[(16, 9, 4 * d, 4 * d)] * 2, (16, 9, 4 * d, 8 * d), *[(32, 9, 2 * d, 2 * d)] * 2,
            (32, 9, 2 * d, 12)]  # the four heads as one
    mask = [(4, 9, ae, 32 * dm), (8, 9, 8 * dm, 16 * dm), (16, 9, 4 * dm, 8 * dm),
            (32, 9, 2 * dm, 4 * dm), (64, 1, dm, 1)]
    once = sum(side**2 * taps * before * after
               for side, taps, before, after in encoder + dense + inter + face + mask)
    first = 32**2 * 25 * 3 * e  # whose input needs no gradient
    assert stand_in(TINY).gflop(train.random_batches(TINY)) == pytest.approx(
        2e-9 * 2 * (3 * once - first), rel=1e-6)


def test_discriminators_only_add_operations():
    """What their runs make of the generator's output again is no work of the model's."""
    rows = [dataclasses.replace(TINY, extras=extras) for extras in ("none", "true-face", "gan")]
    none, true_face, gan = (stand_in(row).gflop(train.random_batches(row)) for row in rows)
    assert none < true_face < 1.02 * none, "a code of 2x2 pixels costs little to judge"
    assert true_face < gan


def test_all_models_stand_in_every_row_that_they_have():
    rows = train.rows(train.parse(["--models", "all"]))
    assert len(rows) == len(set(rows)) == 4 * 2 * 3 + 2
    assert {row.extras for row in rows if row.model == "quick96"} == {"none"}
    few = train.rows(train.parse(["--models", "df", "--resolutions", "96", "--extras", "gan"]))
    assert few == [train.Row("df", 96, "gan", "small", 4)]


def test_the_memory_of_the_reference_is_that_of_the_same_model():
    row = train.Row("liae-udt", 128, "none", "small", 4)
    assert train.reference_memory(row) == 1663
    assert train.reference_memory(dataclasses.replace(row, model="liae-ud")) is None
    assert train.reference_memory(dataclasses.replace(row, extras="gan")) is None
    quick = dataclasses.replace(row, model="quick96", resolution=96)
    assert train.reference_memory(quick) == 2200


def test_figures_and_tables_hold_what_was_measured():
    turns = Turns(Usage(0.5, 0.8), Usage(1.0, 2.0), 0.5, 0.4)
    row = train.Row("df", 96, "none", "small", 4)
    found = {**vars(row), **train.times(row, turns), **train.speeds(turns, 50.0, (200.0, 125.0)),
             **train.starts(row, train.Start(12.5, 1599), train.Start(9.5, 1200))}
    assert found["images_per_second"] == 16
    assert found["memory_by_reference"] == 1 and found["memory_by_reference_loading"] == 0.75
    assert found["share_of_sgemm"] == 0.5 and found["cpu_share_of_sgemm"] == 0.5
    times, starts, speeds = (table.splitlines() for table in
                             train_tables({"rows": [found]}).split("\n\n"))
    assert times[2] == "| df | 96 | none | 0.5 | 0.8 | 1.0 | 2.0 | 0.5 | 0.4 | 0.7 |"
    assert starts[2] == "| df | 96 | none | 12.5 | 9.5 | 1599 | 1200 | 1599 | 1.0 | 0.75 |"
    assert speeds[2].startswith("| df | 96 | none | 50.0 | 100.0 | 200.0 | 0.5 |")


@pytest.mark.slow
def test_a_row_is_measured_in_processes_of_its_own():
    found = train.measure_apart(TINY, rounds=1)
    assert found["seconds_per_iteration"] > 0 and found["ratio_to_plain"] > 0
    for start in ("", "_loading"):
        assert 300 < found[f"peak_memory_mb{start}"] < 5000
        assert found[f"seconds_until_first_iteration{start}"] > 1


def test_batches_are_bytes_with_the_same_mask_for_both_sides():
    batches = train.random_batches(TINY)
    assert {array.dtype.name for side in Side for array in batches[side].values()} == {"uint8"}
    assert (batches[Side.SRC]["mask"] == batches[Side.DST]["mask"]).all()
