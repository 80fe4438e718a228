"""What many tests share: free ports, bounded waiting, and what to do when a server is missing."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STRICT = os.environ.get("CI") == "true" or os.environ.get("HUBBUB_REQUIRE_ALL") == "1"
"""Whether a missing server is a failure and not a skip."""


def require(present: bool, reason: str) -> None:
    """Skip the test where something is missing on a user's machine; fail it where everything has to be there."""
    if present:
        return
    if STRICT:
        pytest.fail(f"missing here, where every test has to run: {reason}")
    pytest.skip(reason)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port on loopback that was free a moment ago."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], object], timeout: float = 20.0, what: str = "the condition") -> None:
    """Poll until it is true; fail after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {timeout:g} s in vain for {what}")
        time.sleep(0.01)


def bus_messages() -> list[bytes]:
    """Recorded messages of a real bus, a JSON object each, if they are at hand: see HUBBUB_MESSAGES."""
    default = ROOT.parent / "shared" / "data" / "fedmsg-messages.jsonl"
    path = Path(os.environ.get("HUBBUB_MESSAGES", default))
    require(path.exists(), f"no recorded messages at {path} (set HUBBUB_MESSAGES)")
    return path.read_bytes().splitlines()
