"""Failover: keeps a connection to one broker of a list, and connects again, with backoff, when it ends."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.error import ConnectingCancelledError
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from hub.backends.broker_address import Address
from hub.backends.broker_settings import BrokerSettings
from hub.backends.client_tls import ClientTLS
from hub.backoff import Uniform, delay_after
from hub.text import printable

STABLE = 10.0
"""Seconds after which a connection counts as good. One that ends earlier counts as a failed attempt, so that a broker
that accepts a connection and ends it at once is not asked again without pauses."""


class BrokerConnection(Protocol):
    """Connection to a broker, a protocol of Twisted.

    It calls the failover's ``opened`` once it is logged in, then ``received`` with what comes, and ``lost`` once, when
    it has ended. :ivar server: the broker's name for itself; empty: unknown.
    """

    transport: Any
    server: str

    def fail(self, reason: str) -> None:
        """End the connection at once."""

    def close(self) -> Deferred[None]:
        """Say goodbye, then end the connection. :returns: fires when it has ended."""


C = TypeVar("C", bound=BrokerConnection)
U = TypeVar("U", bound=BrokerConnection, contravariant=True)


class BrokerUser(Protocol[U]):
    """User of a connection to a broker, told in the reactor's thread."""

    def opened(self, connection: U) -> None:
        """The broker has accepted the login."""

    def received(self, batch: list[Any]) -> None:
        """Take what arrived together."""

    def lost(self, reason: str, error: Any) -> None:
        """The connection has ended, or was never opened. :param error: the broker's own words, if it gave any."""


class Failover(Generic[C]):
    """One connection to a list of brokers. Belongs to the reactor's thread.

    The brokers are tried in order, from the first at the start, and from the next one when a connection ends. After a
    round in vain there is a pause: exponential backoff with full jitter, see :mod:`hub.backoff`.

    :param make: makes the connection of an attempt, which reports to the failover that is given.
    :param user: uses the connection; it calls :meth:`established` once it can work.
    :ivar connection: the current one, once it is logged in. :ivar address: that of the last attempt.
    :ivar disconnects: connections that ended. :ivar failures: attempts that failed.
    """

    def __init__(
        self,
        config: BrokerSettings,
        make: Callable[[Failover[C]], C],
        tls: ClientTLS | None,
        user: BrokerUser[C],
        reactor: Any,
        log: logging.LoggerAdapter[logging.Logger],
        uniform: Uniform,
    ) -> None:
        self.connection: C | None = None
        self._addresses = config.addresses
        self.address: Address = self._addresses[0]
        self.disconnects = self.failures = 0
        self._config = config
        self._make = make
        self._tls = tls
        self._user = user
        self._reactor = reactor
        self._log = log
        self._uniform = uniform
        self._tried = 0
        self._rounds = 0
        self._since: float | None = None
        self._reasons: dict[Address, str] = {}
        """Of each broker that was tried since the last good connection: the last failure."""
        self._running = False
        self._attempt: Deferred[Any] | None = None
        self._protocol: C | None = None
        self._timer: Any = None

    @property
    def usable(self) -> bool:
        """True if the user has said that the connection works."""
        return self._since is not None

    def tried(self) -> list[tuple[Address, str]]:
        """The brokers that were tried since the last good connection, each with its last failure; and the current one,
        without a failure if it had none."""
        reasons = {self.address: "", **self._reasons}
        return [(address, reasons[address]) for address in dict.fromkeys(self._addresses) if address in reasons]

    @property
    def error(self) -> str:
        """The failure of each broker that was tried; empty: there is a connection."""
        if self.usable:
            return ""
        failed = [f"{address}: {reason}" for address, reason in self.tried() if reason]
        return "; ".join(failed) or f"{self.address}: not connected yet"

    def start(self) -> None:
        """Connect to the first broker."""
        self._running = True
        self._try()

    def stop(self) -> Deferred[None]:
        """Say goodbye to the broker, and connect no more. :returns: fires when the connection has ended."""
        self._running = False
        self._cancel_timer()
        if self._attempt is not None:
            self._attempt.cancel()
        return self._protocol.close() if self._protocol is not None else succeed(None)

    def established(self) -> None:
        """The connection works: the subscriptions are confirmed."""
        assert self.connection is not None
        self._since = self._reactor.seconds()
        self._reasons.clear()
        server = f" ({self.connection.server})" if self.connection.server else ""
        self._log.info("connected to %s%s", self.address, server, extra={"action": "connect"})

    def descriptor(self) -> int | None:
        """The file descriptor of the connection."""
        return None if self._protocol is None else int(self._protocol.transport.fileno())

    # -- attempts

    def _try(self) -> None:
        self._timer = None
        self.address = self._addresses[self._tried % len(self._addresses)]
        self._tried += 1
        made: Any = self._make(self)
        self._timer = self._reactor.callLater(self._config.connect_timeout, self._too_late)
        factory: Any = Factory.forProtocol(lambda: made)
        if self.address.tls and self._tls is not None:
            factory = self._tls.wrap(factory, self.address.host, self._reactor)
        self._attempt = self._endpoint(self.address).connect(factory)
        self._attempt.addCallbacks(lambda _: self._connected(made), self._refused)

    def _endpoint(self, address: Address) -> Any:
        # Importing it deletes systemd's variables from the environment: not before the hub has read them.
        from twisted.internet import endpoints

        kinds = (endpoints.TCP4ClientEndpoint, isIPAddress), (endpoints.TCP6ClientEndpoint, isIPv6Address)
        # The resolver has a thread for each question, also for addresses.
        kind = next((kind for kind, fits in kinds if fits(address.host)), endpoints.HostnameEndpoint)
        return kind(self._reactor, address.host, address.port, timeout=self._config.connect_timeout)

    def _connected(self, protocol: C) -> None:
        self._attempt = None
        self._protocol = protocol

    def _refused(self, failure: Failure) -> None:
        self._attempt = None
        late = failure.check(CancelledError, ConnectingCancelledError) is not None
        self._failed("it does not answer" if late else printable(failure.getErrorMessage())[:300])

    def _too_late(self) -> None:
        self._timer = None
        if self._attempt is not None:
            self._attempt.cancel()
        elif self._protocol is not None:
            self._protocol.fail(f"no login within {self._config.connect_timeout:g} s")

    # -- the current connection; see :class:`BrokerUser`

    def opened(self, connection: C) -> None:
        """Pass it on."""
        self._cancel_timer()
        self._protocol = self.connection = connection
        self._user.opened(connection)

    def received(self, batch: list[Any]) -> None:
        """Pass them on."""
        self._user.received(batch)

    def lost(self, reason: str, error: Any) -> None:
        """Pass it on, and connect again."""
        opened, self.connection, self._protocol = self.connection is not None, None, None
        lasted = 0.0 if self._since is None else self._reactor.seconds() - self._since
        self._since = None
        if opened:
            self.disconnects += 1
        if lasted >= STABLE:
            self._rounds = 0
        self._failed(reason, was_good=lasted >= STABLE)
        self._user.lost(reason, error)

    def _failed(self, reason: str, was_good: bool = False) -> None:
        self._cancel_timer()
        if self._tls is not None and self.address.tls:
            reason = self._tls.explained(reason)
        known, self._reasons[self.address] = self._reasons.get(self.address), reason
        if not self._running:
            return
        self.failures += not was_good
        if was_good or self._tried % len(self._addresses) == 0:
            self._rounds += 1
            longest = self._config.reconnect_interval_max
            delay = delay_after(self._rounds, self._uniform, longest=longest)
        else:
            delay = 0.0
        if known != reason:
            self._log.warning("no connection to %s: %s; trying on", self.address, reason, extra={"action": "connect"})
        self._timer = self._reactor.callLater(delay, self._try)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
