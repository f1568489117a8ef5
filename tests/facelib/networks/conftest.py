"""Runs the released network graphs in NumPy, operation by operation, in double precision.

Independent of the networks in `facelib.networks`: it follows the plan in the json file beside the
weights and uses the arrays under their released names and in their released layout.
"""

import json

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from facelib.weights import WEIGHTS_FOLDER


def convolve(x, kernel, bias, strides, padding, groups):
    """(N, H, W, C) with kernel (out, kh, kw, C / groups) -> (N, H', W', out)."""
    x = np.pad(x, [(0, 0), *padding, (0, 0)])
    windows = sliding_window_view(x, kernel.shape[1:3], axis=(1, 2))  # (N, H', W', C, kh, kw)
    windows = windows[:, :: strides[0], :: strides[1]]
    windows = windows.reshape(*windows.shape[:3], groups, -1, *windows.shape[4:])
    kernel = kernel.reshape(groups, -1, *kernel.shape[1:])
    y = np.einsum("nhwgcij,goijc->nhwgo", windows, kernel, optimize=True)
    return y.reshape(*y.shape[:3], -1) + bias


def largest(x, side):
    """(N, H, W, C) -> the largest of each block of side x side."""
    n, height, width, channels = x.shape
    x = x[:, : height // side * side, : width // side * side]
    return x.reshape(n, height // side, side, width // side, side, channels).max(axis=(2, 4))


def same_padding(x, kernel_size, strides):
    """TensorFlow's SAME: as little as possible, the odd pixel at the end."""
    needed = [
        max((-(-size // stride) - 1) * stride + kernel - size, 0)
        for size, kernel, stride in zip(x.shape[1:3], kernel_size, strides)
    ]
    return [(n // 2, n - n // 2) for n in needed]


def tflite_convolution(x, kernel, bias, attributes, groups):
    assert attributes["f"] == 0
    sizes = kernel.shape[1:3], attributes["s"]
    padding = [(0, 0), (0, 0)] if attributes["p"] else same_padding(x, *sizes)
    return convolve(x, kernel, bias, attributes["s"], padding, groups)


TFLITE = {
    "CONV_2D": lambda a, x, k, b: tflite_convolution(x, k, b, a, 1),
    "DEPTHWISE_CONV_2D": lambda a, x, k, b: tflite_convolution(
        x, k.transpose(3, 1, 2, 0), b, a, x.shape[3]
    ),
    "PRELU": lambda a, x, slope: np.where(x > 0, x, slope * x),
    "ADD": lambda a, x, y: x + y,
    "MAX_POOL_2D": lambda a, x: largest(x, a["k"][0]),
    "PAD": lambda a, x, widths: np.pad(x, widths),
}


def onnx_convolution(attributes, x, kernel, bias):
    top, left, bottom, right = attributes["pads"]
    y = convolve(
        x.transpose(0, 2, 3, 1),
        kernel.transpose(0, 2, 3, 1),
        bias,
        attributes["strides"],
        [(top, bottom), (left, right)],
        attributes["group"],
    )
    return y.transpose(0, 3, 1, 2)


ONNX = {
    "Conv": onnx_convolution,
    "Relu": lambda a, x: np.maximum(x, 0),
    "MaxPool": lambda a, x: largest(x.transpose(0, 2, 3, 1), 2).transpose(0, 3, 1, 2),
    "Resize": lambda a, x, _, scales: np.kron(x, np.ones(scales.astype(int))),
    "Add": lambda a, x, y: x + y,
    "Transpose": lambda a, x: x.transpose(a["perm"]),
    "Reshape": lambda a, x, shape: x.reshape(shape),
    "Sigmoid": lambda a, x: 1 / (1 + np.exp(-x)),
}


def run_graph(stem, operations, value):
    """The graph's outputs in their order, for a float64 input in the graph's own layout."""
    graph = json.loads((WEIGHTS_FOLDER / f"{stem}.json").read_text())
    with np.load(WEIGHTS_FOLDER / f"{stem}.npz") as archive:
        tensors = {
            name: array.astype(np.float64) if array.dtype == np.float16 else array
            for name, array in archive.items()
        }
    tensors[graph["inp"][0]] = value
    for operation, inputs, outputs, attributes in graph["plan"]:
        tensors[outputs[0]] = operations[operation](attributes, *(tensors[i] for i in inputs))
    return [tensors[o if isinstance(o, str) else o[1]] for o in graph["out"]]


@pytest.fixture(scope="session")
def run_yunet_graph():
    """(H, W, 3) image -> 12 arrays: cls, obj, bbox, kps at three strides."""
    return lambda image: run_graph(
        "yunet_2023mar", ONNX, image.astype(np.float64).transpose(2, 0, 1)[np.newaxis]
    )


@pytest.fixture(scope="session")
def run_facemesh_graph():
    """(N, 192, 192, 3) crops -> mesh (N, 1, 1, 1404) and flag (N, 1, 1, 1)."""
    return lambda crops: run_graph("facemesh_mp", TFLITE, crops.astype(np.float64))
