import itertools

import numpy as np
import pytest
import tensorflow as tf
import torch

from leras.graph import compile
from leras.optimizers.adabelief import AdaBelief
from leras.optimizers.adam import Adam
from leras.optimizers.base import MANY, Schedule, clip_by_global_norm, cosine, global_norm
from leras.optimizers.rmsprop import RMSprop
from tests.leras import reference as ref

SHAPES = {"conv/weight": (3, 3, 2, 4), "conv/bias": (4,), "scale": ()}
OPTIMIZERS = {
    "rmsprop": (RMSprop, {}, lambda shapes: ref.RMSprop(shapes)),
    "adabelief": (AdaBelief, {}, lambda shapes: ref.AdaBelief(shapes, compat=False)),
    "adabelief compat": (AdaBelief, {"compat": True},
                         lambda shapes: ref.AdaBelief(shapes, compat=True)),
    "adam": (Adam, {}, lambda shapes: ref.Adam(shapes)),
}
SCHEDULES = {
    "plain": Schedule(0.01),
    "dropout": Schedule(0.01, dropout=0.3),
    "clip": Schedule(0.01, clip_norm=1.0),
    "clip that never acts": Schedule(0.01, clip_norm=100.0),
    "cosine": Schedule(0.01, cosine_period=8),
    "all": Schedule(0.01, dropout=0.3, cosine_period=8, clip_norm=1.0),
}


def start_values(seed=0):
    rng = np.random.default_rng(seed)
    return {path: rng.standard_normal(shape).astype(np.float32) for path, shape in SHAPES.items()}


def gradients(step):
    rng = np.random.default_rng(100 + step)
    return [np.float32(rng.standard_normal(shape) * 10.0**rng.integers(-3, 1))
            for shape in SHAPES.values()]


def build(kind, schedule, seed=7, jit=False):
    """Variables, their optimizer, and a compiled step that takes the gradients."""
    factory, arguments, _ = OPTIMIZERS[kind]
    variables = {path: tf.Variable(value) for path, value in start_values().items()}
    optimizer = factory(variables, schedule, seed=seed, **arguments)
    signature = [tf.TensorSpec(shape) for shape in SHAPES.values()]
    return variables, optimizer, compile(lambda *g: optimizer.apply(g), *signature, jit=jit)


def values_of(variables):
    return {path: variable.numpy() for path, variable in variables.items()}


def reference_run(kind, schedule, n_steps, seed=7):
    """The variables after each step, in float64."""
    values = [value.astype(np.float64) for value in start_values().values()]
    optimizer = OPTIMIZERS[kind][2](list(SHAPES.values()))
    for step in range(1, n_steps + 1):
        clipped = ref.clip_by_global_norm(gradients(step), schedule.clip_norm)
        rate = ref.cosine_rate(schedule.learning_rate, schedule.cosine_period, step - 1)
        for index, direction in enumerate(optimizer.steps(clipped)):
            mask = ref.dropout_mask(direction.shape, schedule.dropout, step, seed, index)
            values[index] = values[index] - rate * direction * mask
        yield dict(zip(SHAPES, values))


@pytest.mark.parametrize("schedule, jit", [*itertools.product(SCHEDULES, [False]), ("all", True)])
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_three_steps_equal_the_numpy_reference(kind, schedule, jit):
    schedule = SCHEDULES[schedule]
    variables, _, apply = build(kind, schedule, jit=jit)
    for step, expected in enumerate(reference_run(kind, schedule, 3), 1):
        apply(*gradients(step))
        for path, value in values_of(variables).items():
            moved = value.astype(np.float64) - start_values()[path]
            np.testing.assert_allclose(moved, expected[path] - start_values()[path],
                                       rtol=1e-3, atol=2e-6, err_msg=f"{path} at step {step}")


def test_the_two_forms_of_adabelief_and_all_schedules_really_differ():
    results = [list(reference_run(kind, schedule, 3))[-1]["conv/weight"]
               for kind, schedule in itertools.product(OPTIMIZERS, SCHEDULES.values())]
    distinct = {np.round(result, 7).tobytes() for result in results}
    assert len(distinct) == 5 * len(OPTIMIZERS)  # a clip that never acts equals none


@pytest.mark.parametrize("kind, first_step", [("rmsprop", 1 / np.sqrt(0.1)),  # 3.16
                                              ("adabelief compat", 0.1 / np.sqrt(0.001 * 0.81)),
                                              ("adabelief", 1 / 0.9), ("adam", 1.0)])
def test_the_first_step_under_a_unit_gradient_has_the_size_worked_out_by_hand(kind, first_step):
    """AdaBelief compat: m = 0.1, s = 0.001 * 0.9^2: 3.51 rates. Corrected: m = 1, s = 0.81."""
    variables, _, apply = build(kind, Schedule(0.01))
    before = values_of(variables)
    apply(*(np.ones(shape) for shape in SHAPES.values()))
    for path, value in values_of(variables).items():
        np.testing.assert_allclose((before[path] - value) / 0.01, first_step, rtol=1e-3)


@pytest.mark.parametrize("betas", [(0.5, 0.999), (0.9, 0.99)])
def test_adam_equals_pytorch(betas):
    variables = {path: tf.Variable(value) for path, value in start_values().items()}
    optimizer = Adam(variables, Schedule(5e-3), beta1=betas[0], beta2=betas[1])
    theirs = [torch.from_numpy(value.astype(np.float64)) for value in start_values().values()]
    reference = torch.optim.Adam(theirs, 5e-3, betas, eps=1e-6)
    for step in range(1, 6):
        optimizer.apply([tf.constant(gradient) for gradient in gradients(step)])
        for parameter, gradient in zip(theirs, gradients(step), strict=True):
            parameter.grad = torch.tensor(gradient, dtype=torch.float64)
        reference.step()
    for value, parameter in zip(values_of(variables).values(), theirs, strict=True):
        np.testing.assert_allclose(value, parameter, rtol=0, atol=5e-6)


def test_compat_adabelief_grows_under_a_steady_gradient_as_specified():
    """68 rates after 3000 steps: training specification, section 1.6."""
    optimizer = ref.AdaBelief([()], compat=True)
    for _ in range(3000):
        step, = optimizer.steps([np.float64(1.0)])
    assert step == pytest.approx(68, abs=1)


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_dropout_leaves_the_dropped_weights_alone_but_not_their_state(kind):
    variables, optimizer, apply = build(kind, Schedule(0.01, dropout=0.3))
    before = values_of(variables)
    apply(*gradients(1))
    for index, (path, value) in enumerate(values_of(variables).items()):
        mask = ref.dropout_mask(SHAPES[path], 0.3, 1, 7, index)
        np.testing.assert_array_equal(value != before[path], mask == 1)
    slots = [value for path, value in optimizer.state().items() if path.endswith("conv/weight")]
    assert slots and all(np.all(slot != 0) for slot in slots)


def test_every_step_variable_and_seed_draws_another_mask():
    masks = [ref.dropout_mask((100,), 0.5, step, seed, index).tobytes()
             for step in range(1, 9) for seed in (0, 1, 2, 3, -1, 2**40) for index in range(3)]
    assert len(set(masks)) == len(masks) - 8 * 3  # 2^40 is 0 modulo 2^32


def test_clipping_scales_by_the_common_norm_of_all_gradients():
    clipped = clip_by_global_norm([tf.constant([3.0]), tf.constant([[4.0]])], 1.0)
    assert [float(g.numpy().item()) for g in clipped] == pytest.approx([0.6, 0.8])


@pytest.mark.parametrize("limit", [0.0, 5.0, 10.0])
def test_gradients_within_the_limit_stay_as_they_are(limit):
    clipped = clip_by_global_norm([tf.constant([3.0]), tf.constant([4.0])], limit)
    assert [float(g.numpy().item()) for g in clipped] == [3.0, 4.0]


def test_clipping_of_zero_gradients_stays_zero():
    assert clip_by_global_norm([tf.zeros(3)], 1.0)[0].numpy().tolist() == [0, 0, 0]


@pytest.mark.parametrize("step, factor", [(1, 1.0), (126, 0.5), (251, 0.0), (376, 0.5), (501, 1.0),
                                          (50_000_001, 1.0), (50_000_251, 0.0)])
def test_the_cosine_cycles_between_the_rate_and_zero(step, factor):
    rate = cosine(Schedule(0.02, cosine_period=500), tf.constant(step, tf.int64))
    assert float(rate) == pytest.approx(0.02 * factor, abs=1e-8)


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_an_optimizer_continues_from_its_saved_state_as_if_never_stopped(kind):
    schedule = SCHEDULES["all"]
    variables, optimizer, apply = build(kind, schedule)
    resumed_variables, resumed, resumed_apply = build(kind, schedule)
    for step in (1, 2):
        apply(*gradients(step))
    resumed.load_state(optimizer.state())
    for path, value in values_of(variables).items():
        resumed_variables[path].assign(value)
    apply(*gradients(3))
    resumed_apply(*gradients(3))
    for path, value in values_of(variables).items():
        np.testing.assert_array_equal(value, resumed_variables[path].numpy())


@pytest.mark.parametrize("kind, slots", [("rmsprop", ["mean_square"]),
                                         ("adabelief", ["mean", "variance"]),
                                         ("adam", ["mean", "mean_square"])])
def test_the_state_names_step_and_slots_and_owns_no_weights(kind, slots):
    _, optimizer, apply = build(kind, Schedule(0.01))
    apply(*gradients(1))
    state = optimizer.state()
    assert list(state) == ["step"] + [f"{slot}/{path}" for slot in slots for path in SHAPES]
    assert state["step"] == 1 and state["step"].dtype == np.int64
    assert len(optimizer.variables) == len(state)  # TensorFlow's own count agrees


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_a_scaled_step_goes_that_share_of_the_way(kind):
    signature = [tf.TensorSpec(shape) for shape in SHAPES.values()]
    moves = {}
    for scale in (1.0, 0.25, 0.0):
        variables, optimizer, _ = build(kind, Schedule(0.01))
        compile(lambda *g: optimizer.apply(g, tf.constant(scale)), *signature)(*gradients(1))
        moves[scale] = [value.numpy() - start_values()[path] for path, value in variables.items()]
    for whole, quarter, none in zip(moves[1.0], moves[0.25], moves[0.0]):
        np.testing.assert_allclose(quarter, whole / 4, rtol=1e-3, atol=1e-6)
        assert not none.any()


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_a_refused_step_changes_neither_weights_nor_state(kind, jit):
    variables, optimizer, apply = build(kind, SCHEDULES["all"], jit=jit)
    apply(*gradients(1))
    weights, state = values_of(variables), optimizer.state()
    signature = [tf.TensorSpec((), tf.bool), *(tf.TensorSpec(shape) for shape in SHAPES.values())]
    decided = compile(lambda accepted, *g: optimizer.apply(g, 1.0, accepted), *signature, jit=jit)
    decided(False, *(np.full(shape, np.nan) for shape in SHAPES.values()))
    for now, then in ((values_of(variables), weights), (optimizer.state(), state)):
        for name in then:
            np.testing.assert_array_equal(now[name], then[name])
    decided(True, *gradients(2))
    expected = list(reference_run(kind, SCHEDULES["all"], 2))[-1]
    for path, value in values_of(variables).items():
        np.testing.assert_allclose(value, expected[path], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_frozen_variables_keep_their_place_in_the_state(kind):
    values = {path: tf.Variable(value) for path, value in start_values().items()}
    factory, arguments, _ = OPTIMIZERS[kind]
    optimizer = factory(values, SCHEDULES["dropout"], seed=7, frozen={"conv/bias"}, **arguments)
    assert [path for path, _ in optimizer.named_targets()] == ["conv/weight", "scale"]
    weight, _, scale = gradients(1)
    compile(lambda *g: optimizer.apply(g), tf.TensorSpec(weight.shape),
            tf.TensorSpec(scale.shape))(weight, scale)
    expected = next(reference_run(kind, SCHEDULES["dropout"], 1))
    expected["conv/bias"] = start_values()["conv/bias"]
    for path, value in values_of(values).items():
        np.testing.assert_allclose(value, expected[path], rtol=1e-4, atol=1e-5)
    assert list(optimizer.state()) == list(build(kind, SCHEDULES["dropout"])[1].state())


@pytest.mark.parametrize("shapes", [[(3,)], [(MANY,)], [(MANY + 5, 1), (7,), (), (3, MANY)]])
@pytest.mark.parametrize("jit", [False, True])
def test_the_global_norm_is_that_of_all_elements(shapes, jit):
    rng = np.random.default_rng(0)
    arrays = [np.float32(rng.standard_normal(shape)) for shape in shapes]
    norm = compile(lambda *g: global_norm(g), *map(tf.TensorSpec, shapes), jit=jit)
    flat = np.concatenate([array.ravel() for array in arrays]).astype(np.float64)
    assert norm(*arrays) == pytest.approx(np.linalg.norm(flat), rel=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("index", [0, MANY // 2, MANY + 4])
def test_the_global_norm_sees_every_element_that_is_no_number(value, index):
    gradient = np.zeros(MANY + 5, np.float32)
    gradient[index] = value
    assert not np.isfinite(global_norm([tf.constant(gradient), tf.zeros(3)]))
