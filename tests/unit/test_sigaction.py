"""A second signal ends a process whose interpreter is held."""

from __future__ import annotations

import signal
import subprocess
import sys

HELD = """
import signal
from hub.sigaction import once
signal.signal(signal.SIGTERM, lambda *_: None)
assert once(signal.SIGTERM)
print("begun", flush=True)
sum(range(10**13))  # one call that holds the interpreter for hours
"""
FREE = """
import signal, time
from hub.sigaction import once
def handle(number, frame):
    print("handled", flush=True)
signal.signal(signal.SIGUSR1, handle)
assert once(signal.SIGUSR1)
assert not once(signal.SIGUSR1), "it is armed already"
signal.raise_signal(signal.SIGUSR1)
signal.raise_signal(signal.SIGUSR1)
"""


def test_the_second_signal_ends_it_and_the_first_does_not() -> None:
    with subprocess.Popen([sys.executable, "-c", HELD], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(0.3)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(10) == -signal.SIGTERM
        finally:
            process.kill()


def test_the_handler_is_called_for_the_first() -> None:
    done = subprocess.run([sys.executable, "-c", FREE], stdout=subprocess.PIPE, check=False)
    assert (done.stdout, done.returncode) == (b"handled\n", -signal.SIGUSR1)
