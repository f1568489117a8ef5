"""A few of the kills of `make chaos`."""

import json
import os
import subprocess
import sys

import pytest

from tests.commands import ROOT


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals and forks")
def test_a_training_killed_at_random_moments_loads_at_its_last_complete_generation(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.chaos.kill_training", "--kills", "3",
         "--seed", "2", "--folder", tmp_path / "chaos"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    report = json.loads(done.stdout)
    assert report["kills"] == sum(report["struck"].values()) == 3
    assert report["iterations"] > 2
