"""Batches: repeatable, resumable, and not stopped by a bad file."""

import threading
from collections import Counter
from dataclasses import replace

import cv2
import numpy as np
import pytest

from core.errors import NoFacesFound, OptionError
from facelib.face_type import FaceType
from samplelib.face_image import read_info, write_info
from samplelib.faceset import load_faceset
from samplelib.sampler import BatchGenerator, SampleOptions, SampleRecipe, preview_batch
from samplelib.yaw_bins import yaw_bins

RECIPE = SampleRecipe(48, FaceType.FULL, options=SampleOptions(random_flip=True))


def take(faceset, n_batches: int, batch_size: int = 3, **arguments) -> dict[str, np.ndarray]:
    """The samples of some batches, one after the other."""
    with BatchGenerator(faceset, RECIPE, batch_size, **{"seed": 1, **arguments}) as batches:
        taken = [batches.next_batch() for _ in range(n_batches)]
    return {name: np.concatenate([batch[name] for batch in taken]) for name in taken[0]}


def assert_equal(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert one.keys() == other.keys()
    for name in one:
        assert np.array_equal(one[name], other[name]), name


def shades(samples: np.ndarray) -> list[int]:
    """Which face of `make_faceset` each sample shows, by its green shade 20 + 10 i."""
    return [round((np.median(sample[..., 1]) - 20.0) / 10) for sample in samples]


def test_batches_have_the_promised_arrays(make_faceset):
    batch = take(make_faceset(), 1, batch_size=4)
    assert {name: (array.shape, array.dtype) for name, array in batch.items()} == {
        "warped": ((4, 48, 48, 3), np.uint8), "target": ((4, 48, 48, 3), np.uint8),
        "mask": ((4, 48, 48, 1), np.uint8)}


@pytest.mark.parametrize("arguments", [
    {"workers": 1, "prefetch": 1}, {"workers": 4, "prefetch": 6}, {"cache_bytes": 0}])
def test_samples_do_not_depend_on_threads_and_memory(make_faceset, arguments):
    faceset = make_faceset()
    assert_equal(take(faceset, 8, workers=2), take(faceset, 8, **arguments))


def test_samples_do_not_depend_on_the_batch_size(make_faceset):
    faceset = make_faceset()
    assert_equal(take(faceset, 6, batch_size=2), take(faceset, 3, batch_size=4))


@pytest.mark.parametrize("rows", [[(0, 1), (1, None)], [(0, 2), (2, 1)], [(0, 3)]])
def test_processes_that_share_a_batch_make_its_rows(make_faceset, rows):
    faceset = make_faceset()
    whole = take(faceset, 4)
    shares = [take(faceset, 4, first_row=first, n_rows=n) for first, n in rows]
    for name, array in whole.items():
        split = [share[name].reshape(4, -1, *array.shape[1:]) for share in shares]
        assert np.array_equal(np.concatenate(split, axis=1).reshape(array.shape), array)


def test_batches_are_placed_by_the_thread_that_made_them(make_faceset):
    faceset = make_faceset()

    def place(batch):
        return {name: (array, threading.current_thread().name) for name, array in batch.items()}

    plain = take(faceset, 1)
    with BatchGenerator(faceset, RECIPE, 3, seed=1, place=place) as batches:
        placed = batches.next_batch()
    for name, (array, thread) in placed.items():
        assert np.array_equal(array, plain[name]) and thread.startswith("samples")


def test_seeds_give_different_samples(make_faceset):
    faceset = make_faceset()
    one, other = take(faceset, 2), take(faceset, 2, seed=2)
    assert not np.array_equal(one["target"], other["target"])


def test_a_resumed_run_goes_on_where_it_was(make_faceset):
    faceset = make_faceset()
    whole = take(faceset, 7)
    with BatchGenerator(faceset, RECIPE, 3, seed=1) as first:
        for _ in range(4):
            first.next_batch()
        position = first.position
    assert position == 12
    rest = take(faceset, 3, start_index=position)
    assert_equal(rest, {name: array[12:] for name, array in whole.items()})


def test_a_closed_generator_goes_on_without_a_gap(make_faceset):
    faceset = make_faceset()
    whole = take(faceset, 2)
    batches = BatchGenerator(faceset, RECIPE, 3, seed=1)
    first = batches.next_batch()
    batches.close()
    second = next(iter(batches))
    batches.close()
    assert_equal(whole, {name: np.concatenate([first[name], second[name]]) for name in whole})


def test_each_epoch_shows_each_face_once(make_faceset):
    seen = shades(take(make_faceset(6), 4)["target"])
    assert sorted(seen[:6]) == sorted(seen[6:]) == list(range(6))


def test_batches_belong_to_the_caller(make_faceset):
    faceset = make_faceset(1)
    with BatchGenerator(faceset, RECIPE, 2, seed=1) as batches:
        batches.next_batch()["target"][:] = 0
        assert batches.next_batch()["target"].max() > 0
    assert preview_batch(faceset, RECIPE, [0])["target"].max() > 0


def delete(path):
    path.unlink()


def cut(path):
    path.write_bytes(path.read_bytes()[:-700])


def overwrite(path):
    path.write_bytes(b"something else")


@pytest.mark.parametrize("damage", [delete, cut, overwrite])
@pytest.mark.parametrize("workers", [1, 3])
def test_a_bad_face_is_reported_once_and_replaced(make_faceset, damage, workers):
    faceset = make_faceset(4)
    damage(faceset.faces[2].path)
    reported = []
    with BatchGenerator(faceset, RECIPE, 4, seed=1, workers=workers,
                        on_problem=reported.append) as batches:
        seen = [shades(batches.next_batch()["target"]) for _ in range(5)]
    assert all(set(epoch) == {0, 1, 3} for epoch in seen)
    assert [problem.path for problem in reported] == [faceset.faces[2].path]
    assert batches.problems == tuple(reported)
    assert "00002_0.jpg" in reported[0].reason and "\n" not in reported[0].reason


def test_replacements_do_not_depend_on_threads(make_faceset):
    faceset = make_faceset(5)
    for index in (0, 3):
        faceset.faces[index].path.unlink()
    assert_equal(take(faceset, 6, workers=1), take(faceset, 6, workers=4))


def test_training_stops_with_a_message_when_all_faces_are_bad(make_faceset):
    faceset = make_faceset(3)
    for face in faceset.faces:
        face.path.unlink()
    with BatchGenerator(faceset, RECIPE, 2, seed=1) as batches:
        with pytest.raises(NoFacesFound, match="none of its 3 faces.*extract"):
            batches.next_batch()
    with pytest.raises(NoFacesFound, match="none of its 3 faces"):
        preview_batch(faceset, RECIPE, [1])


def test_a_wider_face_type_is_refused_before_any_work(make_faceset):
    recipe = SampleRecipe(48, FaceType.WHOLE_FACE)
    with pytest.raises(OptionError, match="whole_face"):
        BatchGenerator(make_faceset(), recipe, 2, seed=1)
    with pytest.raises(OptionError, match="whole_face"):
        preview_batch(make_faceset(name="other"), recipe, [0])


@pytest.mark.parametrize("name", [
    "batch_size", "workers", "prefetch", "start_index", "seed", "first_row", "n_rows"])
def test_impossible_numbers_are_named(make_faceset, name):
    arguments = {"batch_size": 2, "seed": 1, name: -1}
    with pytest.raises(ValueError, match=name):
        BatchGenerator(make_faceset(1), RECIPE, **arguments)


def test_threads_start_late_and_end_with_the_block(make_faceset):
    faceset = make_faceset()

    def n_threads():
        return sum(thread.name.startswith("samples") for thread in threading.enumerate())

    before = n_threads()
    with BatchGenerator(faceset, RECIPE, 2, seed=1, workers=3) as batches:
        assert n_threads() == before
        batches.next_batch()
        assert n_threads() > before
    assert n_threads() == before


def test_opencv_gets_its_threads_back_after_the_last_generator(make_faceset):
    faceset = make_faceset()
    before = cv2.getNumThreads()
    cv2.setNumThreads(3)
    try:
        one, other = (BatchGenerator(faceset, RECIPE, 2, seed=seed) for seed in (1, 2))
        one.next_batch(), other.next_batch()
        assert cv2.getNumThreads() == 1
        one.close()
        assert cv2.getNumThreads() == 1
        other.close()
        other.close()
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)


def test_previews_show_chosen_faces_unchanged(make_faceset):
    faceset = make_faceset(5)
    batch = preview_batch(faceset, RECIPE, [3, 0, 7])
    assert shades(batch["target"]) == [3, 0, 2]  # counted round: 7 is face 2
    assert np.array_equal(batch["warped"], batch["target"])
    again = preview_batch(faceset, RECIPE, [3, 0, 7])
    assert_equal(batch, again)


def test_a_preview_replaces_a_bad_face(make_faceset):
    faceset = make_faceset(3)
    faceset.faces[1].path.unlink()
    assert shades(preview_batch(faceset, RECIPE, [1])["target"]) == [2]


def test_uniform_yaw_shows_all_directions_equally_often(make_faceset):
    folder = make_faceset(7).folder
    for number, yaw in enumerate([-0.8, -0.8, -0.8, -0.8, 0.0, 0.0, 0.9]):
        path = folder / f"{number:05d}_0.jpg"
        write_info(path, replace(read_info(path), pose=(0.0, yaw, 0.0)))
    faceset = load_faceset(folder)
    samples = take(faceset, 12, uniform_yaw=True)
    seen = Counter(shades(samples["target"]))
    assert {number: seen[number] for number in range(7)} == {
        0: 3, 1: 3, 2: 3, 3: 3, 4: 6, 5: 6, 6: 12}
    assert_equal(samples, take(faceset, 9, batch_size=4, workers=1, uniform_yaw=True))


def test_yaw_bins_are_a_degree_wide_and_the_last_ones_open():
    step = 2.4 / 127  # 128 edges from -1.2 to 1.2
    yaws = np.array([-1.5, -1.2, 0.0, 0.4 * step, 1.2 - 0.1 * step, 1.2 - 1.1 * step, 1.5])
    assert [faces.tolist() for faces in yaw_bins(yaws)] == [[4, 6], [5], [2, 3], [0, 1]]


def test_rows_lie_inside_the_batch(make_faceset):
    with pytest.raises(ValueError, match="n_rows is 2, too many from row 3 of 4"):
        BatchGenerator(make_faceset(1), RECIPE, 4, seed=1, first_row=3, n_rows=2)
