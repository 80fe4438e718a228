"""The client of a hub's control socket.

Answers are read by the standard library's JSON: a command asks once or twice, and the hub's faster one takes longer to
load.
"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from hub.errors import OrderRefused, Unavailable


def _encoded(content: object) -> bytes:
    # Imported here: most commands only ask. An order's parts may be ``msgspec.Raw``, and bodies keep their form.
    import msgspec

    return msgspec.json.encode(content)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float | None) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Client:
    """A blocking client. :param timeout: seconds for each answer, except for ``lines``."""

    def __init__(self, path: Path, timeout: float = 60.0) -> None:
        self._path = path
        self._timeout = timeout

    def get(self, path: str) -> Any:
        """Send a GET request. :raises Unavailable: no hub answers. :raises OrderRefused: it refuses the order."""
        return self._ask("GET", path, None)

    def post(self, path: str, content: object = None, wait: float = 0.0) -> Any:
        """Send a POST request. Raises as ``get``. :param wait: further seconds that the answer may take."""
        return self._ask("POST", path, _encoded(content), wait)

    def lines(self, path: str, **query: str) -> Iterator[Any]:
        """Yield the JSON objects of an endless answer, until the hub hangs up or reports why it ends. Raises as
        ``get``."""
        yield from self._lines("GET", f"{path}?{urlencode(query)}", None)

    def post_lines(self, path: str, content: object) -> Iterator[Any]:
        """Send a POST request, and yield the lines of its answer as ``lines`` does."""
        yield from self._lines("POST", path, _encoded(content))

    def _lines(self, method: str, path: str, body: bytes | None) -> Iterator[Any]:
        connection = _UnixConnection(self._path, None)
        response = self._response(connection, method, path, body)
        try:
            if response.status >= 400:
                self._decoded(response)
            for line in response:
                if not line.endswith(b"\n"):
                    return  # the hub was killed in the midst of it
                content = json.loads(line.decode())
                if content.get("problems"):
                    raise OrderRefused("\n".join(content["problems"]))
                yield content
        except (OSError, http.client.HTTPException):
            return
        finally:
            connection.close()

    def _ask(self, method: str, path: str, body: bytes | None, wait: float = 0.0) -> Any:
        connection = _UnixConnection(self._path, self._timeout + wait)
        try:
            return self._decoded(self._response(connection, method, path, body))
        finally:
            connection.close()

    def _decoded(self, response: http.client.HTTPResponse) -> Any:
        try:
            answer = json.loads(response.read().decode())
        except (OSError, http.client.HTTPException) as error:
            raise self._no_answer(error) from error
        except (ValueError, RecursionError) as error:
            raise Unavailable(
                f"the program that answers at {self._path} is not a hub: HTTP {response.status}"
            ) from error
        if response.status >= 400:
            raise OrderRefused("\n".join(answer.get("problems", [f"HTTP {response.status}"])))
        return answer

    def _response(
        self, connection: _UnixConnection, method: str, path: str, body: bytes | None
    ) -> http.client.HTTPResponse:
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            return connection.getresponse()
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise Unavailable(f"no hub is running: nothing listens at {self._path}") from error
        except PermissionError as error:
            raise Unavailable(f"no permission to use the control socket {self._path}") from error
        except (OSError, UnicodeError, http.client.HTTPException) as error:
            raise self._no_answer(error) from error

    def _no_answer(self, error: Exception) -> Unavailable:
        return Unavailable(f"the hub at {self._path} did not answer: {error or type(error).__name__}")
