"""How much memory a training will need, before anything is built; and how much it does need.

The estimate counts numbers (see `models.footprint`) and multiplies them with what a number costs on
a kind of device. The costs of CPUs are fitted to measured peaks; the table of estimates beside
measurements stands in `docs/training.md`, and `python -m benchmarks.memory` measures it anew.
"""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import psutil
import tensorflow as tf

from core.errors import DeviceError
from core.paths import format_bytes
from models.footprint import Footprint, footprint
from models.options import TrainingOptions, effective

T = TypeVar("T", bound=TrainingOptions)

BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}  # of one number of a map
SLOTS = {"rmsprop": 1, "adabelief": 2, "adam": 2}
LARGEST_AUTO_BATCH = 64  # of each device: beyond it, a larger one hardly trains faster
RAM_SHARE = 0.7  # of the free memory that training may plan with
GPU_SHARE = 0.9


class Costs(NamedTuple):
    """What a training step needs on a kind of device.

    Args:
        program: Bytes of TensorFlow with a compiled step.
        per_kernel: Bytes of workspace for each number of a convolution's kernel.
        per_map: Times that a number of a map is held, gradients and workspace included.
        recomputed: Share of the maps that is held where activations are computed again.
    """

    program: float
    per_kernel: float
    per_map: float
    recomputed: float


CPU_XLA = Costs(970e6, 8.9, 1.9, 1.0)  # its convolutions keep little: recomputing saves nothing
CPU_PLAIN = Costs(700e6, 9.0, 4.5, 0.5)
GPU = Costs(600e6, 0.0, 3.0, 0.5)


@dataclass(frozen=True)
class Estimate:
    """Bytes that one device needs; on a CPU, the whole process.

    Attributes:
        program: The program itself.
        weights: Of all networks.
        optimizer: Slots of all optimizers.
        gradients: And workspace that does not grow with the batch.
        activations: What grows with the batch.
    """

    program: float
    weights: float
    optimizer: float
    gradients: float
    activations: float

    @property
    def total(self) -> float:
        """All together."""
        return (self.program + self.weights + self.optimizer + self.gradients
                + self.activations)

    def in_words(self) -> str:
        """One line for people."""
        parts = (f"{name} {format_bytes(value)}" for name, value in vars(self).items())
        return f"{format_bytes(self.total)} ({', '.join(parts)})"


def estimate(options: TrainingOptions, *, n_devices: int = 1,
             on_gpu: bool | None = None) -> Estimate | None:
    """What each device will need; None for a kind of model whose numbers cannot be counted.

    Args:
        options: Of the model, the batch size a number.
        n_devices: Devices that share the batch.
        on_gpu: Whether they are GPUs; None looks what TensorFlow sees.
    """
    counted = footprint(options)
    if counted is None:
        return None
    on_gpu = has_gpu() if on_gpu is None else on_gpu
    costs = GPU if on_gpu else CPU_XLA if options.xla else CPU_PLAIN
    return _priced(counted, effective(options), costs, n_devices)


def _priced(counted: Footprint, options: TrainingOptions, costs: Costs,
            n_devices: int) -> Estimate:
    weights = 4.0 * counted.parameters
    # The mean gradient of many slices or devices is summed up beside that of the last one.
    sums = 2 if options.accumulate > 1 or n_devices > 1 else 1
    held = costs.recomputed if options.recompute else 1.0
    n = -(-options.batch_size // (n_devices * options.accumulate))
    return Estimate(
        costs.program, weights, weights * SLOTS[options.optimizer],
        weights * sums + counted.kernels * costs.per_kernel,
        n * counted.maps * costs.per_map * held * BYTES[options.precision])


def largest_batch(options: T, budget: float, *, n_devices: int = 1,
                  on_gpu: bool | None = None) -> int | None:
    """The largest batch that fits a budget, at least the smallest there is.

    Args:
        options: Of the model; their batch size does not count.
        budget: Bytes of each device.
        n_devices: Devices that share the batch.
        on_gpu: See `estimate`.

    Returns:
        A batch that all devices and steps of accumulation share evenly; None where nothing can be
        estimated.
    """
    smallest = n_devices * options.accumulate
    best = smallest
    for n in range(1, max(LARGEST_AUTO_BATCH // options.accumulate, 1) + 1):
        wanted = estimate(replace(options, batch_size=n * smallest), n_devices=n_devices,
                          on_gpu=on_gpu)
        if wanted is None:
            return None
        if wanted.total > budget:
            break
        best = n * smallest
    return best


def budget(n_local_devices: int = 1) -> float | None:
    """Bytes that each device of this machine may use; None if nobody knows.

    Args:
        n_local_devices: That share the memory, if they are parts of the CPU.
    """
    if not has_gpu():
        own = psutil.Process().memory_info().rss
        return (psutil.virtual_memory().available + own) * RAM_SHARE / n_local_devices
    free = gpu_free_bytes()
    return None if free is None else free * GPU_SHARE


def has_gpu() -> bool:
    """Whether this process trains on a GPU."""
    return bool(tf.config.get_visible_devices("GPU"))


def gpu_free_bytes() -> float | None:
    """Free memory of the fullest GPU, as NVIDIA's tool tells; None if it does not."""
    query = ["nvidia-smi", "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True)
        return min(float(line) for line in told.stdout.split()) * 2**20
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def memory_mb() -> float | None:
    """Peak of memory so far in megabytes: of the first GPU, or of this process."""
    gpus = tf.config.list_logical_devices("GPU")
    if gpus:
        device = gpus[0].name.removeprefix("/device:")
        return tf.config.experimental.get_memory_info(device)["peak"] / 2**20
    return peak_of_process() / 2**20


def peak_of_process() -> float:
    """Bytes of memory that this process had at most."""
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024)


@contextlib.contextmanager
def exhaustion_reported() -> Iterator[None]:
    """Names the failure of a device that has no memory left.

    Raises:
        DeviceError: It is full.
    """
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise DeviceError("the device has no memory left for this model; lower --batch-size, or "
                          "use --accumulate 2, --recompute or a smaller model") from error
