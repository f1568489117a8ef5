"""SAEHD with all adversaries, and AMP, on two devices against one with the doubled batch."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("replica_script.py")
RATE = 1e-3
LONGEST = 280  # seconds on a busy machine


def start(kind, path):
    return subprocess.Popen(
        [sys.executable, "-P", "-W", "ignore", SCRIPT, kind, path], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"})


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Kind of devices -> (report, weights by model and device)."""
    folder = tmp_path_factory.mktemp("replicas")
    processes = {kind: start(kind, folder / f"{kind}.npz") for kind in ("one", "mirrored")}
    found = {}
    for kind, process in processes.items():
        output, _ = process.communicate(timeout=LONGEST)
        assert process.returncode == 0, output
        with np.load(folder / f"{kind}.npz") as arrays:
            found[kind] = json.loads(output.splitlines()[-1]), dict(arrays)
    return found


@pytest.mark.parametrize("name", ["SAEHD", "AMP"])
def test_two_devices_train_as_one_with_the_whole_batch(reports, name):
    """Also AMP's random channels: each device has those of its own faces."""
    one, two = (reports[kind][0][name] for kind in ("one", "mirrored"))
    for losses, wanted in zip(two["losses"], one["losses"], strict=True):
        assert list(losses) == list(wanted) and "gan discriminator" in losses
        for loss, value in wanted.items():
            assert losses[loss] == pytest.approx(value, rel=1e-4), loss
    np.testing.assert_allclose(two["norms"], one["norms"], rtol=1e-3)
    assert min(one["norms"]) > 0.3, "clipping must act"
    weights = reports["one"][1][f"{name}0"]
    errors = np.abs(reports["mirrored"][1][f"{name}0"] - weights) / RATE
    # Where a gradient is all but zero, the order of sums decides the way of a step.
    assert np.mean(errors < 0.02) > 0.98 and errors.mean() < 0.02


@pytest.mark.parametrize("name", ["SAEHD", "AMP"])
def test_both_devices_hold_the_same_bits(reports, name):
    weights = reports["mirrored"][1]
    np.testing.assert_array_equal(weights[f"{name}0"], weights[f"{name}1"])
    assert len(reports["one"][1]) == 2 and len(weights) == 4
