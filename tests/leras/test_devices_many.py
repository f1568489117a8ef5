"""Several logical CPUs and several processes against one device with the whole batch."""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("replica_script.py")
LONGEST = 120  # seconds for a process to come up on a busy machine


def start(*arguments):
    # Without a file's own directory on the path: tests/leras holds a module named `reference`.
    return subprocess.Popen([sys.executable, "-P", "-W", "ignore", SCRIPT, *map(str, arguments)],
                            cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            env={"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"})


def free_ports(n):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return ports


def finished(process):
    output, _ = process.communicate(timeout=LONGEST)
    assert process.returncode == 0, output
    return json.loads(output)


@pytest.fixture(scope="module")
def alone():
    return finished(start("one"))


@pytest.fixture(scope="module")
def workers():
    """Two processes that train together, and the report of each."""
    addresses = ",".join(f"127.0.0.1:{port}" for port in free_ports(2))
    processes = [start("worker", "--workers", addresses, "--rank", rank) for rank in range(2)]
    try:
        yield processes, [json.loads(process.stdout.readline()) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def assert_same_course(report, alone):
    """Equal to one device with the whole batch, within what another order of sums changes."""
    np.testing.assert_allclose(report["losses"], alone["losses"], rtol=1e-5)
    np.testing.assert_allclose(report["norms"], alone["norms"], rtol=1e-4)
    for copy in report["weights"]:
        np.testing.assert_allclose(copy, alone["weights"][0], rtol=1e-4, atol=1e-5)


def test_one_device_learns(alone):
    assert alone["losses"][-1] < 0.9 * alone["losses"][0] and alone["chief"]
    assert min(alone["norms"]) > 0.5, "clipping must act, or its place would not be tested"


def test_two_devices_of_one_process_train_as_one_with_the_whole_batch(alone):
    report = finished(start("mirrored"))
    assert_same_course(report, alone)
    first, second = report["weights"]
    assert first == second


def test_two_processes_train_as_one_device_with_the_whole_batch(alone, workers):
    _, reports = workers
    for report in reports:
        assert_same_course(report, alone)
    assert reports[0]["weights"] == reports[1]["weights"]
    assert [report["chief"] for report in reports] == [True, False]
    assert reports[0]["losses"] == reports[1]["losses"]


def test_all_processes_hear_of_a_wish_to_stop_after_the_same_step(workers):
    for report in workers[1]:
        assert report["stops"] == [False] * 4 + [True, False]


def test_processes_with_different_weights_are_told_so(workers):
    for report in workers[1]:
        assert "different weights" in report["difference"]


def test_a_killed_process_ends_the_others_with_one_line(workers):
    processes, _ = workers
    time.sleep(0.5)  # into a step
    processes[1].send_signal(signal.SIGKILL)
    killed_at = time.monotonic()
    output, _ = processes[0].communicate(timeout=60)
    assert time.monotonic() - killed_at < 30
    assert processes[0].returncode == 1
    line, = output.splitlines()
    assert line.startswith("WorkerLost") and "start all workers again" in line
