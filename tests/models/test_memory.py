"""Estimates of memory: their arithmetic here, their truth in `benchmarks.memory`."""

from dataclasses import replace

import pytest
import tensorflow as tf

from core.errors import DeviceError
from models.footprint import footprint
from models.memory import (
    CPU_XLA,
    LARGEST_AUTO_BATCH,
    budget,
    estimate,
    exhaustion_reported,
    largest_batch,
    memory_mb,
)
from models.quick96.options import Quick96Options
from models.saehd.options import SAEHDOptions
from tests.models.example import OPTIONS as EXAMPLE

OPTIONS = SAEHDOptions(resolution=128, archi="df-ud", batch_size=8)


def on_cpu(options, **others):
    return estimate(options, on_gpu=False, **others)


def test_weights_and_slots_are_counted_exactly():
    parameters = footprint(OPTIONS).parameters
    found = on_cpu(OPTIONS)
    assert found.weights == 4 * parameters
    assert found.optimizer == 8 * parameters  # AdaBelief: two slots
    assert on_cpu(replace(OPTIONS, optimizer="rmsprop")).optimizer == 4 * parameters
    assert found.total == pytest.approx(
        CPU_XLA.program + found.weights + found.optimizer + found.gradients + found.activations)


def test_what_grows_with_the_batch_grows_evenly():
    eight, sixteen = on_cpu(OPTIONS), on_cpu(replace(OPTIONS, batch_size=16))
    assert sixteen.activations == pytest.approx(2 * eight.activations)
    assert replace(sixteen, activations=0.0) == replace(eight, activations=0.0)


def test_a_device_holds_its_share_and_accumulation_one_slice_of_it():
    whole = on_cpu(OPTIONS).activations
    assert on_cpu(OPTIONS, n_devices=2).activations == pytest.approx(whole / 2)
    assert on_cpu(replace(OPTIONS, accumulate=4)).activations == pytest.approx(whole / 4)
    assert on_cpu(replace(OPTIONS, accumulate=4)).gradients > on_cpu(OPTIONS).gradients


def test_half_precision_needs_less_and_so_does_recomputing_on_a_gpu():
    whole = on_cpu(OPTIONS).activations
    assert on_cpu(replace(OPTIONS, precision="bfloat16")).activations == pytest.approx(whole / 2)
    recomputed = replace(OPTIONS, recompute=True)
    assert (estimate(recomputed, on_gpu=True).activations
            < estimate(OPTIONS, on_gpu=True).activations)
    assert on_cpu(recomputed).activations == whole, "as measured: docs/training.md"


def test_pretraining_needs_no_discriminators():
    judged = replace(OPTIONS, gan_power=0.1, true_face_power=0.1)
    assert on_cpu(judged).total > on_cpu(OPTIONS).total
    assert on_cpu(replace(judged, pretrain=True)) == on_cpu(replace(OPTIONS, pretrain=True))


@pytest.mark.parametrize("settings", [{}, {"n_devices": 3}, {"accumulate": 4}])
def test_the_largest_batch_fits_and_the_next_one_does_not(settings):
    settings = dict(settings)
    options = replace(OPTIONS, accumulate=settings.pop("accumulate", 1))
    room = on_cpu(replace(options, batch_size=24), **settings).total
    size = largest_batch(options, room, on_gpu=False, **settings)
    step = settings.get("n_devices", 1) * options.accumulate
    assert size % step == 0 and size >= 24
    assert on_cpu(replace(options, batch_size=size), **settings).total <= room
    assert on_cpu(replace(options, batch_size=size + step), **settings).total > room


def test_the_batch_is_capped_and_never_below_the_smallest():
    assert largest_batch(OPTIONS, 1e15, on_gpu=False) == LARGEST_AUTO_BATCH
    assert largest_batch(OPTIONS, 1e15, on_gpu=False, n_devices=2) == 2 * LARGEST_AUTO_BATCH
    assert largest_batch(OPTIONS, 0.0, on_gpu=False) == 1
    assert largest_batch(replace(OPTIONS, accumulate=2), 0.0, on_gpu=False, n_devices=3) == 6


def test_a_model_of_ones_own_has_no_estimate():
    assert on_cpu(EXAMPLE) is None and largest_batch(EXAMPLE, 1e12, on_gpu=False) is None


def test_an_estimate_in_words_names_its_parts():
    text = on_cpu(Quick96Options()).in_words()
    for name in ("program", "weights", "optimizer", "gradients", "activations"):
        assert name in text


def test_budget_and_peak_are_those_of_this_machine():
    assert 2**28 < budget() < 2**45
    assert budget(2) == pytest.approx(budget() / 2, rel=0.1)
    assert 50 < memory_mb() < 2**20


def test_a_device_without_memory_is_named():
    with pytest.raises(DeviceError, match="--batch-size"), exhaustion_reported():
        raise tf.errors.ResourceExhaustedError(None, None, "out of memory")
