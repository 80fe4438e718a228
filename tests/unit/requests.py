"""Plain HTTP over a Unix socket, for tests that want to see the answer's code."""

from __future__ import annotations

import socket
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path


def ask(path: Path, method: str, target: str, body: bytes = b"") -> HTTPResponse:
    """One request, on a connection of its own."""
    connection = HTTPConnection("localhost", timeout=10)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(10)
    connection.sock.connect(str(path))
    connection.request(method, target, body, {"Connection": "close"})
    return connection.getresponse()
