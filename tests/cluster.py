"""A real Dask cluster of processes of this machine, for tests that kill some of them."""

import contextlib
import os
import re
import subprocess
import sys
import threading
import time

import pytest

from tests.commands import ROOT


@contextlib.contextmanager
def dask_cluster(n_workers):
    """Starts a scheduler and workers; gives (its address, the workers' processes).

    Skips the test where Dask is not installed (requirements-cluster.txt).
    """
    pytest.importorskip("distributed")
    with contextlib.ExitStack() as stack:
        scheduler = stack.enter_context(_started("scheduler", "--host", "127.0.0.1", "--port", "0",
                                                 "--no-dashboard"))
        address = _address(scheduler)
        workers = [stack.enter_context(_started(
            "worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard",
            "--death-timeout", "60")) for _ in range(n_workers)]
        yield address, workers


@contextlib.contextmanager
def _started(kind, *words):
    child = subprocess.Popen([sys.executable, "-m", f"distributed.cli.dask_{kind}", *words],
                             cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                             env=os.environ | {"PYTHONPATH": os.pathsep.join(
                                 [str(ROOT), os.environ.get("PYTHONPATH", "")])})
    child.lines = []
    reader = threading.Thread(target=lambda: child.lines.extend(child.stderr), daemon=True)
    reader.start()
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        reader.join()
        child.stderr.close()


def _address(scheduler):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and scheduler.poll() is None:
        found = re.search(r"(tcp://127\.0\.0\.1:\d+)", "".join(scheduler.lines))
        if found:
            return found[1]
        time.sleep(0.05)
    raise AssertionError(f"no scheduler: {''.join(scheduler.lines)}")
