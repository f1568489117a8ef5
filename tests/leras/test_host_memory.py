"""Memory that the C library gives back, and what it keeps; in processes of their own."""

import gc
import platform
import subprocess
import sys

import pytest

from leras import host_memory

SCRIPT = """
import ctypes, resource
from leras.host_memory import freed_memory_returned, keep_freed_buffers

def resident():
    pages = int(open("/proc/self/statm").read().split()[1])
    return pages * resource.getpagesize() / 2**20

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
library.free.argtypes = [ctypes.c_void_p]

def fill(size, count):
    blocks = [library.malloc(size) for _ in range(count)]
    for block in blocks:
        ctypes.memset(block, 1, size)
    return blocks

"""
needs_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="about glibc's memory")


def run(script):
    done = subprocess.run([sys.executable, "-c", SCRIPT + script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [float(word) for word in done.stdout.split()]


@needs_glibc
def test_small_freed_pieces_below_one_that_stays_go_back_to_the_system():
    before, freed, after = run("""
before = resident()
blocks = fill(50_000, 2000)  # 100 MB, too small to be mapped one by one
for block in blocks[:-1]:
    library.free(block)
freed = resident()
with freed_memory_returned():
    pass
print(before, freed, resident())
""")
    assert freed - before > 80 and after - before < 20


@needs_glibc
def test_large_buffers_are_mapped_once():
    usual, kept = run("""
def steps():
    start = faults()
    for _ in range(4):
        library.free(fill(100 * 2**20, 1)[0])
    return faults() - start

usual = steps()
keep_freed_buffers()
library.free(fill(100 * 2**20, 1)[0])
print(usual, steps())
""")
    assert usual > 4 * 50 and kept < usual / 10


def test_without_glibc_nothing_happens(monkeypatch):
    monkeypatch.setattr(host_memory, "_function", lambda name: None)
    host_memory.keep_freed_buffers()
    with host_memory.freed_memory_returned():
        pass


def test_garbage_is_looked_for_again_afterwards_even_after_an_error():
    with pytest.raises(ZeroDivisionError), host_memory.garbage_left_alone():
        assert not gc.isenabled()
        1 / 0
    assert gc.isenabled()
    gc.disable()
    with host_memory.garbage_left_alone():
        pass
    assert not gc.isenabled()
    gc.enable()
