"""TensorFlow, the devices it sees, and why a GPU is not among them."""

import os
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from mainscripts.checks.check import Check, ok, problem, warning
from mainscripts.checks.child import ChildFailed, ask_child

NVIDIA_VENDOR = "0x10de"
DISPLAY_CLASSES = ("0x0300", "0x0302")  # PCI: VGA controller, 3D controller
CUDA_STEP = "run `pip install -r requirements-cuda.txt`"

# Runs in a child: a TensorFlow that cannot be imported, or crashes, must not take doctor along.
PROBE = """
import json
import tensorflow as tf
gpus = [tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)
        for gpu in tf.config.list_physical_devices("GPU")]
with tf.device("CPU:0"):
    total = float(tf.function(lambda x: tf.reduce_sum(x @ x))(tf.ones((2, 2))))
print(json.dumps({"version": tf.__version__, "gpus": gpus, "total": total,
                  "built_with_cuda": tf.test.is_built_with_cuda()}))
"""


@dataclass(frozen=True)
class GpuFacts:
    """What decides whether TensorFlow can use an NVIDIA GPU.

    Attributes:
        platform: As sys.platform.
        cards: Number of NVIDIA display cards on the PCI bus; None if that cannot be told.
        has_driver: Whether the NVIDIA driver's device files are there.
        visible: CUDA_VISIBLE_DEVICES, or None if it is not set.
        built_with_cuda: Whether TensorFlow was built for CUDA.
        has_cuda_packages: Whether the CUDA libraries of requirements-cuda.txt are installed.
    """

    platform: str
    cards: int | None
    has_driver: bool
    visible: str | None
    built_with_cuda: bool
    has_cuda_packages: bool


def check_devices() -> list[Check]:
    """Whether TensorFlow computes here, and on what."""
    try:
        answer = ask_child(PROBE)
    except ChildFailed as error:
        return [problem("tensorflow", f"TensorFlow cannot be used: {error}; {_repair(str(error))}")]
    if answer["total"] != 8.0:  # ones (2, 2) squared is all 2; four of them
        return [problem("tensorflow", f"TensorFlow computes wrongly ({answer['total']} for 8.0); "
                                      "install it again")]
    checks = [ok("tensorflow", f"TensorFlow {answer['version']} works")]
    if answer["gpus"]:
        return checks + [ok("gpu", f"GPU {name}") for name in answer["gpus"]]
    reason = why_no_gpu(gather_gpu_facts(answer["built_with_cuda"]))
    return checks + [warning("gpu", f"no GPU is used, the CPU trains slowly: {reason}")]


def _repair(reason: str) -> str:
    if "SIGILL" in reason:
        return "this processor lacks instructions that TensorFlow needs (AVX); use another machine"
    return "run `pip install -r requirements.txt`"


def gather_gpu_facts(built_with_cuda: bool) -> GpuFacts:
    """Looks at the machine; needs no TensorFlow."""
    driver_files = (*Path("/dev").glob("nvidia[0-9]*"), *Path("/usr/lib/wsl/lib").glob("libcuda*"))
    return GpuFacts(
        platform=sys.platform,
        cards=_count_nvidia_cards(),
        has_driver=bool(driver_files),
        visible=os.environ.get("CUDA_VISIBLE_DEVICES"),
        built_with_cuda=built_with_cuda,
        has_cuda_packages=_is_installed("nvidia-cudnn-cu12"),
    )


def why_no_gpu(facts: GpuFacts) -> str:
    """The first reason that holds, and what to do about it."""
    if facts.platform == "darwin":
        return "TensorFlow for macOS has no GPU support of its own"
    if facts.platform == "win32":
        return "TensorFlow for Windows has no GPU support; use WSL2 (Windows Subsystem for Linux)"
    if not facts.has_driver:
        if facts.cards:
            return "an NVIDIA card is there but its driver is not; install the NVIDIA driver"
        return "no NVIDIA driver (/dev/nvidia*) and no NVIDIA card found"
    if facts.visible is not None and facts.visible.strip() in ("", "-1"):
        return (f"CUDA_VISIBLE_DEVICES={facts.visible!r} hides all GPUs; unset it or name one, "
                "such as 0")
    if not facts.built_with_cuda:
        return f"this TensorFlow was built without CUDA; {CUDA_STEP}"
    if not facts.has_cuda_packages:
        return f"the NVIDIA driver is there but the CUDA libraries are missing; {CUDA_STEP}"
    if facts.visible is not None:
        return (f"CUDA_VISIBLE_DEVICES={facts.visible!r} names no usable GPU; unset it, or see "
                "`nvidia-smi` for the names")
    return "driver and CUDA libraries are there but do not fit; update the NVIDIA driver"


def _count_nvidia_cards() -> int | None:
    bus = Path("/sys/bus/pci/devices")
    if not bus.is_dir():
        return None
    cards = 0
    for device in bus.iterdir():
        vendor, kind = _line(device / "vendor"), _line(device / "class")
        cards += vendor == NVIDIA_VENDOR and kind.startswith(DISPLAY_CLASSES)
    return cards


def _line(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _is_installed(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True
