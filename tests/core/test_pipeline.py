import gc
import random
import threading
import time
import weakref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ImageError
from core.pipeline import Failed, Pipeline, Stage


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def numbers(n):
    return ((f"key{i}", i) for i in range(n))


def naps(seed, longest=0.004):
    chance = random.Random(seed)
    return lambda: time.sleep(chance.random() * longest)


def double(value):
    return value * 2


def increase_all(values):
    return [value + 1 for value in values]


def test_without_stages_the_source_passes_through():
    assert list(Pipeline(numbers(20), [], capacity=2)) == list(numbers(20))


def test_an_empty_source_ends_at_once():
    stages = [Stage("double", double, 2), Stage("add", increase_all, batch=4)]
    assert list(Pipeline([], stages)) == []


def test_results_keep_the_order_of_the_source_however_long_each_takes():
    nap = naps(1)

    def slow_double(value):
        nap()
        return value * 2

    stages = [Stage("double", slow_double, 5), Stage("add", increase_all, 2, batch=3),
              Stage("again", slow_double, 3)]
    result = list(Pipeline(numbers(200), stages, capacity=4))
    assert result == [(f"key{i}", (i * 2 + 1) * 2) for i in range(200)]


def test_workers_of_a_stage_work_side_by_side():
    together = threading.Barrier(3, timeout=20)

    def meet(value):
        together.wait()
        return value

    assert len(list(Pipeline(numbers(9), [Stage("meet", meet, 3)]))) == 9


def test_stages_work_side_by_side():
    together = threading.Barrier(2, timeout=20)

    def meet_unless(alone):
        def meet(value):
            if value != alone:
                together.wait()
            return value

        return meet

    # Item n in the second stage meets item n + 1 in the first.
    stages = [Stage("first", meet_unless(0)), Stage("second", meet_unless(8))]
    assert [value for _, value in Pipeline(numbers(9), stages)] == list(range(9))


def test_a_batch_stage_gets_full_batches_of_neighbours_and_the_rest_at_the_end():
    batches = []

    def remember(values):
        batches.append(values)
        return values

    nap = naps(2)
    stages = [Stage("nap", lambda value: nap() or value, 4), Stage("batch", remember, batch=4)]
    list(Pipeline(numbers(10), stages, capacity=1))
    assert batches == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_a_batch_does_not_wait_for_items_once_the_source_has_ended():
    start = time.monotonic()
    assert [value for _, value in Pipeline(numbers(3), [Stage("add", increase_all, batch=64)])] == [
        1, 2, 3]
    assert time.monotonic() - start < 5


def test_a_failed_item_bypasses_later_stages_and_keeps_its_place():
    seen = []

    def fail_on_three(value):
        if value % 3 == 0:
            raise ImageError(f"frame {value} is broken")
        return value

    def remember(values):
        seen.extend(values)
        return values

    stages = [Stage("fail", fail_on_three, 2), Stage("remember", remember, batch=4)]
    result = dict(Pipeline(numbers(10), stages))
    assert list(result) == [f"key{i}" for i in range(10)]
    assert [key for key, value in result.items() if isinstance(value, Failed)] == [
        "key0", "key3", "key6", "key9"]
    assert result["key3"].item == "key3"
    assert result["key3"].reason == "frame 3 is broken"
    assert isinstance(result["key3"].error, ImageError)
    assert sorted(seen) == [1, 2, 4, 5, 7, 8]


@pytest.mark.parametrize("error", [ImageError("x"), OSError("x"), ValueError("x"),
                                   ZeroDivisionError("x"), MemoryError()])
def test_what_one_bad_frame_may_raise_becomes_failed(error):
    def fail(value):
        raise error

    ((_, value),) = Pipeline(numbers(1), [Stage("fail", fail)])
    assert value.error is error
    assert value.reason == (str(error) or type(error).__name__)


def test_opencv_errors_become_failed():
    import cv2
    import numpy as np

    stage = Stage("convert", lambda value: cv2.cvtColor(np.zeros((2, 2), np.uint8),
                                                        cv2.COLOR_BGR2LAB))
    ((_, value),) = Pipeline(numbers(1), [stage])
    assert isinstance(value.error, cv2.error)
    assert "\n" not in value.reason


def test_one_bad_item_does_not_take_its_batch_along():
    def no_fives(values):
        if 5 in values:
            raise ValueError("five")
        return [value * 10 for value in values]

    values = [value for _, value in Pipeline(numbers(8), [Stage("tens", no_fives, batch=4)])]
    assert [i for i, value in enumerate(values) if isinstance(value, Failed)] == [5]
    assert [value for value in values if not isinstance(value, Failed)] == [
        0, 10, 20, 30, 40, 60, 70]


def test_stages_and_sources_may_hand_on_failed_themselves():
    source = [("a", Failed("a", OSError("unreadable"))), ("b", 2)]
    stage = Stage("judge", lambda values: [Failed("b", ValueError("odd")) for _ in values], batch=2)
    result = dict(Pipeline(source, [stage]))
    assert (result["a"].reason, result["b"].reason) == ("unreadable", "odd")


def test_many_failures_in_a_row_do_not_lock_a_waiting_batch():
    def fail_most(value):
        if value % 50:
            raise ValueError("bad")
        return value

    stages = [Stage("fail", fail_most, 2), Stage("add", increase_all, batch=16)]
    values = [value for _, value in Pipeline(numbers(300), stages, capacity=1)]
    assert [value for value in values if not isinstance(value, Failed)] == [1, 51, 101, 151, 201,
                                                                            251]


def test_an_unexpected_exception_in_a_stage_is_raised_and_stops_all_threads():
    def stumble(value):
        if value == 20:
            raise TypeError("a mistake in the program")
        return value

    seen = []
    with pytest.raises(TypeError, match="a mistake in the program"):
        for _, value in Pipeline(numbers(10**9), [Stage("a", double, 2), Stage("b", stumble, 2)]):
            seen.append(value)
    assert seen == list(range(0, 2 * len(seen), 2))
    assert len(seen) <= 10


def test_the_traceback_of_an_unexpected_exception_shows_where_it_happened():
    def stumble(value):
        return value.missing

    with pytest.raises(AttributeError) as failure:
        list(Pipeline(numbers(3), [Stage("a", stumble)]))
    assert "stumble" in [entry.name for entry in failure.traceback]


def test_an_exception_in_the_source_is_raised():
    def source():
        yield "a", 1
        raise ImageError("the video ends early")

    with pytest.raises(ImageError, match="ends early"):
        list(Pipeline(source(), [Stage("double", double, 3)]))


def test_a_batch_stage_that_loses_values_is_a_mistake_of_the_program():
    with pytest.raises(RuntimeError, match="stage short returned 1 values for 2 items"):
        list(Pipeline(numbers(4), [Stage("short", lambda values: values[:1], batch=2)]))


def test_leaving_the_loop_early_stops_an_endless_source_and_closes_it():
    closed_in = []

    def source():
        i = 0
        try:
            while True:
                yield i, i
                i += 1
        finally:
            closed_in.append(threading.current_thread().name)

    for key, _ in Pipeline(source(), [Stage("double", double, 3), Stage("add", increase_all,
                                                                        batch=4)]):
        if key == 25:
            break
    gc.collect()
    assert closed_in == ["source"]


def test_an_exception_in_the_loop_stops_the_threads():
    with pytest.raises(KeyboardInterrupt):
        for _ in Pipeline(numbers(10**9), [Stage("double", double, 2)]):
            raise KeyboardInterrupt


def test_the_source_runs_ahead_only_as_far_as_allowed():
    produced, consumed, most = 0, 0, 0

    def source():
        nonlocal produced
        for i in range(100):
            produced += 1
            yield i, i

    stages = [Stage("double", double, 2), Stage("add", increase_all, 1, batch=4)]
    for _ in Pipeline(source(), stages, capacity=3):
        time.sleep(0.001)
        most = max(most, produced - consumed)
        consumed += 1
    assert consumed == 100
    # capacity 3 + workers 2 * 1 + 1 * 4, and the one in the consumer's hand
    assert 4 <= most <= 3 + 2 + 4 + 1


def test_failed_items_do_not_keep_their_pictures_in_memory():
    class Picture:
        pass

    picture = Picture()
    alive = weakref.ref(picture)
    source = iter([("a", picture)])
    del picture

    def fail(value):
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise ValueError("outer") from error

    result = list(Pipeline(source, [Stage("fail", fail)]))
    gc.collect()
    assert result[0][1].reason == "outer"
    assert alive() is None


def test_stats_count_items_and_busy_seconds_per_stage():
    def fail_first(value):
        time.sleep(0.01)
        if value == 0:
            raise ValueError
        return value

    pipeline = Pipeline(list(numbers(10)), [Stage("slow", fail_first, 2),
                                            Stage("add", increase_all, batch=4)])
    for _ in range(2):  # each loop counts anew
        list(pipeline)
        assert {name: figures["items"] for name, figures in pipeline.stats.items()} == {
            "source": 10, "slow": 10, "add": 9}
        assert 0.1 <= pipeline.stats["slow"]["busy_seconds"] < 5
        assert pipeline.stats["add"]["busy_seconds"] < 0.1


@pytest.mark.parametrize("stages, capacity", [
    ([Stage("a", double), Stage("a", double)], 8), ([Stage("source", double)], 8),
    ([Stage("a", double)], 0), ([Stage("a", double, workers=0)], 8),
    ([Stage("a", double, batch=0)], 8)])
def test_senseless_pipelines_are_refused(stages, capacity):
    with pytest.raises(ValueError):
        Pipeline([], stages, capacity)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 60), st.integers(1, 6), st.sets(st.integers(0, 59)),
       st.lists(st.tuples(st.integers(1, 4), st.integers(1, 5)), max_size=4), st.integers(0, 99))
def test_any_shape_of_pipeline_gives_what_a_plain_loop_gives(n, capacity, bad, shapes, seed):
    nap = naps(seed, 0.0005)

    def one(value):
        nap()
        if value in bad:
            raise ValueError(f"bad {value}")
        return value

    def step(batch):
        return one if batch == 1 else lambda values: [one(value) for value in values]

    stages = [Stage(f"stage{i}", step(batch), workers, batch)
              for i, (workers, batch) in enumerate(shapes)]
    got = [(key, value.reason if isinstance(value, Failed) else value)
           for key, value in Pipeline(numbers(n), stages, capacity)]
    assert got == [(f"key{i}", f"bad {i}" if stages and i in bad else i) for i in range(n)]
