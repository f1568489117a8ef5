"""Weights that only depend on the names and shapes of a state dict, the same on every machine."""

import zlib

import numpy as np

_SPREAD = {"running_mean": 0.1, "bias": 0.1}


# Box offsets of MTCNN would leave the picture, where the public code fails.
_FACTORS = {"pnet.conv4_2": 0.05, "rnet.dense5_2": 0.05, "onet.dense6_2": 0.05}


def random_state(shapes, seed=0):
    """{name: shape} as in a PyTorch state dict -> {name: float32 array (int64 for counters)}."""
    return {name: _draw(name, tuple(shape), seed) for name, shape in shapes.items()}


def _draw(name, shape, seed):
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    layer, _, last = name.rpartition(".")
    factor = np.float32(_FACTORS.get(layer, 1))
    if last == "num_batches_tracked":
        return np.int64(rng.integers(1, 1000))
    if last in _SPREAD:
        return rng.normal(0, _SPREAD[last], shape).astype(np.float32) * factor
    if last == "running_var" or len(shape) == 1:  # scales of norms, slopes of activations
        return rng.uniform(0.4, 0.9, shape).astype(np.float32)
    fan_in = np.prod(shape[1:])
    return rng.normal(0, np.sqrt(1.4 / fan_in), shape).astype(np.float32) * factor


def random_picture(height, width, seed=0):
    """(height, width, 3) uint8: smooth blobs and noise, different in each channel."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    waves = [np.sin(rows / rng.uniform(4, 20) + columns / rng.uniform(4, 20) + phase)
             for phase in range(3)]
    noise = rng.normal(0, 20, (height, width, 3))
    return np.clip(np.stack(waves, -1) * 80 + 128 + noise, 0, 255).astype(np.uint8)
