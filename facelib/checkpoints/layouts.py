"""What the arrays of released weight files are called, and where each belongs in our networks.

A layout is recognised by its names alone. Paths on our side are those of the modules in
`facelib.networks`; kernels are (height, width, in, out) there.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

Arrays = Mapping[str, np.ndarray]
_EPSILON = 1e-5
"""That PyTorch's batch norms add to the variance."""


class Rule(NamedTuple):
    """How one of our arrays is made: from the arrays of these names, by this function."""

    names: tuple[str, ...]
    make: Callable[..., np.ndarray]


class Layout(NamedTuple):
    """The arrays of one network as one program names them.

    Attributes:
        network: What the weights are for, a name of `facelib.weights`.
        program: Whose names these are.
        rules: Our path -> how to make it.
        n_values: How many numbers the translated network has.
        facts: What else the network must know to use them.
    """

    network: str
    program: str
    rules: Mapping[str, Rule]
    n_values: int
    facts: Mapping[str, str] = {}

    def fits(self, arrays: Arrays) -> bool:
        """Whether all arrays are there; more may be, such as counters of the training."""
        return all(name in arrays for rule in self.rules.values() for name in rule.names)

    def translate(self, arrays: Arrays) -> dict[str, np.ndarray]:
        """Our path -> float32 array.

        Raises:
            ValueError: An array has another shape than the released network's.
        """
        state = {path: np.ascontiguousarray(rule.make(*(arrays[n] for n in rule.names)), np.float32)
                 for path, rule in self.rules.items()}
        n_values = sum(array.size for array in state.values())
        if n_values != self.n_values:
            raise ValueError(f"{n_values} numbers instead of {self.n_values}")
        if not all(np.isfinite(array).all() for array in state.values()):
            raise ValueError("numbers that are infinite or missing")
        return state


def _conv(weight: np.ndarray) -> np.ndarray:
    return weight.transpose(2, 3, 1, 0)  # (out, in, h, w) -> (h, w, in, out)


def _plain(array: np.ndarray) -> np.ndarray:
    return array


def _flat(array: np.ndarray) -> np.ndarray:
    return array.reshape(-1)


def _same(path: str, name: str, make: Callable = _plain) -> dict[str, Rule]:
    return {path: Rule((name,), make)}


def _torch_conv(path: str, name: str, *, bias: bool = True) -> dict[str, Rule]:
    rules = _same(f"{path}/weight", f"{name}.weight", _conv)
    return rules | (_same(f"{path}/bias", f"{name}.bias") if bias else {})


def _torch_norm(path: str, name: str) -> dict[str, Rule]:
    parts = ("weight", "bias", "running_mean", "running_var")
    return {f"{path}/{part}": Rule((f"{name}.{part}",), _plain) for part in parts}


# --- S3FD ---------------------------------------------------------------------------------------

_S3FD_CONVOLUTIONS = (
    *("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv3_3"),
    *("conv4_1", "conv4_2", "conv4_3", "conv5_1", "conv5_2", "conv5_3"),
    *("fc6", "fc7", "conv6_1", "conv6_2", "conv7_1", "conv7_2"),
)
_S3FD_NORMS = ("conv3_3_norm", "conv4_3_norm", "conv5_3_norm")
_S3FD_LEVELS = (*_S3FD_NORMS, "fc7", "conv6_2", "conv7_2")


def _s3fd_paths() -> Iterator[tuple[str, str]]:
    """Our path and the released name of every convolution."""
    yield from ((name, name) for name in _S3FD_CONVOLUTIONS)
    for level in _S3FD_LEVELS:
        yield from ((f"{level}_mbox/{part}", f"{level}_mbox_{part}") for part in ("conf", "loc"))


def _s3fd() -> dict[str, Rule]:
    rules = {}
    for path, name in _s3fd_paths():
        rules |= _torch_conv(path, name)
    for name in _S3FD_NORMS:
        rules |= _same(f"{name}/weight", f"{name}.weight")
    return rules


def _s3fd_deepfacelab() -> dict[str, Rule]:
    rules = {}
    for path, name in _s3fd_paths():
        rules |= _same(f"{path}/weight", f"{name}/weight:0")
        rules |= _same(f"{path}/bias", f"{name}/bias:0", _flat)
    for name in _S3FD_NORMS:
        rules |= _same(f"{name}/weight", f"{name}/weight:0", _flat)
    return rules


# --- FAN ----------------------------------------------------------------------------------------


def _fan_blocks() -> Iterator[tuple[str, str, bool]]:
    """Of every block: our path, its name in PyTorch, whether its shortcut has a convolution."""
    yield from (("conv2", "conv2", True), ("conv3", "conv3", False), ("conv4", "conv4", True))
    for stack in range(4):
        yield f"top_m_{stack}", f"top_m_{stack}", False
        path = f"m_{stack}"
        for depth in (4, 3, 2, 1):
            for block in ("b1", "b2", "b3"):
                yield f"{path}/{block}", f"m{stack}.{block}_{depth}", False
            path += "/b2_plus"
        yield path, f"m{stack}.b2_plus_1", False


def _fan() -> dict[str, Rule]:
    rules = _torch_conv("conv1", "conv1") | _torch_norm("bn1", "bn1")
    for path, name, has_shortcut in _fan_blocks():
        for n in (1, 2, 3):
            rules |= _torch_norm(f"{path}/bn{n}", f"{name}.bn{n}")
            rules |= _torch_conv(f"{path}/conv{n}", f"{name}.conv{n}", bias=False)
        if has_shortcut:
            rules |= _torch_norm(f"{path}/down_bn1", f"{name}.downsample.0")
            rules |= _torch_conv(f"{path}/down_conv1", f"{name}.downsample.2", bias=False)
    for stack in range(4):
        rules |= _torch_norm(f"bn_end_{stack}", f"bn_end{stack}")
        for layer in ("conv_last", "l", *(("bl", "al") if stack < 3 else ())):
            rules |= _torch_conv(f"{layer}_{stack}", f"{layer}{stack}")
    return rules


def _deepfacelab(rules: Mapping[str, Rule]) -> dict[str, Rule]:
    """The same network in a file of DeepFaceLab, whose paths and layouts are ours."""
    return {path: Rule((f"{path}:0",), _plain) for path in rules}


# --- MTCNN --------------------------------------------------------------------------------------

_MTCNN = {
    "pnet": (("conv1", "conv2", "conv3", "conv4_1", "conv4_2"), {}, 3),
    "rnet": (("conv1", "conv2", "conv3"), {"dense4": (3, 64), "dense5_1": None, "dense5_2": None},
             4),
    "onet": (("conv1", "conv2", "conv3", "conv4"),
             {"dense5": (3, 128), "dense6_1": None, "dense6_2": None, "dense6_3": None}, 5),
}
"""Network -> convolutions, dense layers (with the map in front of the first), activations."""


def _mtcnn(network: str, prefix: str) -> dict[str, Rule]:
    convolutions, dense, n_activations = _MTCNN[network]
    rules = {}
    for name in convolutions:
        rules |= _torch_conv(name, prefix + name)
    for name, shape in dense.items():
        rules |= _same(f"{name}/weight", f"{prefix}{name}.weight", _dense(shape))
        rules |= _same(f"{name}/bias", f"{prefix}{name}.bias")
    for n in range(1, n_activations + 1):
        rules |= _same(f"prelu{n}/slope", f"{prefix}prelu{n}.weight")
    return rules


def _dense(shape: tuple[int, int] | None) -> Callable[[np.ndarray], np.ndarray]:
    if shape is None:
        return np.transpose
    side, channels = shape
    # The released network flattens by columns first.
    return lambda weight: weight.reshape(-1, side, side, channels).transpose(2, 1, 3, 0).reshape(
        side * side * channels, -1)


# --- RetinaFace ---------------------------------------------------------------------------------

_STAGES = (("stage1", 6), ("stage2", 6), ("stage3", 2))
_CONTEXT = {"conv3": "conv3X3", "conv5_1": "conv5X5_1", "conv5_2": "conv5X5_2",
            "conv7_2": "conv7X7_2", "conv7_3": "conv7x7_3"}


def _retinaface() -> dict[str, Rule]:
    rules = _folded("stem", "body.stage1.0.0", "body.stage1.0.1")
    blocks = [f"body.{stage}.{n}" for stage, size in _STAGES for n in range(size)][1:]
    for n, name in enumerate(blocks):
        rules |= _folded(f"blocks_{n}/depthwise", f"{name}.0", f"{name}.1", (2, 3, 0, 1))
        rules |= _folded(f"blocks_{n}/pointwise", f"{name}.3", f"{name}.4")
    for n in (1, 2, 3):
        rules |= _folded(f"lateral_{n - 1}", f"fpn.output{n}.0", f"fpn.output{n}.1")
        for path, name in _CONTEXT.items():
            rules |= _folded(f"context_{n - 1}/{path}", f"ssh{n}.{name}.0", f"ssh{n}.{name}.1")
        heads = [f"{head}.{n - 1}.conv1x1" for head in ("ClassHead", "BboxHead", "LandmarkHead")]
        rules[f"head_{n - 1}/weight"] = Rule(
            tuple(f"{head}.weight" for head in heads),
            lambda *weights: _conv(np.concatenate(weights)))
        rules[f"head_{n - 1}/bias"] = Rule(
            tuple(f"{head}.bias" for head in heads), lambda *biases: np.concatenate(biases))
    for n in (1, 2):
        rules |= _folded(f"merge_{n - 1}", f"fpn.merge{n}.0", f"fpn.merge{n}.1")
    return rules


def _folded(path: str, convolution: str, norm: str,
            axes: tuple[int, ...] = (2, 3, 1, 0)) -> dict[str, Rule]:
    """A convolution with the batch norm behind it in its weight and bias."""
    def weight(kernel: np.ndarray, scale: np.ndarray, variance: np.ndarray) -> np.ndarray:
        factor = scale / np.sqrt(variance.astype(np.float64) + _EPSILON)
        return (kernel * factor[:, np.newaxis, np.newaxis, np.newaxis]).transpose(axes)

    def bias(scale: np.ndarray, shift: np.ndarray, mean: np.ndarray,
             variance: np.ndarray) -> np.ndarray:
        return shift - mean * scale / np.sqrt(variance.astype(np.float64) + _EPSILON)

    def names(*parts: str) -> tuple[str, ...]:
        return tuple(f"{norm}.{part}" for part in parts)

    return {
        f"{path}/weight": Rule((f"{convolution}.weight", *names("weight", "running_var")), weight),
        f"{path}/bias": Rule(names("weight", "bias", "running_mean", "running_var"), bias),
    }


# --- FaceEnhancer -------------------------------------------------------------------------------

_ENHANCER_LAYERS = (
    *("conv1", "dense1", "dense2"),
    *(f"{level}_conv{n}" for level in ("e0", "e1", "e2", "e3", "e4") for n in (0, 1)),
    *(f"center_conv{n}" for n in range(4)),
    *(f"{level}_conv{n}" for level in ("d4", "d3", "d2", "d1", "d0", "out1x", "dec2x", "out2x",
                                       "dec4x", "out4x") for n in (0, 1)),
)


def _face_enhancer() -> dict[str, Rule]:
    rules = {}
    for name in _ENHANCER_LAYERS:
        rules |= _same(f"{name}/weight", f"{name}/weight:0")
        if not name.startswith("dense"):
            rules |= _same(f"{name}/bias", f"{name}/bias:0", _flat)
    return rules


# --- XSeg ---------------------------------------------------------------------------------------

_XSEG_DEPTHS = (2, 2, 2, 3, 3, 3)
"""Convolutions of each level, down and up."""

_XSEG_BLOCK = ("conv/weight", "conv/bias", "frn/weight", "frn/bias", "frn/eps", "tlu/tau")


def _xseg() -> dict[str, Rule]:
    blocks = [f"{way}{level}{n}" for level, depth in enumerate(_XSEG_DEPTHS)
              for n in range(1, depth + 1) for way in ("conv", "uconv")]
    blocks += [f"up{level}" for level in range(len(_XSEG_DEPTHS))]
    paths = [f"{block}/{part}" for block in blocks for part in _XSEG_BLOCK]
    paths += [f"{layer}/{part}" for layer in ("dense1", "dense2", "out_conv")
              for part in ("weight", "bias")]
    return {path: Rule((f"{path}:0",), _plain if path.endswith("conv/weight")
                       or path.startswith("dense") and path.endswith("weight") else _flat)
            for path in paths}


# --- VGG11 --------------------------------------------------------------------------------------

_VGG11_PLACES = (0, 3, 6, 8, 11, 13, 16, 18)
"""Of the convolutions among all layers, in torchvision's names."""


def _vgg11() -> dict[str, Rule]:
    rules = {}
    for number, place in enumerate(_VGG11_PLACES):
        rules |= _torch_conv(f"convs_{number}", f"features.{place}")
    return rules


S3FD_VALUES, FAN_VALUES = 22_459_110, 23_874_320
LAYOUTS = (
    Layout("s3fd", "face-alignment", _s3fd(), S3FD_VALUES),
    # DeepFaceLab feeds red, green, blue.
    Layout("s3fd", "DeepFaceLab", _s3fd_deepfacelab(), S3FD_VALUES, {"channels": "rgb"}),
    Layout("fan", "face-alignment", _fan(), FAN_VALUES),
    Layout("fan", "DeepFaceLab", _deepfacelab(_fan()), FAN_VALUES),
    *(Layout(f"mtcnn_{name}", "facenet-pytorch", _mtcnn(name, f"{name}."), n_values)
      for name, n_values in (("pnet", 6_632), ("rnet", 100_178), ("onet", 389_040))),
    *(Layout(f"mtcnn_{name}", "facenet-pytorch", _mtcnn(name, ""), n_values)
      for name, n_values in (("onet", 389_040), ("rnet", 100_178), ("pnet", 6_632))),
    Layout("retinaface", "Pytorch_Retinaface", _retinaface(), 423_264),
    Layout("face_enhancer", "DeepFaceLab", _face_enhancer(), 33_111_401),
    Layout("xseg", "DeepFaceLab", _xseg(), 17_569_317),
    Layout("vgg11", "torchvision", _vgg11(), 9_220_480),
)
"""Every layout that is known. Files with MTCNN's networks together fit three of them."""
