"""What many tests share: free ports, bounded waiting, and what to do when a server is missing."""

from __future__ import annotations

import itertools
import os
import random
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STRICT = os.environ.get("CI") == "true" or os.environ.get("HUBBUB_REQUIRE_ALL") == "1"
"""True if a missing server is a failure and not a skip."""
PATIENCE = 3 if STRICT else 1
"""How many times its limit a test waits, where several runs share one machine. What never comes still fails."""
NEEDS_ROOT = "which only root may do"
"""How the reason ends for which an ordinary user's run skips a test, also where every test has to run."""
_PORTS = range(20000, 32768)
"""Below those which Linux gives to outgoing connections, and to whoever asks for any."""
_first = random.randrange(len(_PORTS))  # so that two runs on one machine rarely meet
_ports: Iterator[int] = itertools.cycle([*_PORTS[_first:], *_PORTS[:_first]])


def require(present: bool, reason: str) -> None:
    """Skip the test where something is missing on a user's machine; fail it where everything has to be there."""
    if present:
        return
    if STRICT:
        pytest.fail(f"missing here, where every test has to run: {reason}")
    pytest.skip(reason)


def require_root(what: str) -> None:
    """Skip the test where an ordinary user runs it. :param what: it does, such as ``boots a systemd``."""
    if os.geteuid() != 0:
        pytest.skip(f"{what}, {NEEDS_ROOT}")


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port on loopback that nobody has, and that no other test of this run is given.

    Asking the system for any gives the same one twice, now and then, while the first who asked does not listen yet.
    """
    for port in itertools.islice(_ports, len(_PORTS)):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    pytest.fail("no port is free")


What = str | Callable[[], str]
"""What is waited for, for the text of a failure. A function is asked at the end: it tells the numbers of then."""


def wait_until(condition: Callable[[], object], timeout: float = 20.0, what: What = "the condition") -> None:
    """Poll until it is true; fail after ``timeout`` seconds, see ``PATIENCE``."""
    timeout *= PATIENCE
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {timeout:g} s in vain for {what if isinstance(what, str) else what()}")
        time.sleep(0.01)


def bus_messages() -> list[bytes]:
    """Recorded messages of a real bus, a JSON object each, if they are at hand: see HUBBUB_MESSAGES."""
    default = ROOT.parent / "shared" / "data" / "fedmsg-messages.jsonl"
    path = Path(os.environ.get("HUBBUB_MESSAGES", default))
    require(path.exists(), f"no recorded messages at {path} (set HUBBUB_MESSAGES)")
    return path.read_bytes().splitlines()
