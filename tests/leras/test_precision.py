import numpy as np
import pytest
import tensorflow as tf

from leras.graph import compile
from leras.precision import GROWTH_INTERVAL, PRECISIONS, LossScale


@pytest.fixture(scope="module")
def scale():
    return LossScale()


@pytest.fixture(scope="module")
def update(scale):
    return compile(scale.update, tf.TensorSpec((), tf.bool))


def put(scale, value, finite_steps=0):
    scale.load_state({"scale": np.float32(value), "finite_steps": np.int64(finite_steps)})


def values(scale):
    return {name: value.item() for name, value in scale.state().items()}


@pytest.mark.parametrize("name, dtype, scales", [("float32", tf.float32, False),
                                                 ("float16", tf.float16, True),
                                                 ("bfloat16", tf.bfloat16, False)])
def test_only_float16_has_too_few_exponents_to_go_without_a_loss_scale(name, dtype, scales):
    """float16 ends at 6e-8; bfloat16 has the exponents of float32."""
    assert PRECISIONS[name].compute == dtype and PRECISIONS[name].scales_loss == scales


def test_the_scale_starts_at_two_to_the_fifteenth():
    assert values(LossScale()) == {"scale": 32768, "finite_steps": 0}


def test_it_doubles_after_two_thousand_finite_steps(scale, update):
    assert GROWTH_INTERVAL == 2000
    put(scale, 1024, 1998)
    update(True)
    assert values(scale) == {"scale": 1024, "finite_steps": 1999}
    update(True)
    assert values(scale) == {"scale": 2048, "finite_steps": 0}


def test_an_overflow_halves_it_and_counts_anew(scale, update):
    put(scale, 1024, 1999)
    update(False)
    assert values(scale) == {"scale": 512, "finite_steps": 0}


def test_it_stays_between_one_and_two_to_the_twentyfourth(scale, update):
    put(scale, 1)
    update(False)
    assert values(scale)["scale"] == 1
    put(scale, 2.0**24, 1999)
    update(True)
    assert values(scale)["scale"] == 2.0**24
