"""One connection to a broker: pika's, with a bound on how long its end may take. Needs the extra ``amqp``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.python.failure import Failure

from hub.backends.amqp.broker_text import reason_of
from hub.backends.amqp.login import Login
from hub.backends.failover import Failover
from hub.text import printable

GOODBYE_TIMEOUT = 1.0
"""Seconds to wait for the broker's goodbye, or until it has read what was sent."""
CHUNK = 4096
"""Bytes that pika is given at once: it copies what is left of them after each frame."""


class Transport:
    """The transport that pika writes to. Where pika wants to end the connection, that takes a bounded time: Twisted
    waits for a peer to read what was sent, and one that is away never does."""

    def __init__(self, transport: Any, lose: Callable[[], None]) -> None:
        self.write = transport.write
        self.loseConnection = lose


class Connection(TwistedProtocol):
    """Connection to a broker.

    :param user: told of its life, and of what subscriptions have put into :attr:`arrived` with each piece of input.
    :ivar server: the broker's name for itself. :ivar blocked: why the broker takes no messages now; empty: it does.
    :ivar arrived: messages, which channels' consumers append.
    """

    transport: Any

    def __init__(self, login: Login, user: Failover[Connection], reactor: Any) -> None:
        self.server = self.blocked = ""
        self.arrived: list[Any] = []
        self._login = login
        self._user = user
        self._reactor = reactor
        self._holder: Any = None
        self._pika: Any = None
        self._open = self._ended = False
        self._reason = ""
        self._closed: list[Deferred[None]] = []
        self._timer: Any = None

    def connectionMade(self) -> None:  # noqa: N802
        """Log in."""
        from pika import spec
        from pika.adapters.twisted_connection import TwistedProtocolConnection

        self.transport.setTcpNoDelay(True)
        self.transport.setTcpKeepAlive(True)
        self._holder = TwistedProtocolConnection(self._login.parameters(), custom_reactor=self._reactor)
        self._holder.ready.addErrback(lambda failure: None)  # told below, with the reason
        # pika's Twisted channels make a Deferred of each message, so its plain ones are used.
        self._pika = self._holder._impl
        self._pika.add_on_open_callback(self._opened)
        self._pika.add_on_open_error_callback(self._ends, remove_default=False)
        self._pika.add_on_close_callback(self._ends)
        # What pika tells at the end is that the connection was closed, and not the broker's reason.
        self._pika.callbacks.add(0, spec.Connection.Close, self._closed_by_broker)
        self._pika.add_on_connection_blocked_callback(self._is_blocked)
        self._pika.add_on_connection_unblocked_callback(self._is_unblocked)
        self._holder.makeConnection(Transport(self.transport, self._lose))

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        """Have pika parse the bytes, and pass on all messages in them together."""
        if self._ended:
            return
        try:
            for start in range(0, len(data), CHUNK):
                self._holder.dataReceived(data[start : start + CHUNK])
        except Exception as error:  # noqa: BLE001  pika's are of many kinds, struct.error among them
            self.fail(f"the broker broke the protocol: {printable(repr(error))[:300]}")
        arrived, self.arrived = self.arrived, []
        if arrived:
            self._user.received(arrived)

    @property
    def is_open(self) -> bool:
        """True if channels can be opened."""
        return self._open and not self._ended and bool(self._pika.is_open)

    @property
    def frame_max(self) -> int:
        """Bytes of a frame at most, as both sides have agreed."""
        return int(self._pika.params.frame_max)

    def channel(self, opened: Callable[[Any], None]) -> None:
        """Open a channel. :param opened: called with it, one of pika's."""
        self._pika.channel(on_open_callback=opened)

    # -- what pika tells

    def _opened(self, pika: Any) -> None:
        properties = pika.server_properties or {}
        self.server = printable(f"{properties.get('product', '')} {properties.get('version', '')}".strip()[:100])
        self._open = True
        self._user.opened(self)

    def _is_blocked(self, pika: Any, frame: Any) -> None:
        self.blocked = printable(str(frame.method.reason)[:100]) or "blocked"

    def _is_unblocked(self, pika: Any, frame: Any) -> None:
        self.blocked = ""

    def _closed_by_broker(self, frame: Any) -> None:
        self._reason = self._reason or reason_of(frame.method)

    def _ends(self, pika: Any, error: BaseException) -> None:
        self._reason = self._reason or reason_of(error)

    # -- the end

    def _lose(self) -> None:
        """End the connection for pika. Its Twisted adapter forgets why, so it is asked here."""
        from pika.exceptions import AMQPHeartbeatTimeout

        error = getattr(self._pika, "_error", None)
        if isinstance(error, AMQPHeartbeatTimeout):
            self.fail(f"it sent nothing for {self._login.silence:g} s, no heart-beat either")
            return
        self._reason = self._reason or (reason_of(error) if error is not None else "")
        self.transport.loseConnection()
        self._abort_later()

    def _abort_later(self) -> None:
        if self._timer is None:
            self._timer = self._reactor.callLater(GOODBYE_TIMEOUT, self._abort)

    def _abort(self) -> None:
        self._timer = None
        self.transport.abortConnection()

    def fail(self, reason: str) -> None:
        """End the connection at once."""
        if not self._ended:
            self._ended = True
            self._reason = self._reason or reason
            self.transport.abortConnection()

    def close(self) -> Deferred[None]:
        """Say goodbye, then end the connection. :returns: fires when it has ended."""
        closed: Deferred[None] = Deferred()
        self._closed.append(closed)
        if not self._open or self._ended:
            self.fail("the hub stops")
        elif not (self._pika.is_closing or self._pika.is_closed):
            self._reason = "the hub stops"
            self._abort_later()
            self._pika.close(200, "the hub stops")
        return closed

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]  # noqa: N802
        """Tell the user."""
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lost = printable(reason.getErrorMessage())[:300]
        if self._holder is not None:
            self._holder.connectionLost(reason)
        self._user.lost(self._reason or f"the connection was closed: {lost}", None)
        for closed in self._closed:
            closed.callback(None)
        self._closed.clear()
