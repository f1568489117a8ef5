import math

import numpy as np
import pytest
import tensorflow as tf

from leras.layers.conv import Conv2D
from leras.layers.dense import Dense
from leras.module import Module
from leras.optimizers.base import Schedule
from leras.optimizers.rmsprop import RMSprop
from leras.precision import PRECISIONS
from leras.train_step import Objectives, StepControl, TrainStep

N, WIDTH = 4, 3


class Line(Module):
    """x . w + b, and a variable that nothing uses."""

    def __init__(self):
        super().__init__()
        self.w = tf.Variable([0.5, -1.0, 2.0])
        self.b = tf.Variable(0.25)
        self.idle = tf.Variable([1.0])

    def __call__(self, x):
        return tf.linalg.matvec(x, self.w) + self.b


def batch(seed=0, n=N):
    return np.random.default_rng(seed).standard_normal((n, WIDTH)).astype(np.float32)


def squares(line):
    """(N,) squared distance of every output from one."""
    return lambda x: Objectives({"line": (line(x) - 1)**2}, {"twice": 2 * (line(x) - 1)**2})


def build(objectives=squares, *, n=N, frozen=("idle",), schedule=Schedule(0.1), **arguments):
    line = Line()
    optimizer = RMSprop(dict(line.named_variables()), schedule, frozen=frozen)
    step = TrainStep(objectives(line), {"line": optimizer}, [tf.TensorSpec((n, WIDTH))],
                     **arguments)
    return line, optimizer, step


def by_hand(x):
    """Total, and gradient of (w, b), of the mean square at the start values; float64."""
    error = x.astype(np.float64) @ [0.5, -1.0, 2.0] + 0.25 - 1
    return np.mean(error**2), np.append(2 * error @ x / len(x), 2 * error.mean())


def everything(line, optimizer):
    return [value.copy() for owner in (line, optimizer) for value in owner.state().values()]


@pytest.mark.parametrize("jit", [True, False])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_one_step_is_the_one_worked_out_by_hand(jit, precision):
    """RMSprop's first step is rate * g / (sqrt(0.1 g^2) + 1e-6)."""
    line, optimizer, step = build(jit=jit, precision=PRECISIONS[precision])
    total, gradient = by_hand(batch())
    result = step.step([batch()])
    assert result.total == pytest.approx(total, rel=1e-5)
    assert result.losses == pytest.approx({"twice": 2 * total}, rel=1e-5)
    assert result.gradient_norm == pytest.approx(np.linalg.norm(gradient), rel=1e-5)
    assert result.applied and result.loss_scale == (2.0**15 if precision == "float16" else 1)
    moved = np.append(line.w.numpy(), line.b.numpy()) - [0.5, -1.0, 2.0, 0.25]
    expected = -0.1 * gradient / (np.sqrt(0.1 * gradient**2) + 1e-6)
    np.testing.assert_allclose(moved, expected, rtol=1e-4)
    assert line.idle.numpy() == 1 and optimizer.step.numpy() == 1


def test_the_rate_of_a_step_can_be_scaled():
    line, _, step = build()
    step.step([batch()], StepControl(rate_scale=0.25))
    moved = line.w.numpy() - [0.5, -1.0, 2.0]
    np.testing.assert_allclose(np.abs(moved), 0.25 * 0.1 / np.sqrt(0.1), rtol=1e-4)


def test_clipping_uses_the_common_norm_and_the_result_tells_the_norm_before():
    _, optimizer, step = build(schedule=Schedule(0.1, clip_norm=0.5))
    _, gradient = by_hand(batch())
    norm = np.linalg.norm(gradient)
    assert norm > 0.5
    assert step.step([batch()]).gradient_norm == pytest.approx(norm, rel=1e-5)
    kept = optimizer.state()["mean_square/w"]  # 0.1 * g^2 of the clipped gradient
    np.testing.assert_allclose(kept, 0.1 * (gradient[:3] * 0.5 / norm)**2, rtol=1e-4)


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e30])  # the last overflows when squared
def test_a_step_that_is_not_finite_changes_nothing(value):
    line, optimizer, step = build()
    step.step([batch()])
    before = everything(line, optimizer)
    spoilt = batch()
    spoilt[1, 2] = value
    result = step.step([spoilt])
    assert not result.applied and not math.isfinite(result.gradient_norm)
    for now, then in zip(everything(line, optimizer), before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert step.step([batch(1)]).applied


def test_a_step_above_the_loss_limit_changes_nothing():
    line, optimizer, step = build(precision=PRECISIONS["float16"])
    before, total = everything(line, optimizer), by_hand(batch())[0]
    result = step.step([batch()], StepControl(loss_limit=total * 0.99))
    assert not result.applied and result.total == pytest.approx(total, rel=1e-5)
    for now, then in zip(everything(line, optimizer), before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert step.state()["scale"] == 2.0**15, "a spike says nothing about the number format"
    assert step.step([batch()], StepControl(loss_limit=total * 1.01)).applied


def test_a_variable_that_no_gradient_reaches_is_named():
    _, _, step = build(frozen=())
    with pytest.raises(ValueError, match="group 'line': no gradient reaches idle; freeze"):
        step.step([batch()])


def test_frozen_variables_stay_and_unknown_ones_are_refused():
    line, optimizer, step = build(frozen=("idle", "b"))
    assert [path for path, _ in optimizer.named_targets()] == ["w"]
    assert [target.shape.rank for target in optimizer.targets] == [1]
    step.step([batch()])
    assert line.b.numpy() == 0.25 and (line.w.numpy() != [0.5, -1.0, 2.0]).all()
    assert "mean_square/b" in optimizer.state(), "what is frozen now may train later"
    with pytest.raises(ValueError, match="nobody"):
        build(frozen=("nobody",))


def test_groups_share_one_forward_pass_and_get_only_their_own_gradients():
    maker, judge, calls = Line(), Line(), []

    def objectives(x):
        calls.append(1)
        made = maker(x)
        return Objectives({"maker": judge.w[0] * made**2,
                           "judge": (judge.b - tf.stop_gradient(made))**2 + judge.w[0]**2}, {})

    optimizers = {"maker": RMSprop({"w": maker.w}, Schedule(0.1)),
                  "judge": RMSprop({"b": judge.b, "w": judge.w}, Schedule(0.1))}
    step = TrainStep(objectives, optimizers, [tf.TensorSpec((N, WIDTH))])
    result = step.step([batch()])
    assert len(calls) == 1
    made = batch().astype(np.float64) @ [0.5, -1.0, 2.0] + 0.25
    maker_gradient = np.mean(0.5 * 2 * made[:, None] * batch(), 0)
    judge_gradient = [2 * np.mean(0.25 - made), 2 * 0.5]  # of b and of w[0]
    np.testing.assert_allclose(optimizers["maker"].state()["mean_square/w"],
                               0.1 * maker_gradient**2, rtol=1e-4)
    assert optimizers["judge"].state()["mean_square/b"] == pytest.approx(
        0.1 * judge_gradient[0]**2, rel=1e-4)
    np.testing.assert_allclose(optimizers["judge"].state()["mean_square/w"],
                               [0.1 * judge_gradient[1]**2, 0, 0], rtol=1e-4)
    assert result.gradient_norm == pytest.approx(
        math.hypot(*maker_gradient, *judge_gradient), rel=1e-4)
    assert result.total == pytest.approx(np.mean(0.5 * made**2), rel=1e-4)


@pytest.mark.parametrize("precision", ["float32", "float16"])
@pytest.mark.parametrize("jit", [True, False])
def test_accumulated_slices_make_the_step_of_the_whole_batch(jit, precision):
    calls, results = [], {}

    def counted(line):
        def objectives(x):
            calls.append(x.shape[0])
            return squares(line)(x)
        return objectives

    for n_slices in (1, 3, 6):
        calls.clear()
        line, _, step = build(counted, n=12 // n_slices, accumulate=n_slices, jit=jit,
                              precision=PRECISIONS[precision])
        result = [step.step([batch(seed, 12)]) for seed in range(3)][-1]
        results[n_slices] = [result.total, result.gradient_norm, result.losses["twice"],
                             *line.w.numpy(), line.b.numpy()]
        assert len(calls) <= 2 and set(calls) == {12 // n_slices}, "traced once, not per slice"
    np.testing.assert_allclose(results[3], results[1], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(results[6], results[1], rtol=1e-5, atol=1e-7)


def test_a_nan_in_one_slice_refuses_the_whole_step():
    line, _, step = build(n=2, accumulate=3)
    spoilt = batch(0, 6)
    spoilt[5] = math.nan
    assert not step.step([spoilt]).applied and line.b.numpy() == 0.25


class HalfPrecisionLine(Line):
    """The products are float16."""

    def __call__(self, x):
        products = tf.cast(x, tf.float16) * tf.cast(self.w, tf.float16)
        return tf.cast(tf.reduce_sum(products, -1), tf.float32)


@pytest.mark.parametrize("precision, survives", [("float16", True), ("float32", False)])
def test_the_loss_scale_saves_gradients_that_float16_cannot_hold(precision, survives):
    """The gradient, some 1e-8, is below float16's smallest number, 6e-8."""
    line = HalfPrecisionLine()
    optimizer = RMSprop({"w": line.w}, Schedule(0.1))
    step = TrainStep(lambda x: Objectives({"line": 1e-8 * line(x)}, {}), {"line": optimizer},
                     [tf.TensorSpec((1, WIDTH))], precision=PRECISIONS[precision], jit=False)
    norm = step.step([np.ones((1, WIDTH))]).gradient_norm
    assert norm == pytest.approx(1e-8 * math.sqrt(3), rel=0.01) if survives else norm == 0


def test_an_overflow_halves_the_scale_until_the_gradients_fit():
    """Gradients of 2^8 times the first scale, 2^15, exceed float16's largest number, 65504."""
    line = HalfPrecisionLine()
    step = TrainStep(lambda x: Objectives({"line": 2.0**8 * line(x)}, {}),
                     {"line": RMSprop({"w": line.w}, Schedule(0.1))},
                     [tf.TensorSpec((1, WIDTH))], precision=PRECISIONS["float16"])
    results = [step.step([np.ones((1, WIDTH))]) for _ in range(12)]
    assert [result.applied for result in results] == [False] * 8 + [True] * 4
    assert [result.loss_scale for result in results[:10]] == [2.0**(15 - i) for i in range(9)] + [
        2.0**7]


def test_the_loss_scale_is_saved_and_loaded():
    _, _, step = build(precision=PRECISIONS["float16"])
    step.step([batch() * math.nan])
    state = step.state()
    assert state["scale"] == 2.0**14
    _, _, resumed = build(precision=PRECISIONS["float16"])
    resumed.load_state(state)
    assert resumed.step([batch()]).loss_scale == 2.0**14


def test_a_state_of_another_precision_changes_nothing():
    _, _, plain = build()
    assert plain.state() == {}
    plain.load_state({"scale": np.float32(2), "finite_steps": np.int64(0)})
    _, _, scaled = build(precision=PRECISIONS["float16"])
    scaled.load_state({})
    assert scaled.state()["scale"] == 2.0**15


@pytest.mark.parametrize("specs", [[(None, 3)], [(2, 3), (4, 3)]])
def test_a_signature_without_one_fixed_batch_size_is_refused(specs):
    with pytest.raises(ValueError, match="one fixed first axis"):
        TrainStep(None, {}, [tf.TensorSpec(shape) for shape in specs])


def test_a_batch_of_another_size_is_refused():
    _, _, step = build()
    with pytest.raises(ValueError, match="a batch of 5"):
        step.step([batch(0, 5)])


def test_a_wish_to_stop_comes_back():
    _, _, step = build()
    assert [step.step([batch()], StepControl(stop=wish)).stop_agreed
            for wish in (False, True, False)] == [False, True, False]


class TinyDF(Module):
    """A DF in small: one encoder and inter, a decoder for each side; dense layers in float32."""

    def __init__(self):
        super().__init__()
        self.down1, self.down2 = Conv2D(3, 8, 5, stride=2), Conv2D(8, 16, 5, stride=2)
        self.dense1, self.dense2 = Dense(16 * 16, 16), Dense(16, 16 * 16)
        self.decoders = [Conv2D(16, 3 * 16, 3) for _ in range(2)]

    def __call__(self, faces, side, dtype):
        x = tf.cast(faces, dtype)
        for down in (self.down1, self.down2):
            x = tf.nn.leaky_relu(down(x), 0.1)
        x = self.dense2(self.dense1(tf.cast(tf.reshape(x, (-1, 16 * 16)), tf.float32)))
        x = self.decoders[side](tf.cast(tf.reshape(x, (-1, 4, 4, 16)), dtype))
        return tf.sigmoid(tf.cast(tf.nn.depth_to_space(x, 4), tf.float32))


def losses_of(precision):
    """Mean loss of the last 20 of 200 iterations on eight smooth pictures of each side."""
    network = TinyDF()
    network.initialize(np.random.default_rng(0))
    dtype = PRECISIONS[precision].compute

    def objectives(src, dst):
        errors = [tf.reduce_mean((network(faces, side, dtype) - faces)**2, (1, 2, 3))
                  for side, faces in enumerate((src, dst))]
        return Objectives({"both": sum(errors)}, {})

    optimizer = RMSprop(dict(network.named_variables()), Schedule(1e-3))
    step = TrainStep(objectives, {"both": optimizer}, [tf.TensorSpec((4, 16, 16, 3))] * 2,
                     precision=PRECISIONS[precision])
    rng = np.random.default_rng(1)
    coarse = rng.random((2, 8, 4, 4, 3), np.float32)
    faces = np.repeat(np.repeat(coarse, 4, 2), 4, 3)
    results = [step.step([side[rng.permutation(8)[:4]] for side in faces]) for _ in range(200)]
    assert all(result.applied for result in results)
    return results[0].total, np.mean([result.total for result in results[-20:]])


def test_two_hundred_iterations_of_mixed_precision_end_within_two_percent_of_float32():
    start, exact = losses_of("float32")
    assert exact < 0.1 * start, "it must learn, or the comparison says nothing"
    for precision in ("float16", "bfloat16"):
        _, mixed = losses_of(precision)
        print(precision, f"{mixed / exact - 1:+.2%}")
        assert mixed == pytest.approx(exact, rel=0.02), precision
