import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

# A package that writes to file descriptor 2 while it is imported, as TensorFlow does.
NOISY = r"""
import os
os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called are written")
os.write(2, b" to STDERR\n")
os.write(2, b"I0000 00:00:1795491032.944631    7570 port.cc:153] oneDNN operations are on.\n")
os.write(2, b"E0000 00:00:1795491038.624779    7570 cuda_platform.cc:52] failed call to cuInit\n")
os.write(2, b"F0000 00:00:1795491038.624779    7570 check.cc:1] Check failed\n")
os.write(2, b"out of luck\n")
"""


def run(tmp_path, code, noisy=NOISY):
    (tmp_path / "noisy.py").write_text(noisy, encoding="utf-8")
    head = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]\n"
    return subprocess.run([sys.executable, "-c", head + code], capture_output=True, text=True)


def test_log_lines_of_the_import_vanish_and_other_lines_stay(tmp_path):
    child = run(tmp_path, "from core.native_log import quiet_import\n"
                          "quiet_import('noisy')\nimport json, noisy\n"
                          "import os; os.write(2, b'I0000 00:00 afterwards\\n')\n"
                          "print(noisy.__spec__.loader is noisy.__loader__, noisy.__loader__)")
    assert child.stderr.splitlines() == [
        "F0000 00:00:1795491038.624779    7570 check.cc:1] Check failed", "out of luck",
        "I0000 00:00 afterwards"]
    assert child.stdout.startswith("True <_frozen_importlib_external.SourceFileLoader")


def test_after_a_failed_import_every_line_comes_out(tmp_path):
    child = run(tmp_path, "from core.native_log import quiet_import\n"
                          "quiet_import('noisy')\nimport noisy",
                noisy=NOISY + "\nraise ImportError('broken wheel')")
    assert "oneDNN operations are on" in child.stderr
    assert child.stderr.rstrip().endswith("ImportError: broken wheel")
    assert child.returncode == 1


def test_a_package_that_is_missing_stays_missing(tmp_path):
    child = run(tmp_path, "from core.native_log import quiet_import\n"
                          "quiet_import('no_such_package')\nimport no_such_package")
    assert "ModuleNotFoundError: No module named 'no_such_package'" in child.stderr


def test_without_a_console_the_import_still_works(tmp_path):
    child = run(tmp_path, "import os\nfrom core.native_log import native_log_dropped\nos.close(2)\n"
                          "with native_log_dropped(): print('inside')")
    assert child.stdout == "inside\n"


def test_hidden_log_lines_vanish_at_once_and_the_rest_passes():
    """As TensorFlow tells of a lost machine, in entries of several lines; then a crash."""
    script = """
import os, sys, time
from core.native_log import hide_native_log
hide_native_log()
def native(text): os.write(2, text.encode())
native("native, no log\\n")
native("E0000 00:00:1795.5  12 ring.cc:291] Aborting\\n/job:worker/task:1\\n")
native("The tasks have crashed\\n")
print("from Python", file=sys.stderr)
native("W0000 00:00:1795.6  12 other.cc:1] warned\\nI0000 00:00:1795.7  12 x.cc:1] told\\n")
native("F0000 00:00:1795.8  12 fatal.cc:9] why it ends\\nthe reason\\n")
time.sleep(0.3)
os.abort()
"""
    child = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert child.returncode == -signal.SIGABRT
    assert sorted(child.stderr.splitlines()) == [
        "F0000 00:00:1795.8  12 fatal.cc:9] why it ends", "from Python", "native, no log",
        "the reason"]
