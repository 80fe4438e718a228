"""One run of a command: a process group of its own, whose time and output have limits."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Literal

from hub.consumers.trigger.output import LastBytes
from hub.interfaces import Clock

LOOK_EVERY = 0.25
"""Longest time in seconds until a run notices that the consumer is to end."""
CHUNK = 64 << 10
MOST_LEFT = 1 << 20
"""Bytes read after the end. A pipe holds no more, but somebody who left the process group may write on."""

Cut = Literal["longest", "stopping"]


@dataclass(frozen=True)
class Order:
    """What to run.

    :ivar program: an absolute path. :ivar arguments: all of them, the first is the program's name for itself.
    :ivar given: what it reads on its standard input.
    :ivar longest: seconds that it may run. :ivar grace: seconds between SIGTERM and SIGKILL.
    :ivar stop_after: seconds that it may go on when the consumer is to end.
    """

    program: str
    arguments: Sequence[str]
    environment: Mapping[bytes, bytes]
    directory: Path
    given: bytes
    longest: float
    grace: float
    stop_after: float


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    :ivar status: the exit status; negative: the signal that ended it. :ivar cut: why we ended it; ``None``: we did not.
    :ivar stdout: its last bytes, and so ``stderr``.
    """

    status: int
    cut: Cut | None
    stdout: bytes
    stderr: bytes


def run(order: Order, stopping: threading.Event, monotonic: Clock) -> Ended:
    """Run a command to its end. Nothing of its process group is left then.

    :param stopping: set when the consumer is to end. :raises OSError: the command could not be begun.
    """
    process = subprocess.Popen(  # noqa: S603 - the operator's own words, and nothing of a message
        list(order.arguments),
        executable=order.program,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=order.directory,
        env=order.environment,
        bufsize=0,
        close_fds=True,
        start_new_session=True,
    )
    with _Run(process, order, monotonic) as running:
        return running.to_the_end(stopping)


class _Run:
    """A process that has begun. It is ended, with its group, whatever happens."""

    def __init__(self, process: subprocess.Popen[bytes], order: Order, monotonic: Clock) -> None:
        self._process = process
        self._order = order
        self._monotonic = monotonic
        self._rest = memoryview(order.given)
        self._output = LastBytes(), LastBytes()
        self._has_ended = False
        self._cut: Cut | None = None
        now = monotonic()
        self._term_at, self._kill_at = now + order.longest, float("inf")
        self._stop_at = float("inf")
        self._selector = selectors.PollSelector()
        self._closing = ExitStack()

    def __enter__(self) -> _Run:
        for pipe in self._pipes:
            self._closing.callback(pipe.close)
            os.set_blocking(pipe.fileno(), False)
        return self

    def __exit__(self, *_: object) -> None:
        # Not reaped before its group is ended: until then nobody else is given its number.
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._closing.close()
        self._selector.close()

    @property
    def _pipes(self) -> tuple[IO[bytes], IO[bytes], IO[bytes]]:
        stdin, stdout, stderr = self._process.stdin, self._process.stdout, self._process.stderr
        assert stdin is not None
        assert stdout is not None
        assert stderr is not None
        return stdin, stdout, stderr

    def to_the_end(self, stopping: threading.Event) -> Ended:
        """Feed it, read from it, and end it when it is time."""
        stdin, stdout, stderr = self._pipes
        handle = os.pidfd_open(self._process.pid)
        self._closing.callback(os.close, handle)
        self._selector.register(handle, selectors.EVENT_READ, self._note_end)
        self._selector.register(stdin, selectors.EVENT_WRITE, self._write)
        for pipe, output in zip((stdout, stderr), self._output, strict=True):
            self._selector.register(pipe, selectors.EVENT_READ, partial(self._read, pipe, output))
        while not self._has_ended:
            left = self._end_in_time(stopping.is_set())
            for key, _ in self._selector.select(max(0.0, min(left, LOOK_EVERY))):
                key.data()
        self._signal(signal.SIGKILL)
        self._read_rest()
        return Ended(self._process.wait(), self._cut, *(output.value() for output in self._output))

    def _end_in_time(self, stopping: bool) -> float:
        """Send the signals that are due. :returns: seconds until the next one."""
        now = self._monotonic()
        if stopping and self._stop_at == float("inf"):
            self._stop_at = now + self._order.stop_after
        if self._cut is None and now >= min(self._term_at, self._stop_at):
            self._cut = "longest" if self._term_at <= self._stop_at else "stopping"
            self._kill_at = now + self._order.grace
            self._signal(signal.SIGTERM)
        if now >= self._kill_at:
            self._kill_at = float("inf")
            self._signal(signal.SIGKILL)
        due = min(self._term_at, self._stop_at) if self._cut is None else self._kill_at
        return due - now

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):  # PermissionError: it runs as somebody else now
                os.killpg(self._process.pid, number)

    def _note_end(self) -> None:
        self._has_ended = True

    def _write(self) -> None:
        stdin = self._pipes[0]
        try:
            written = os.write(stdin.fileno(), self._rest[:CHUNK])
        except BlockingIOError:
            return
        except OSError:  # it does not read its input, which is no fault
            written = len(self._rest)
        self._rest = self._rest[written:]
        if not self._rest:
            self._selector.unregister(stdin)
            stdin.close()

    def _read(self, pipe: IO[bytes], output: LastBytes) -> int:
        """Read once. :returns: the number of bytes; 0: there are no more now, or at all."""
        try:
            chunk = os.read(pipe.fileno(), CHUNK)
        except BlockingIOError:
            return 0
        output.add(chunk)
        if not chunk:
            self._selector.unregister(pipe)
            pipe.close()
        return len(chunk)

    def _read_rest(self) -> None:
        for pipe, output in zip(self._pipes[1:], self._output, strict=True):
            left = MOST_LEFT
            while left > 0 and not pipe.closed and (count := self._read(pipe, output)):
                left -= count
