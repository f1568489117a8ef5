import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

import main
from core.report import SilentReporter
from facelib import weights
from mainscripts.checks import devices, machine, packages
from mainscripts.checks.check import Status, ok, problem, warning
from mainscripts.checks.child import ChildFailed, ask_child
from mainscripts.checks.devices import GpuFacts, why_no_gpu
from mainscripts.doctor import report_checks

ROOT = Path(__file__).parents[2]
GOOD = GpuFacts(platform="linux", cards=1, has_driver=True, visible=None, built_with_cuda=True,
                has_cuda_packages=True)


@pytest.fixture(scope="module")
def whole_run():
    """The real doctor on this machine, TensorFlow and all: (exit code, events)."""
    child = subprocess.run([sys.executable, str(ROOT / "main.py"), "doctor", str(ROOT), "--json"],
                           capture_output=True, text=True)
    assert child.stderr == ""
    return child.returncode, [json.loads(line) for line in child.stdout.splitlines()]


def test_the_real_doctor_finds_that_facelab_runs_here(whole_run):
    code, events = whole_run
    assert code == 0
    assert all(event["event"] == "check" for event in events[:-1])
    assert events[-1]["event"] == "doctor"
    assert events[-1]["problems"] == 0
    assert events[-1]["warnings"] == [event["status"] for event in events[:-1]].count("warning")


def test_the_real_doctor_tells_versions_devices_and_weights(whole_run):
    messages = {event["name"]: event["message"] for event in whole_run[1][:-1]}
    assert ".".join(map(str, sys.version_info[:3])) in messages["python"]
    assert metadata.version("tensorflow") in messages["tensorflow"]
    assert {"gpu", "packages", "processor", "memory", "disk", "display"} <= set(messages)
    assert messages["yunet"].endswith("123.5 KB")  # 126503 bytes
    assert messages["facemesh"].endswith("1.1 MB")  # 1135226 bytes


def test_a_problem_makes_exit_code_1_and_a_warning_does_not():
    reporter = SilentReporter()
    assert report_checks((lambda: [ok("a", "fine"), warning("b", "so so")],), reporter) == 0
    assert reporter.events[-1]["message"] == "FaceLab can run here (0 problems, 1 warning)"
    assert report_checks((lambda: [ok("a", "fine")], lambda: [problem("c", "no")]), reporter) == 1
    assert reporter.events[-1]["message"] == "FaceLab cannot run here (1 problem, 0 warnings)"
    assert [event["name"] for event in reporter.events if event["event"] == "check"] == [
        "a", "b", "a", "c"]


@pytest.mark.parametrize("changes, reason", [
    (dict(platform="darwin"), "macOS"),
    (dict(platform="win32"), "WSL2"),
    (dict(has_driver=False, cards=0), "no NVIDIA card found"),
    (dict(has_driver=False, cards=None), "no NVIDIA card found"),
    (dict(has_driver=False, cards=2), "install the NVIDIA driver"),
    (dict(visible=""), "CUDA_VISIBLE_DEVICES='' hides all GPUs"),
    (dict(visible="-1"), "CUDA_VISIBLE_DEVICES='-1' hides all GPUs"),
    (dict(visible="7"), "CUDA_VISIBLE_DEVICES='7' names no usable GPU"),
    (dict(built_with_cuda=False), "built without CUDA"),
    (dict(has_cuda_packages=False), "pip install -r requirements-cuda.txt"),
    (dict(), "update the NVIDIA driver"),
])
def test_the_reason_for_not_using_a_gpu(changes, reason):
    assert reason in why_no_gpu(replace(GOOD, **changes))


def test_the_facts_about_this_machines_gpu(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    facts = devices.gather_gpu_facts(built_with_cuda=True)
    assert facts.visible == "3"
    assert facts.platform == sys.platform
    assert facts.has_driver == any(name[:6] == "nvidia" and name[6:].isdigit()
                                   for name in os.listdir("/dev"))


@pytest.mark.parametrize("code, message", [
    ("raise ImportError('libGL.so.1: cannot open')", "ImportError: libGL.so.1: cannot open"),
    ("import sys; sys.exit(3)", "ended with code 3"),
    ("print('not JSON')", "unexpected answer 'not JSON'"),
    ("pass", "unexpected answer ''"),
])
def test_a_child_that_fails_says_why_in_one_line(code, message):
    with pytest.raises(ChildFailed) as failure:
        ask_child(code)
    assert str(failure.value) == message


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_crash_of_tensorflow_does_not_take_the_doctor_along(monkeypatch):
    monkeypatch.setattr(devices, "PROBE", "import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    (check,) = devices.check_devices()
    assert check.status is Status.PROBLEM
    assert "SIGILL" in check.message and "AVX" in check.message


def test_a_broken_tensorflow_is_a_problem(tmp_path, monkeypatch):
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "__init__.py").write_text("raise ImportError('broken wheel')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (check,) = devices.check_devices()
    assert check.status is Status.PROBLEM
    assert "broken wheel" in check.message
    assert "pip install -r requirements.txt" in check.message


def test_a_child_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr("mainscripts.checks.child.TIMEOUT_SECONDS", 0.2)
    with pytest.raises(ChildFailed, match="no answer within 0.2 s"):
        ask_child("import time; time.sleep(60)")


def test_pins_are_read_with_extras_comments_and_markers(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text("# pins\n-r other.txt\ntensorflow[and-cuda]==2.21.0\n numpy==2.4.6 # why\n"
                    "av==18.1.0; python_version > '3'\nfree>=1\n", encoding="utf-8")
    assert packages.read_pins(path) == {"tensorflow": "2.21.0", "numpy": "2.4.6", "av": "18.1.0"}


def test_missing_and_differing_packages_are_told_apart(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text("no-such-package==1.0\npytest==0.0.1\n"
                    f"tqdm=={metadata.version('tqdm')}\n", encoding="utf-8")
    checks = packages.check_packages(path)
    assert [(check.name, check.status) for check in checks] == [
        ("packages", Status.OK), ("no-such-package", Status.PROBLEM), ("pytest", Status.WARNING)]
    assert "1 of 3 packages" in checks[0].message
    assert metadata.version("pytest") in checks[2].message and "0.0.1" in checks[2].message


def test_a_package_that_cannot_be_imported_is_a_problem(tmp_path, monkeypatch):
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    path = tmp_path / "requirements.txt"
    path.write_text(f"opencv-python=={metadata.version('opencv-python')}\n", encoding="utf-8")
    checks = packages.check_packages(path)
    assert [(check.name, check.status) for check in checks[1:]] == [
        ("opencv-python", Status.PROBLEM)]
    assert "libGL.so.1" in checks[1].message


def test_missing_and_damaged_weights_are_problems(tmp_path, monkeypatch):
    source = weights.WEIGHTS_FOLDER / "yunet_2023mar.npz"
    (tmp_path / "yunet_2023mar.npz").write_bytes(source.read_bytes()[:-1])
    (tmp_path / "extra.npz").write_bytes(bytes(2048))
    monkeypatch.setattr(weights, "WEIGHTS_FOLDER", tmp_path)
    checks = {check.name: check for check in packages.check_weights()}
    assert checks["yunet"].status is Status.PROBLEM and "damaged" in checks["yunet"].message
    assert checks["facemesh"].status is Status.PROBLEM
    assert checks["extra"].message == "weights in extra.npz: 2.0 KB"


def test_an_old_python_is_a_problem():
    assert machine.check_python((3, 10, 4))[0].status is Status.PROBLEM
    assert machine.check_python((3, 11, 0))[0].status is Status.OK
    assert machine.check_python((4, 0, 0))[0].status is Status.OK


def test_memory_is_what_the_system_and_the_container_grant(tmp_path, monkeypatch):
    import psutil

    monkeypatch.setattr(machine, "CGROUP_LIMITS", ())
    assert machine.total_memory() == psutil.virtual_memory().total
    (tmp_path / "memory.max").write_text(f"{3 << 30}\n")
    (tmp_path / "other").write_text("max\n")
    limits = [str(tmp_path / name) for name in ("other", "missing", "memory.max")]
    monkeypatch.setattr(machine, "CGROUP_LIMITS", limits)
    assert machine.total_memory() == 3 << 30
    (check,) = machine.check_memory()
    assert check.status is Status.WARNING and "3.0 GB" in check.message


def test_a_disk_is_checked_for_rights_and_room(tmp_path, monkeypatch):
    assert machine.check_disk(tmp_path)[0].status in (Status.OK, Status.WARNING)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(machine, "LITTLE_DISK", 1 << 60)
    assert machine.check_disk(tmp_path)[0].status is Status.WARNING
    assert machine.check_disk(tmp_path / "missing")[0].status is Status.PROBLEM


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells displays by variables")
def test_a_display_is_told_by_its_variable(monkeypatch):
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    assert machine.check_display()[0].status is Status.WARNING
    monkeypatch.setenv("DISPLAY", ":7")
    assert machine.check_display()[0] == ok("display", "windows can be shown (DISPLAY=:7)")


def test_the_command_takes_a_folder(capsys):
    assert main.main(["doctor", "--help"]) == 0
    assert "DIR" in capsys.readouterr().out
