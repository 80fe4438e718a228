"""A STOMP client that writes frames on a raw socket, and reads what comes."""

from __future__ import annotations

import select
import socket
import time
from pathlib import Path
from types import TracebackType

from hub.backends.stomp.frame import Frame, Version, encode
from hub.backends.stomp.limits import Limits
from hub.backends.stomp.parser import Parser
from tests.support import PATIENCE


class StompSocket:
    """``with StompSocket(port) as client:``. :param port: on loopback, or the path of a Unix socket."""

    def __init__(self, port: int | Path, version: str = "1.2", connect: bool = True, /, **headers: str) -> None:
        if isinstance(port, Path):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(str(port))
        else:
            self.socket = socket.create_connection(("127.0.0.1", port))
        self.over = False
        self._version = Version(version)
        self._parser = Parser(Limits())
        self._parser.logged_in()
        self._parser.version = self._version
        self._frames: list[Frame] = []
        if connect:
            self.send("CONNECT", accept_version=version, **headers)
            answer = self.wait()
            assert answer.command == "CONNECTED", answer

    def __enter__(self) -> StompSocket:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, command: str, body: bytes = b"", /, **headers: str) -> None:
        """Send one frame. Names of headers have '_' for '-', and '__' for '.'."""
        self.socket.sendall(self.encoded(command, body, **headers))

    def encoded(self, command: str, body: bytes = b"", /, **headers: str) -> bytes:
        named = {name.replace("__", ".").replace("_", "-"): text for name, text in headers.items()}
        return encode(command, named, body, self._version)

    def read(self, seconds: float = 0.0) -> bool:
        """Read what is there, or comes within so many seconds. Returns whether there was anything."""
        if self.over or not self._readable(seconds):
            return False
        try:
            data = self.socket.recv(1 << 20)
        except ConnectionError:
            data = b""
        self.over = not data
        self._frames += self._parser.feed(data)
        return True

    def _readable(self, seconds: float) -> bool:
        """Wait for something to read. ``select.select`` takes no descriptor above 1023."""
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def wait(self, command: str | None = None, timeout: float = 20.0) -> Frame:
        """The next frame, or the next one with that command; those before it stay. See ``PATIENCE``."""
        timeout *= PATIENCE
        deadline = time.monotonic() + timeout
        while True:
            found = next((frame for frame in self._frames if command in (None, frame.command)), None)
            if found is not None:
                self._frames = [frame for frame in self._frames if frame is not found]
                return found
            left = deadline - time.monotonic()
            assert left > 0, f"waited {timeout:g} s in vain for {command or 'a frame'}"
            assert not self.over, "the server has closed the connection"
            self.read(left)

    def messages(self, count: int) -> list[Frame]:
        return [self.wait("MESSAGE") for _ in range(count)]

    def rest(self, seconds: float = 0.3) -> list[Frame]:
        """What comes within so many seconds, to see that something does not."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and not self.over:
            self.read(left)
        frames, self._frames = self._frames, []
        return frames

    def receipt(self, command: str, body: bytes = b"", /, **headers: str) -> None:
        """Send a frame and wait for its RECEIPT."""
        self.send(command, body, receipt="r", **headers)
        assert self.wait("RECEIPT").headers["receipt-id"] == "r"

    def closed(self, timeout: float = 20.0) -> bool:
        """True if the server closes within that time. See ``PATIENCE``."""
        deadline = time.monotonic() + timeout * PATIENCE
        while not self.over and (left := deadline - time.monotonic()) > 0:
            self.read(left)
        return self.over
