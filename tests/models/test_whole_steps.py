"""Whole training steps of small SAEHD and AMP models against PyTorch in float64: the losses, the
gradient of every variable of every network, and three steps of each optimizer."""

import numpy as np
import pytest
import torch

from models.amp.model import AMPModel
from models.amp.options import AMPOptions
from models.networks.amp import random_channels
from models.saehd.model import SAEHDModel
from models.saehd.options import SAEHDOptions
from models.side import Side
from tests.leras import reference as ref
from tests.models import step_reference

RESOLUTION, BATCH, RATE = 32, 2, 1e-3
STRIDES = (2, 2)  # of a patch of 7 pixels, by the table of the specification
COMMON = dict(resolution=RESOLUTION, batch_size=BATCH, ae_dims=6, e_dims=4, d_dims=4,
              d_mask_dims=4, learning_rate=RATE, seed=5, xla=False, gan_dims=4, gan_patch_size=7)
# Powers far above the usual ones, so that a mistake in a finishing tool cannot hide.
DF = SAEHDOptions(**COMMON, archi="df-ud", optimizer="adabelief", eyes_mouth_prio=True,
                  blur_out_mask=True, face_style_power=100.0, bg_style_power=100.0, gan_power=5.0,
                  true_face_power=1.0, clip_gradients=0.5)
LIAE = SAEHDOptions(**COMMON, archi="liae-udt", optimizer="adam", masked_training=False,
                    random_warp=False, face_style_power=50.0, gan_power=3.0, true_face_power=1.0)
AMP = AMPOptions(**COMMON, inter_dims=8, optimizer="rmsprop", gan_power=4.0, morph_factor=0.4,
                 blur_out_mask=True)
PARTS = {"df": ("encoder", "inter", "decoder_src", "decoder_dst"),
         "liae": ("encoder", "inter_B", "decoder"),  # inter_AB rests while faces are not warped
         "amp": ("encoder", "inter_src", "inter_dst", "decoder")}


def batches(seed):
    """Side -> outputs of smooth pictures, bytes."""
    rng = np.random.default_rng(seed)
    found = {}
    for side in Side:
        shape = (BATCH, RESOLUTION, RESOLUTION)
        target = np.uint8(255 * ref.gaussian_blur(rng.random((*shape, 3)), 2))
        mask = np.zeros((*shape, 1), np.uint8)
        mask[:, 6:25, 8:26] = 255
        eyes = np.zeros((*shape, 1), np.uint8)
        eyes[:, 10:14, 10:20] = rng.integers(100, 256, (BATCH, 4, 10, 1))
        found[side] = {"warped": np.roll(target, (1, 2), (1, 2)), "target": target, "mask": mask,
                       "eyes_mouth": eyes}
    return found


def saehd_objectives(options):
    return lambda weights, pictures: step_reference.saehd(weights, pictures, options, STRIDES)


class AMPObjectives:
    """Draws the channels of each iteration anew, as the model does."""

    def __init__(self, options):
        self.options, self.iteration = options, 0

    def __call__(self, weights, pictures):
        self.iteration += 1
        chosen = random_channels(np.random.default_rng((self.options.seed, self.iteration)),
                                 BATCH, self.options.inter_dims, self.options.morph_factor)
        return step_reference.amp(weights, pictures, self.options, STRIDES,
                                  torch.tensor(chosen, dtype=torch.float64))


CASES = {"df": (SAEHDModel, DF, saehd_objectives), "liae": (SAEHDModel, LIAE, saehd_objectives),
         "amp": (AMPModel, AMP, AMPObjectives)}


@pytest.fixture(scope="module", params=CASES)
def course(request):
    """Three iterations of a model and of its reference, each from its own weights."""
    build, options, objectives = CASES[request.param]
    model = build(options)
    for network in model.adversaries.values():  # as they come, they judge everything alike
        rng = np.random.default_rng(1)
        for _, variable in network.named_variables():
            variable.assign(variable + rng.normal(0, 0.1, variable.shape).astype(np.float32))
    adversaries = {name: (name,) for name in model.adversaries}
    reference = step_reference.Training(
        weights_of(model), {"generator": PARTS[request.param], **adversaries},
        objectives(options), options)
    steps = []
    for iteration in (1, 2, 3):
        samples = {side: {name: batch[name] for name in model.recipe(side).outputs}
                   for side, batch in batches(iteration).items()}
        result = model.train_step(iteration, samples)
        pictures = {side.value: batch for side, batch in samples.items()}
        steps.append((result, *reference.step(pictures), model.state(), weights_of(model),
                      dict(reference.weights)))
    return options, steps


def weights_of(model):
    return {f"{part}/{path}": array for part, module in model.parts().items()
            for path, array in module.state().items()}


def groups_of(gradients):
    """{group: paths}."""
    groups = {}
    for path in gradients:
        part = path.split("/")[0]
        group = part if part in ("GAN", "code_discriminator") else "generator"
        groups.setdefault(group, []).append(path)
    return groups


def test_all_losses_of_three_iterations_equal_the_reference(course):
    _, steps = course
    for result, reported, *_ in steps:
        assert result.applied and list(result.losses)[:2] == ["src", "dst"]
        assert result.losses.keys() == reported.keys()
        for name, value in reported.items():
            # An untrained model's colours are nearly equal; float32 knows their distance no better.
            tolerance = 1e-3 if name == "src face style" else 1e-4
            assert result.losses[name] == pytest.approx(value, rel=tolerance), name


def test_the_first_gradient_of_every_variable_equals_the_reference(course):
    options, steps = course
    result, _, gradients, state, *_ = steps[0]
    norm = np.sqrt(sum(np.sum(gradient**2) for gradient in gradients.values()))
    assert result.gradient_norm == pytest.approx(norm, rel=1e-4)
    slot, of_gradient = step_reference.FIRST_SLOTS[options.optimizer]
    for group, paths in groups_of(gradients).items():
        slots = state[f"{group}_optimizer"]
        scale = 1.0
        if options.clip_gradients:
            own = np.sqrt(sum(np.sum(gradients[path]**2) for path in paths))
            scale = min(1.0, options.clip_gradients / own)
            assert group != "generator" or scale < 1, "clipping must act"
        for path in paths:
            name = path if group == "generator" else path.partition("/")[2]
            wanted = of_gradient(scale * gradients[path])
            assert np.abs(wanted).max() > 0, path
            np.testing.assert_allclose(slots[f"{slot}/{name}"], wanted, rtol=1e-3,
                                       atol=2e-4 * np.abs(wanted).max(), err_msg=path)


def test_three_steps_of_every_optimizer_equal_the_reference(course):
    """Where a gradient is all but zero, rounding decides which way its step goes; and a few others
    cross a kink of the absolute error or of an activation."""
    _, steps = course
    gradients = [step[2] for step in steps]
    *_, weights, wanted = steps[-1]
    errors, total = [], 0
    for path in gradients[0]:
        clear = np.min([np.abs(gradient[path]) / np.abs(gradient[path]).max()
                        for gradient in gradients], 0) > 0.01
        errors.append(np.abs(weights[path] - wanted[path])[clear] / RATE)
        total += clear.size
    errors = np.concatenate(errors)
    assert len(errors) > 0.1 * total
    assert np.mean(errors < 0.03) > 0.995 and errors.max() < 1


def test_what_is_frozen_rests_and_all_else_moves(course):
    options, steps = course
    *_, weights, wanted = steps[-1]
    still = {path.split("/")[0] for path in weights
             if np.array_equal(weights[path], steps[0][-2][path])}
    assert still == ({"inter_AB"} if options is LIAE else set())
    assert weights.keys() == wanted.keys()
