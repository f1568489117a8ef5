"""A short training that the tests of many devices run in processes of their own.

Usage: replica_script.py one | mirrored | worker --workers host:port,host:port --rank N
Prints one JSON line with losses and weights; a worker then trains on until something ends it.
"""

import argparse
import contextlib
import json
import sys

import numpy as np
import tensorflow as tf

from core.errors import FaceLabError
from leras import devices, replicas
from leras.layers.conv import Conv2D
from leras.module import Module
from leras.optimizers.base import Schedule
from leras.optimizers.rmsprop import RMSprop
from leras.recompute import recompute
from leras.train_step import Objectives, StepControl, TrainStep

BATCH, SIDE, N_STEPS = 8, 8, 6


class Network(Module):
    """Two convolutions; the activations of the second are recomputed."""

    def __init__(self):
        super().__init__()
        self.first, self.second = Conv2D(3, 4), Conv2D(4, 3)

    def __call__(self, faces: tf.Tensor) -> tf.Tensor:
        return recompute(self.second)(tf.nn.relu(self.first(faces)))


class Training:
    """The network, two groups of objectives (each with its own half), and what it all needs."""

    def __init__(self, strategy: tf.distribute.Strategy):
        self.strategy = strategy
        self.n_replicas = replicas.n_replicas(strategy)
        with strategy.scope() if self.n_replicas > 1 else contextlib.nullcontext():
            self.network = Network()
            self.network.initialize(np.random.default_rng(0))
            schedule = Schedule(0.01, dropout=0.7, clip_norm=0.5)
            optimizers = {
                name: RMSprop(dict(getattr(self.network, name).named_variables()), schedule)
                for name in ("first", "second")}
            spec = tf.TensorSpec((BATCH // self.n_replicas // 2, SIDE, SIDE, 3))
            self.step = TrainStep(self.objectives, optimizers, [spec], accumulate=2)

    def objectives(self, faces: tf.Tensor) -> Objectives:
        error = self.network(faces) - 2 * faces
        square = tf.reduce_mean(tf.square(error), (1, 2, 3))
        absolute = tf.reduce_mean(tf.abs(error), (1, 2, 3))
        return Objectives({"first": square, "second": absolute}, {"square": square})

    def share(self, iteration: int) -> np.ndarray:
        """This process's faces of one iteration."""
        faces = np.random.default_rng(iteration).random((BATCH, SIDE, SIDE, 3), np.float32)
        size = BATCH // self.n_replicas
        first = replicas.first_replica(self.strategy) * size
        return faces[first:first + size * replicas.replicas_here(self.strategy)]

    def report(self) -> dict:
        """Six steps; this process asks to stop at the fifth unless it is the chief or alone.

        Two processes ask for rates whose mean is that of one alone.
        """
        asks = replicas.first_replica(self.strategy) > 0
        rate = (1.25 if asks else 0.75) if replicas.n_processes(self.strategy) > 1 else 1.0
        results = [self.step.step([self.share(i)], StepControl(rate, stop=asks and i == 4))
                   for i in range(N_STEPS)]
        copies = [self.strategy.experimental_local_results(variable)
                  for _, variable in self.network.named_variables()]
        return {"losses": [result.losses["square"] for result in results],
                "norms": [result.gradient_norm for result in results],
                "stops": [result.stop_agreed for result in results],
                "chief": replicas.is_chief(self.strategy),
                # (copies, parameters): what each device of this process holds
                "weights": [np.concatenate([copy.numpy().ravel() for copy in device]).tolist()
                            for device in zip(*copies)]}


def find_difference(training: Training) -> str:
    """What a check says after one process has changed a weight behind the others' backs."""
    bias = training.network.first.bias
    before = bias.numpy()
    bias.assign(before + replicas.first_replica(training.strategy))
    try:
        replicas.check_equal_everywhere(training.strategy, [bias])
        return ""
    except FaceLabError as error:
        return str(error)
    finally:
        bias.assign(before)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("one", "mirrored", "worker"))
    parser.add_argument("--workers")
    parser.add_argument("--rank", type=int)
    arguments = parser.parse_args()
    if arguments.kind == "mirrored":
        devices.split_cpu(2)
    try:
        training = Training(devices.strategy("cpu", arguments.workers, arguments.rank))
        report = training.report()
        if arguments.kind == "worker":
            report["difference"] = find_difference(training)
        print(json.dumps(report), flush=True)
        while arguments.kind == "worker":
            training.step.step([training.share(0)])
    except FaceLabError as error:
        print(type(error).__name__, error, flush=True)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
