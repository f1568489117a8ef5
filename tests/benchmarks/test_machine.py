"""The measuring tools, checked with work whose cost is known."""

import subprocess
import sys
import time

import numpy as np

from benchmarks.machine import (
    PeakMemory,
    calibrate,
    cpu_seconds,
    measure,
    reference_figures,
    run_in_turns,
)
from benchmarks.sampler import parse, ratios

BURN = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"


def test_sleeping_takes_time_but_no_cpu():
    usage = measure(lambda: time.sleep(0.2))
    assert 0.2 <= usage.seconds < 2 and usage.cpu_seconds < 0.1


def test_cpu_time_of_an_ended_child_counts():
    before = cpu_seconds()
    subprocess.run([sys.executable, "-c", BURN], check=True)
    assert 0.28 <= cpu_seconds() - before < 1.5


def test_cpu_time_of_a_running_child_counts():
    before = cpu_seconds()
    with subprocess.Popen([sys.executable, "-c", BURN + "\nprint(flush=True)\ninput()"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        assert 0.28 <= cpu_seconds() - before < 1.5
        child.stdin.write(b"\n")


def test_peak_memory_sees_what_is_freed_again():
    with PeakMemory(every_seconds=0.005) as idle:
        time.sleep(0.03)
    with PeakMemory(every_seconds=0.005) as busy:
        np.ones(100 * 2**20, np.uint8)[0] = 0
        block = np.ones(100 * 2**20, np.uint8)
        time.sleep(0.05)
        del block
    assert 80 * 2**20 < busy.n_bytes - idle.n_bytes < 400 * 2**20


def test_turns_alternate_and_give_ratios():
    calls = []

    def short():
        calls.append("a")
        time.sleep(0.02)

    def long():
        calls.append("b")
        time.sleep(0.06)

    turns = run_in_turns(short, long, rounds=3)
    assert "".join(calls) == "ab" + "ab" + "ba" + "ab"
    assert turns.a.seconds < turns.b.seconds
    assert 0.2 < turns.ratio < 0.7


def test_ratios_use_the_reference_figures():
    assert reference_figures()["sampler"]["rows"]["none"]["cpu_ms_per_sample"] == 10.98
    compared = ratios("none", {
        "cpu_ms_per_sample": 2.196, "cpu_ms_per_sample_not_cached": 5.49,
        "samples_per_s_2_workers": 354.62})
    assert compared["cpu_ms_per_sample_by_reference"] == 0.2
    assert compared["cpu_ms_per_sample_not_cached_by_reference"] == 0.5
    assert compared["samples_per_s_2_workers_by_reference"] == 2


def test_defaults_are_the_conditions_of_the_reference():
    arguments = parse([])
    assert (arguments.face_size, arguments.resolution, arguments.batch_size) == (256, 128, 4)
    assert arguments.outputs == ["warped", "target", "mask", "eyes_mouth"]


def test_calibration_leaves_tensorflow_out_of_this_process():
    figures = calibrate(cores=1)
    assert figures["cores"] == 1
    assert all(0 < figures[name] < 1e5 for name in ("sgemm_gflops", "conv_gflops", "warp_mpix"))
