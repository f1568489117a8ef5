"""The plain graph step that stands in for the reference program on this machine.

`tf.function` without XLA, float32, NHWC. Both sides run through the networks one after the other,
LIAE's decoder convolves its pair of maps as one, DSSIM and blur are depthwise convolutions with
square windows, and each discriminator is trained by a run of its own, after the generator's, that
makes the generator's output again. The same networks with the same weights as the model's own step,
so only the way of computing differs.
"""

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from leras.ops.image import blur_window, gaussian_window
from leras.optimizers.rmsprop import RMSprop
from models.adversaries import CODE_DISCRIMINATOR, GAN
from models.autoencoder_model import AutoencoderModel
from models.networks.liae import LIAE
from models.saehd.model import OUTSIDE, SMOOTHNESS
from models.side import Side
from samplelib.sampler import Batch

Samples = Mapping[str, tf.Tensor]


class PlainStep:
    """Trains a model's networks as the reference does.

    Args:
        model: Quick96 or SAEHD. Masked training; no styles, no priority of eyes and mouth.
    """

    def __init__(self, model: AutoencoderModel):
        self._model, self._network = model, model.network
        self._doubled = type(model).__name__ != "Quick96Model"  # the soft mask, and cut at 1
        generator = dict(model.network.named_variables())
        self._runs = [self._run(self._generator_loss, generator)]
        for name, module in model.adversaries.items():
            loss = {GAN: self._gan_loss, CODE_DISCRIMINATOR: self._code_loss}[name]
            self._runs.append(self._run(loss, dict(module.named_variables())))

    def step(self, batches: Mapping[Side, Batch]) -> list[float]:
        """One iteration on uint8 batches; the losses of src and of dst."""
        samples = {side: {name: tf.constant(array / np.float32(255))
                          for name, array in batch.items()} for side, batch in batches.items()}
        results = [run(samples) for run in self._runs]
        return [float(loss) for loss in results[0]]

    def gflop(self, batches: Mapping[Side, Batch]) -> float:
        """Billions of operations of one step by direct convolutions, nothing computed twice.

        A multiply-add counts two. Convolutions and matrix products of the forward pass and of both
        gradients, as the traced graphs have them; not what an adversary's run makes again.
        """
        samples = {side: {name: tf.TensorSpec(array.shape) for name, array in batch.items()}
                   for side, batch in batches.items()}
        once = [run.get_concrete_function(samples).graph for run in self._runs]
        again = [tf.function(made, autograph=False).get_concrete_function(samples).graph
                 for made in map(self._made_again, self._model.adversaries)]
        return sum(map(_gflop, once)) - sum(map(_gflop, again))

    def _made_again(self, adversary: str) -> Callable:
        """What the run of an adversary makes of the generator's output."""
        def made(samples: Mapping[Side, Samples]):
            codes, faces, _ = self._decoded(samples)
            return codes if adversary == CODE_DISCRIMINATOR else faces[Side.SRC]

        return made

    def _run(self, loss: Callable, variables: Mapping[str, tf.Variable]) -> Callable:
        """A graph that lowers one loss by one optimizer's step."""
        used = self._model.options
        trained = list(variables.values())
        rule = _rmsprop if used.optimizer == "rmsprop" else _adabelief
        n_slots = 1 if rule is _rmsprop else 2
        slots = [[tf.Variable(tf.zeros_like(variable)) for _ in range(n_slots)]
                 for variable in trained]

        @tf.function(autograph=False)
        def run(samples):
            with tf.GradientTape() as tape:
                total, reported = loss(samples)
            for variable, gradient, state in zip(trained, tape.gradient(total, trained), slots):
                update = used.learning_rate * rule(gradient, *state)
                if used.lr_dropout < 1:
                    drawn = tf.random.uniform(variable.shape, dtype=tf.float16)
                    update *= tf.cast(drawn < used.lr_dropout, tf.float32)
                variable.assign_sub(update)
            return [tf.reduce_mean(value) for value in reported]

        return run

    def _generator_loss(self, samples: Mapping[Side, Samples]):
        codes, faces, masks = self._decoded(samples)
        losses = [self._side_loss(samples[side], faces[side], masks[side]) for side in Side]
        adversaries, options = self._model.adversaries, self._model.options
        asked = list(losses)
        if CODE_DISCRIMINATOR in adversaries:
            judged, = adversaries[CODE_DISCRIMINATOR].judge(codes[Side.SRC])
            asked.append(options.true_face_power * _cross_entropy(judged, 1.0))
        if GAN in adversaries:
            soft, face = self._soft(samples[Side.SRC]["mask"]), faces[Side.SRC]
            judged = adversaries[GAN].judge(face * soft)
            asked.append(options.gan_power * sum(_cross_entropy(one, 1.0) for one in judged))
            outside = (face - samples[Side.SRC]["target"]) * (1 - soft)
            asked += [OUTSIDE * _mean(outside**2), SMOOTHNESS * _variation(face)]
        return tf.add_n([tf.reduce_mean(value) for value in asked]), losses

    def _code_loss(self, samples: Mapping[Side, Samples]):
        codes, _, _ = self._decoded(samples)
        judge = self._model.adversaries[CODE_DISCRIMINATOR].judge
        loss = 0.5 * (_cross_entropy(judge(codes[Side.DST])[0], 1.0)
                      + _cross_entropy(judge(codes[Side.SRC])[0], 0.0))
        return tf.reduce_mean(loss), [loss]

    def _gan_loss(self, samples: Mapping[Side, Samples]):
        _, faces, _ = self._decoded(samples)
        soft = self._soft(samples[Side.SRC]["mask"])
        judge = self._model.adversaries[GAN].judge
        real, fake = (judge(face * soft) for face in (samples[Side.SRC]["target"],
                                                      faces[Side.SRC]))
        loss = 0.5 * sum(_cross_entropy(one, 1.0) + _cross_entropy(other, 0.0)
                         for one, other in zip(real, fake, strict=True))
        return tf.reduce_mean(loss), [loss]

    def _decoded(self, samples: Mapping[Side, Samples]):
        """Codes, faces and masks of both sides, one side after the other."""
        network, codes, faces, masks = self._network, {}, {}, {}
        for side, decoder in ((Side.SRC, network.decoder_src), (Side.DST, network.decoder_dst)):
            flat = network.encoder(samples[side]["warped"])
            if isinstance(network, LIAE):
                codes[side] = network.inter_AB(flat)
                first = codes[side] if side is Side.SRC else network.inter_B(flat)
                code = tf.concat([first, codes[side]], -1)
            else:
                code = codes[side] = network.inter(flat)
            faces[side], masks[side] = decoder(code)
        return codes, faces, masks

    def _side_loss(self, sample: Samples, face: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """(N,) loss of one side."""
        soft, side = self._soft(sample["mask"]), face.shape[1]
        window = gaussian_window(int(side / 11.6), 1.5)
        dissimilarity = _dssim(sample["target"] * soft, face * soft, window)
        error = _mean(((sample["target"] - face) * soft)**2)
        mask_error = _mean((sample["mask"] - mask)**2)
        return 10 * tf.reduce_mean(dissimilarity, -1) + 10 * error + 10 * mask_error

    def _soft(self, mask: tf.Tensor) -> tf.Tensor:
        soft = _depthwise(mask, blur_window(max(1, mask.shape[1] // 32)), "SAME")
        return 2 * tf.clip_by_value(soft, 0.0, 0.5) if self._doubled else soft


def _rmsprop(gradient: tf.Tensor, average: tf.Variable) -> tf.Tensor:
    average.assign(RMSprop.rho * average + (1 - RMSprop.rho) * gradient**2)
    return gradient / (tf.sqrt(average) + 1e-6)


def _adabelief(gradient: tf.Tensor, mean: tf.Variable, variance: tf.Variable) -> tf.Tensor:
    """Without the corrections, as the reference's."""
    mean.assign(0.9 * mean + 0.1 * gradient)
    variance.assign(0.999 * variance + 0.001 * (gradient - mean)**2)
    return mean / (tf.sqrt(variance) + 1e-6)


def _cross_entropy(logits: tf.Tensor, label: float) -> tf.Tensor:
    labels = tf.fill(tf.shape(logits), label)
    return _mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))


def _mean(x: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(x, (1, 2, 3))


def _variation(x: tf.Tensor) -> tf.Tensor:
    return sum(tf.reduce_sum(step**2, (1, 2, 3)) for step in tf.image.image_gradients(x))


def _dssim(a: tf.Tensor, b: tf.Tensor, window: np.ndarray) -> tf.Tensor:
    mean_a, mean_b, mean_ab, mean_squares = (
        _depthwise(x, window, "VALID") for x in (a, b, a * b, a**2 + b**2))
    luminance = (2 * mean_a * mean_b + 1e-4) / (mean_a**2 + mean_b**2 + 1e-4)
    structure = (2 * (mean_ab - mean_a * mean_b) + 9e-4) / (
        mean_squares - mean_a**2 - mean_b**2 + 9e-4)
    return (1 - tf.reduce_mean(luminance * structure, (1, 2))) / 2


def _depthwise(x: tf.Tensor, window: np.ndarray, padding: str) -> tf.Tensor:
    kernel = np.repeat(np.outer(window, window)[:, :, None, None], x.shape[-1], 2)
    return tf.nn.depthwise_conv2d(x, kernel.astype(np.float32), [1, 1, 1, 1], padding)


def _gflop(graph: tf.Graph) -> float:
    """Billions of operations of the convolutions and matrix products that a graph runs.

    Gradients that nobody asked for, such as those of the pictures, stand in it but are not run.
    """
    found = {tensor.op for tensor in graph.outputs} | set(graph.control_outputs)
    new = list(found)
    while new:
        operation = new.pop()
        before = {tensor.op for tensor in operation.inputs} | set(operation.control_inputs)
        new += before - found
        found |= before
    return 2e-9 * sum(map(_multiply_adds, found))


def _multiply_adds(operation: tf.Operation) -> int:
    """Multiply-adds of one operation; 0 for all that are no convolution or matrix product.

    A convolution and both of its gradients multiply each pixel of the smaller map with each weight:
    the output of a convolution, or the gradient that arrives at it.
    """
    if operation.type == "MatMul":
        inner = operation.inputs[0].shape[0 if operation.get_attr("transpose_a") else 1]
        return operation.outputs[0].shape.num_elements() * inner
    if operation.type == "Conv2D":
        pixels, weights = operation.outputs[0].shape, operation.inputs[1].shape
    elif operation.type == "Conv2DBackpropInput":
        pixels, weights = operation.inputs[2].shape, operation.inputs[1].shape
    elif operation.type == "Conv2DBackpropFilter":
        pixels, weights = operation.inputs[2].shape, operation.outputs[0].shape
    else:
        return 0
    return int(np.prod(pixels[:3])) * weights.num_elements()
