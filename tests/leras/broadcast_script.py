"""Run by test_broadcast.py: one worker that takes part in some broadcasts and prints what came.

Usage: broadcast_script.py --workers host:port,host:port --rank N
"""

import argparse
import hashlib
import json
import time

import numpy as np

from leras import broadcast as broadcasting
from leras import devices

parser = argparse.ArgumentParser()
parser.add_argument("--workers")
parser.add_argument("--rank", type=int)
arguments = parser.parse_args()
strategy = devices.strategy("cpu", arguments.workers, arguments.rank)
broadcasting.BYTES_AT_ONCE = 4000  # so that a message needs several pieces
rng = np.random.default_rng(arguments.rank)
received = []
for size in (0, 1, 3999, 4000, 10_001):
    mine = rng.bytes(size if arguments.rank == 0 else size + 77)
    received.append(hashlib.sha256(broadcasting.broadcast(strategy, mine)).hexdigest())
time.sleep(arguments.rank)  # the last one makes all others wait
before = time.time()
broadcasting.wait_for_all(strategy)
print(json.dumps({"received": received, "left": time.time(), "came": before}), flush=True)
