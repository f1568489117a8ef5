"""A short training of small SAEHD and AMP models that the tests of many devices run in processes
of their own.

Usage: replica_script.py one | mirrored, and a file for the weights
Prints one JSON line: model -> losses and gradient norms of its iterations.
"""

import argparse
import contextlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf

from leras import devices, replicas
from models.amp.model import AMPModel
from models.amp.options import AMPOptions
from models.saehd.model import SAEHDModel
from models.saehd.options import SAEHDOptions
from models.side import Side

RESOLUTION, BATCH, N_STEPS = 32, 4, 3
COMMON = dict(resolution=RESOLUTION, batch_size=BATCH, ae_dims=6, e_dims=4, d_dims=4,
              d_mask_dims=4, learning_rate=1e-3, seed=5, xla=False, gan_dims=4, gan_power=0.5,
              optimizer="rmsprop", clip_gradients=0.3)
MODELS = {"SAEHD": lambda: SAEHDModel(SAEHDOptions(**COMMON, archi="liae-ud", true_face_power=0.5)),
          "AMP": lambda: AMPModel(AMPOptions(**COMMON, inter_dims=8))}


def batches(model, seed: int) -> dict:
    """Bytes of noise for both sides, the whole batch."""
    rng = np.random.default_rng(seed)
    channels = {"warped": 3, "target": 3, "mask": 1, "eyes_mouth": 1}
    return {side: {name: rng.integers(0, 256, (BATCH, RESOLUTION, RESOLUTION, channels[name]),
                                      np.uint8) for name in model.recipe(side).outputs}
            for side in Side}


def train(model) -> dict:
    """A few iterations; every other batch comes to its devices ahead, from another thread."""
    results = []
    with ThreadPoolExecutor(1) as pool:
        for iteration in range(1, N_STEPS + 1):
            samples = batches(model, iteration)
            if iteration % 2:
                samples = {side: pool.submit(model.place, batch).result()
                           for side, batch in samples.items()}
            results.append(model.train_step(iteration, samples))
    return {"losses": [result.losses for result in results],
            "norms": [result.gradient_norm for result in results]}


def copies_of(model, strategy) -> list[np.ndarray]:
    """All weights of each device in one line."""
    variables = [variable for module in model.parts().values()
                 for _, variable in module.named_variables()]
    by_device = zip(*(strategy.experimental_local_results(variable) for variable in variables))
    return [np.concatenate([copy.numpy().ravel() for copy in device]) for device in by_device]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("one", "mirrored"))
    parser.add_argument("weights")
    arguments = parser.parse_args()
    if arguments.kind == "mirrored":
        devices.split_cpu(2)
    strategy = devices.strategy("cpu")
    reports, weights = {}, {}
    for name, build in MODELS.items():
        # One compiled and one not: tracing for two devices takes most of this script's time.
        tf.config.run_functions_eagerly(name == "AMP")
        with strategy.scope() if replicas.n_replicas(strategy) > 1 else contextlib.nullcontext():
            model = build()
        reports[name] = train(model)
        weights |= {f"{name}{device}": copy
                    for device, copy in enumerate(copies_of(model, strategy))}
        model.preview(batches(model, 9))  # must work wherever the weights lie
        assert model.load_state(model.state()) == []
    np.savez(arguments.weights, **weights)
    print(json.dumps(reports), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
