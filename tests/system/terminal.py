"""A real program in a terminal of its own, whose screen a test reads."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

import pyte

from tests.support import PATIENCE, wait_until

KEYS = {"enter": "\r", "escape": "\x1b", "up": "\x1b[A", "down": "\x1b[B", "tab": "\t"}


class Terminal:
    """``with Terminal(command, directory) as terminal:``. A thread reads what the program writes."""

    def __init__(self, command: Sequence[str], directory: Path, columns: int = 170, lines: int = 45) -> None:
        self._command = list(command)
        self._directory = directory
        self._size = lines, columns
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._descriptor = -1
        self._reader = threading.Thread(target=self._read, name="terminal")

    def __enter__(self) -> Terminal:
        self._descriptor, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", *self._size, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "HOME": str(self._directory), "LANG": "C.UTF-8"}
        environment.pop("XDG_STATE_HOME", None)
        self._process = subprocess.Popen(
            self._command,
            cwd=self._directory,
            env=environment,
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
        )
        os.close(inner)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._reader.join()
        os.close(self._descriptor)

    def _read(self) -> None:
        assert self._process is not None
        while True:
            ready = select.select([self._descriptor], [], [], 0.1)[0]
            try:
                content = os.read(self._descriptor, 65536) if ready else b""
            except OSError:  # the program has ended
                return
            with self._lock:
                self._stream.feed(content)
            if not ready and self._process.poll() is not None:
                return

    def lines(self) -> list[str]:
        """What the screen shows."""
        with self._lock:
            return [line.rstrip() for line in self._screen.display]

    def line(self, text: str) -> str:
        """The first that has this in it; empty: none."""
        return next((line for line in self.lines() if text in line), "")

    def press(self, *keys: str) -> None:
        """A key by its name, or any text."""
        for key in keys:
            os.write(self._descriptor, KEYS.get(key, key).encode())

    def interrupt(self) -> None:
        """What Ctrl-C sends; this terminal is not the one that controls the program."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)

    def until(self, condition: Callable[[], object], what: str, timeout: float = 20.0) -> None:
        """Wait for it."""
        try:
            wait_until(condition, timeout, what)
        except BaseException:
            print("\n".join(self.lines()))
            raise

    def shows(self, text: str, timeout: float = 20.0) -> None:
        """Wait until that stands on the screen."""
        self.until(lambda: self.line(text), f"{text!r} on the screen", timeout)

    def hides(self, text: str) -> None:
        """Wait until that no longer stands on the screen."""
        self.until(lambda: not self.line(text), f"{text!r} to go from the screen")

    def ended(self) -> int:
        """Wait for its end; the exit code."""
        assert self._process is not None
        return self._process.wait(20 * PATIENCE)
