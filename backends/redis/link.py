"""A thread that keeps a connection to the server, and connects again, with backoff, when it ends."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred, succeed

from hub.backends.redis.line import ErrorReply, Line, Lost
from hub.backends.redis.replies import refusal_text
from hub.backends.redis.servers import Servers
from hub.backoff import Uniform, delay_after

STABLE = 10.0
"""Seconds after which a connection counts as good. One that ends earlier counts as a failed attempt."""
GRACE = 2.0
"""Seconds for a thread to end by itself at a stop; then its connection is ended under it."""

Start = Callable[[Callable[[], None], str], None]
"""Starts a thread that runs the function; the text is its name."""


def start_thread(function: Callable[[], None], name: str) -> None:
    """Start a thread that does not hold up the end of the process."""
    threading.Thread(target=function, name=name, daemon=True).start()


class User(Protocol):
    """The user of a connection. The link's thread calls it, but for :meth:`wake`."""

    wait: float
    """Seconds by which an answer may be late, as the command waits for messages."""

    def prepare(self, line: Line) -> None:
        """Make ready to work; the connection counts as usable when it returns."""

    def step(self, line: Line) -> None:
        """Do some work, or wait for some for a second at most. Called again and again."""

    def finish(self, line: Line) -> None:
        """Do what is left to do before the link, which stops, ends the connection."""

    def lost(self, reason: str) -> None:
        """The connection has ended."""

    def wake(self) -> None:
        """End a wait: the link stops. Any thread may call it."""


class Link:
    """Keeps a connection for its user. All but the thread belongs to the reactor's thread.

    :ivar usable: whether the user works on a connection. :ivar disconnects: connections that ended. :ivar failures:
    attempts that failed. :ivar address: of the server, once it is known.
    """

    def __init__(
        self,
        role: str,
        servers: Servers,
        user: User,
        reactor: Any,
        log: logging.LoggerAdapter[logging.Logger],
        uniform: Uniform,
        longest_delay: float,
        start: Start = start_thread,
    ) -> None:
        self.role = role
        self.usable = False
        self.disconnects = self.failures = 0
        self.address = servers.name
        self._servers = servers
        self._user = user
        self._reactor = reactor
        self._log = log
        self._uniform = uniform
        self._longest_delay = longest_delay
        self._start = start
        self._line: Line | None = None
        self._stopping = threading.Event()
        self._rounds = 0
        self._was_usable = False
        self._reason = ""
        self._ended: Deferred[None] | None = None

    @property
    def error(self) -> str:
        """Why there is no connection; empty: there is one."""
        return "" if self.usable else f"{self.address}: {self._reason or 'not connected yet'}"

    @property
    def reason(self) -> str:
        """The last failure since there was a connection."""
        return "" if self.usable else self._reason

    def start(self) -> None:
        """Begin to connect."""
        self._ended = Deferred()
        self._start(self._run, f"hubbub-redis-{self.role}")

    def stop(self) -> Deferred[None]:
        """End the connection. :returns: fires when the thread has ended."""
        if self._ended is None:
            return succeed(None)
        self._stopping.set()
        self._user.wake()
        late = self._reactor.callLater(GRACE, self.abandon)
        return self._ended.addCallback(lambda _: late.cancel() if late.active() else None)

    def abandon(self) -> None:
        """End the connection under the thread; it connects again, unless it stops."""
        line = self._line
        if line is not None:
            line.abandon()

    def descriptor(self) -> int | None:
        """The file descriptor of the connection."""
        line = self._line
        return None if line is None else line.descriptor()

    # -- the thread

    def _run(self) -> None:
        while not self._stopping.is_set():
            began = self._reactor.seconds()
            self._was_usable = False
            reason = self._connected()
            if self._stopping.is_set():
                break
            lasted = self._was_usable and self._reactor.seconds() - began >= STABLE
            self._failed(reason, lasted)
            self._stopping.wait(delay_after(self._rounds, self._uniform, longest=self._longest_delay))
        self._reactor.callFromThread(self._end)

    def _end(self) -> None:
        assert self._ended is not None
        ended, self._ended = self._ended, None
        ended.callback(None)

    def _connected(self) -> str:
        """Work on a connection until it ends. :returns: why it has ended."""
        try:
            self._line = line = self._servers.connect(self._user.wait)
        except (Lost, ErrorReply) as error:
            return _text(error)
        except Exception as error:  # noqa: BLE001 - the thread must not end
            self._log.exception("unexpected error; trying on", extra={"action": "connect"})
            return str(error)
        self.address = str(line.address)
        reason = "it is stopped"
        try:
            self._user.prepare(line)
            self._established()
            while not self._stopping.is_set():
                self._user.step(line)
            self._user.finish(line)
        except (Lost, ErrorReply) as error:
            reason = _text(error)
        except Exception as error:  # noqa: BLE001 - the thread must not end
            self._log.exception("unexpected error; connecting again", extra={"action": "connect"})
            reason = str(error)
        self._line = None
        self._was_usable, self.usable = self.usable, False
        line.close(abort=not self._stopping.is_set())
        self._user.lost(reason)
        return reason

    def _established(self) -> None:
        self.usable = True
        self._reason = ""
        self._log.info("connected to %s (%s)", self.address, self.role, extra={"action": "connect"})

    def _failed(self, reason: str, lasted: bool) -> None:
        self.disconnects += self._was_usable
        self.failures += not lasted
        self._rounds = 1 if lasted else self._rounds + 1
        if reason != self._reason:
            text = "no connection to %s (%s): %s; trying on"
            self._log.warning(text, self.address, self.role, reason, extra={"action": "connect"})
        self._reason = reason


def _text(error: Exception) -> str:
    return refusal_text(error) if isinstance(error, ErrorReply) else str(error)
