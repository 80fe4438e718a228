"""JSON that is nested as deep as a decoder goes does not end a process that was started with little stack."""

from __future__ import annotations

import subprocess
import sys

import pytest

DEEP = """
import sys, threading
from hub.errors import NotJSON
from hub.message import Message
from hub.process import reserve_stack

reserve_stack()
told = []

def decode():
    for depth in (900, 5_000, 200_000):
        try:
            Message("1", "a", b"[" * depth + b"]" * depth).json()
        except NotJSON:
            told.append(depth)

for run in (decode, lambda: None):
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
decode()
print(len(told), threading.stack_size())
"""


@pytest.mark.parametrize("kilobytes", [256, 8192])
def test_threads_and_the_reactor_have_stack_enough_for_the_deepest_json(kilobytes: int) -> None:
    command = ["sh", "-c", f'ulimit -Ss {kilobytes} && exec "$0" -c "$1"', sys.executable, DEEP]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    refused, size = map(int, done.stdout.split())
    assert refused >= 2  # the deepest, in either thread
    assert size == 8 << 20
