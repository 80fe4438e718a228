"""Output of a connection: bounded in bytes and in time for clients that do not read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from hub.units import format_size

SLOWEST = 16 << 10
"""Bytes a second that a client must read at least, on average, after its time of grace."""


@implementer(IPushProducer)
class Output:
    """Output to one client. Twisted calls it as the producer of its transport.

    It is blocked from when the transport holds more than its buffer size (64 KiB) until the client has read all.

    :param limit: bytes that may be written while it is blocked: answers to what the client sends without reading.
    :param grace: seconds for which it may be blocked; large frames have more.
    :param blocked: called when it becomes blocked, perhaps within :meth:`write`. :param writable: called after that.
    :param stuck: called once, with the reason, when the client is to be dropped.
    """

    def __init__(
        self,
        clock: Any,
        transport: Any,
        limit: int,
        grace: float,
        blocked: Callable[[], None],
        writable: Callable[[], None],
        stuck: Callable[[str], None],
    ) -> None:
        self._clock = clock
        self._transport = transport
        self._limit = limit
        self._grace = grace
        self._tell_blocked = blocked
        self._tell_writable = writable
        self._tell_stuck = stuck
        self._blocked = self._closed = False
        self._size = 0
        """Bytes of the last write that did not find it blocked."""
        self._more = 0
        """Bytes that were written since it is blocked."""
        self._since = 0.0
        self._timer: Any = None
        transport.registerProducer(self, True)

    @property
    def unread(self) -> int:
        """Bytes that the client has not read, approximately; zero unless it is blocked."""
        return self._size + self._more if self._blocked else 0

    def write(self, data: bytes) -> None:
        """Write to the client; nothing after the end."""
        if self._closed:
            return
        if not self._blocked:
            self._size = len(data)
        else:
            self._more += len(data)
            if self._more > self._limit:
                self._stuck()
                return
        self._transport.write(data)

    def close(self) -> None:
        """End. What was written is still sent."""
        self.end()
        if self._transport is not None:
            self._transport.unregisterProducer()

    def end(self) -> None:
        """Write no more, and call nobody: who made it is forgotten."""
        self._closed = True
        self._cancel()
        self._tell_blocked = self._tell_writable = self._tell_stuck = _nobody

    def lost(self) -> None:
        """End: the transport is gone, and with it what the client has not read."""
        self.end()
        self._transport = None

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The transport is full."""
        if not self._blocked and not self._closed:
            self._blocked, self._more, self._since = True, 0, self._clock.seconds()
            self._wait()
            self._tell_blocked()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The transport is empty."""
        if self._blocked and not self._closed:
            self._blocked = False
            self._cancel()
            self._tell_writable()

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The transport is gone, which its protocol is told, too."""

    def _wait(self) -> None:
        """Wait for as long as a slow client may take."""
        end = self._since + self._grace + self.unread / SLOWEST
        self._timer = self._clock.callLater(max(0.0, end - self._clock.seconds()), self._late, self.unread)

    def _late(self, waited_for: int) -> None:
        self._timer = None
        if self.unread > waited_for:
            self._wait()
        else:
            self._stuck()

    def _stuck(self) -> None:
        tell, seconds = self._tell_stuck, self._clock.seconds() - self._since
        self.end()
        tell(f"it has not read {format_size(self.unread)} for {seconds:.0f} s")

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _nobody(*_: str) -> None:
    """Nobody is called."""
