"""Bytes of the chief, received by another process."""

import hashlib
import json
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from leras.broadcast import broadcast

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("broadcast_script.py")


def test_a_single_process_keeps_its_own_bytes():
    assert broadcast(tf.distribute.get_strategy(), b"mine") == b"mine"


def test_all_processes_get_the_chiefs_bytes_and_wait_for_each_other():
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    addresses = ",".join(f"127.0.0.1:{opened.getsockname()[1]}" for opened in sockets)
    for opened in sockets:
        opened.close()
    workers = [subprocess.Popen(
        [sys.executable, "-P", "-W", "ignore", SCRIPT, "--workers", addresses, "--rank", str(rank)],
        cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}) for rank in range(2)]
    reports = [json.loads(worker.communicate(timeout=120)[0]) for worker in workers]
    rng = np.random.default_rng(0)
    sent = [hashlib.sha256(rng.bytes(size)).hexdigest() for size in (0, 1, 3999, 4000, 10_001)]
    assert reports[0]["received"] == reports[1]["received"] == sent
    assert min(report["left"] for report in reports) >= max(report["came"] for report in reports)
