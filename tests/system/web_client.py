"""A program that talks to a hub's web server over TCP or a Unix socket."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.support import PATIENCE


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=20 * PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20 * PATIENCE)
        self.sock.connect(str(self._path))


class Reply:
    """What was answered."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.code = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    def json(self) -> Any:
        return json.loads(self.body)


class WebClient:
    """:param place: a port on loopback, or a socket's path."""

    def __init__(self, place: int | Path) -> None:
        self._place = place

    @property
    def port(self) -> int:
        """Where it is one."""
        assert isinstance(self._place, int)
        return self._place

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        """One request. ``_`` stands for ``-`` in the headers' names."""
        connection = self._connection()
        try:
            connection.putrequest(method, path, skip_host="Host" in headers)
            content = b"" if body is None else json.dumps(body).encode()
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders(content)
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def events(self, count: int, **headers: str) -> Iterator[dict[str, Any]]:
        """The first snapshots that come."""
        connection = self._connection()
        try:
            connection.request("GET", "/events", headers=headers)
            lines = iter(connection.getresponse().readline, b"")
            for line in lines:
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])
                    count -= 1
                if not count:
                    return
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if isinstance(self._place, Path):
            return _UnixConnection(self._place)
        return http.client.HTTPConnection("127.0.0.1", self._place, timeout=20 * PATIENCE)


def bearer(token: str) -> Mapping[str, str]:
    """The header that shows the token."""
    return {"Authorization": f"Bearer {token}"}
