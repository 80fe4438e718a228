"""ZeroMQ backend class: owns the sockets, the reader and the monitors, and implements the hub's backend interface."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Literal

import zmq
from twisted.internet.defer import Deferred

from hub.backends.log_throttle import LogThrottle
from hub.backends.zeromq import settings
from hub.backends.zeromq.auth import Authenticator
from hub.backends.zeromq.descriptor import Descriptor
from hub.backends.zeromq.endpoints import Endpoint
from hub.backends.zeromq.fd_check import FOR_A_CONTEXT, FOR_AN_ENDPOINT, need
from hub.backends.zeromq.frames import Parser
from hub.backends.zeromq.key_revocation import KeyRevocation
from hub.backends.zeromq.memory_limit import MemoryLimit
from hub.backends.zeromq.monitored_socket import MonitoredSocket
from hub.backends.zeromq.peers import Tools
from hub.backends.zeromq.prefixes import Prefixes
from hub.backends.zeromq.publish_sockets import PublishSockets
from hub.backends.zeromq.publisher import Publisher
from hub.backends.zeromq.reader import Reader
from hub.backends.zeromq.reconfiguration import added, alter, endpoints, is_alterable, without_endpoints
from hub.backends.zeromq.security import Security
from hub.backends.zeromq.shutdown import LIMIT, Shutdown
from hub.backends.zeromq.socket_fds import socket_fds
from hub.backends.zeromq.sockets import Context
from hub.errors import CannotPublish, Unavailable
from hub.interfaces import BackendContext, Intake
from hub.message import Message
from hub.resident import Resident
from hub.settings import Settings
from hub.status.states import BackendState

AGAIN = 1.0
"""Seconds until binding an address that is in use is retried."""


class ZeroMQ(Tools):
    """ZeroMQ backend that subscribes to publishers and publishes.

    ZeroMQ confirms no message, and a publisher drops what its subscriber does not read. An instance is started once.
    """

    Config: type[Settings] = settings.Config
    confirms: bool = False
    holds_back: bool = False

    def __init__(self, context: BackendContext) -> None:
        self._context = context
        self._config: settings.Config = context.config
        self._state: Literal["running", "stopping", "stopped"] = "stopped"
        self._paused = False
        self._prefixes = Prefixes()
        self._log_throttle = LogThrottle(context.log, context.reactor)
        self._parser = Parser(
            context.name, self._config.format, self._config.max_message_size, self._refuse, self._log_throttle.say
        )
        self._publisher = Publisher(self._config, context.wall)
        self._intake: Intake | None = None
        self._zmq: Context | None = None
        self._reader: Reader | None = None
        self._listening: MonitoredSocket | None = None
        self._outlets: PublishSockets | None = None
        self._auth: Authenticator | None = None
        self._auth_descriptor: Descriptor | None = None
        self._key_revocation: KeyRevocation | None = None
        self._shutdown: Shutdown | None = None
        self._resident = Resident()
        self._memory_limit = MemoryLimit(context.reactor, self._config.held_memory, self._resident, self._drop_held)
        self._drops_until: float | None = None
        self._away: tuple[list[str], list[str]] = ([], [])
        self._unread = 0

    def start(self, intake: Intake) -> None:
        """Bind, connect and subscribe.

        :raises HubError: a key can't be read, an address can't be bound, or there are too few file descriptors.
        """
        security = Security.read(self._config)
        need(FOR_A_CONTEXT + FOR_AN_ENDPOINT * len(endpoints(self._config)))
        self._intake = intake
        self._zmq = zmq.Context()
        try:
            self._open(self._zmq, intake, security)
        except BaseException:
            self._close()
            self._zmq.destroy(linger=0)
            self._zmq = None  # there is nothing to stop
            raise
        self._state = "running"
        self._warn_of_open_doors(self._config.bind + self._config.publish_bind)

    def _open(self, context: Context, intake: Intake, security: Security) -> None:
        config = self._config
        if security.mechanism != "NULL":
            self._auth = Authenticator(context, security, config.curve_allowed_keys_file)
            self._auth_descriptor = Descriptor(
                self._context.reactor, self._auth.socket, self._authenticate, self._context.log
            )
            self._auth_descriptor.start()
            self._key_revocation = KeyRevocation(self._auth, self._cut_off, self._context)
            self._key_revocation.start()

        def line(kind: int) -> MonitoredSocket:
            return MonitoredSocket(context, kind, config, security, self._context, self._log_throttle)

        # Made even if the configuration has no endpoint: a reload may add one.
        self._listening = line(zmq.SUB)
        self._outlets = PublishSockets(lambda: line(zmq.PUB))
        self._reader = Reader(self._listening.socket, self._parser, intake, self._context.wall, config.budget)
        for prefix in self._prefixes.asked:
            self._listening.socket.subscribe(prefix)
        alter(self._listening, self._outlets, without_endpoints(config), config)
        self._listening.start(self._read)

    def reconfigure(self, config: settings.Config) -> bool:
        """Change the endpoints while running; see :mod:`~hub.backends.zeromq.reconfiguration`.

        :returns: whether only endpoints differ. ``False``: nothing was changed, and the backend must be restarted.
        :raises Unavailable: an address can't be bound, or there are too few file descriptors. Nothing was changed.
        """
        old = self._config
        if self._state != "running" or any(self._away) or not is_alterable(old, config):
            return False
        need(FOR_AN_ENDPOINT * len(added(endpoints(old), endpoints(config))))
        assert self._listening is not None
        assert self._outlets is not None
        alter(self._listening, self._outlets, old, config)
        self._config = config
        self._warn_of_open_doors(added(old.bind + old.publish_bind, config.bind + config.publish_bind))
        return True

    def _warn_of_open_doors(self, endpoints: Iterable[str]) -> None:
        for endpoint in endpoints:
            if self._config.curve_secret_key is None and not Endpoint.parse(endpoint).is_private:
                text = "%s can be reached from other machines, unencrypted: bind to loopback, or configure CURVE"
                self._context.log.warning(text, endpoint, extra={"action": "expose"})

    def subscribe(self, patterns: Collection[str]) -> None:
        """Subscribe to these patterns as well."""
        self._ask(*self._prefixes.add(patterns))

    def unsubscribe(self, patterns: Collection[str]) -> None:
        """Unsubscribe from these patterns."""
        self._ask(*self._prefixes.remove(patterns))

    def _ask(self, new: Collection[bytes], gone: Collection[bytes]) -> None:
        if self._listening is not None and self._state == "running" and (new or gone):
            # New before old: a topic that both cover must not be missed in between.
            for prefix in new:
                self._listening.socket.subscribe(prefix)
            for prefix in gone:
                self._listening.socket.unsubscribe(prefix)
            self._listening.wake()
        self._parser.gaps.watch(new, gone)

    def _read(self) -> bool:
        assert self._reader is not None
        assert self._listening is not None
        if self._drops_until is not None:
            return self._drop(self._reader, self._listening, self._drops_until)
        if self._paused:
            return self._reader.attend()
        more = self._reader.drain()
        if not self._reader.surplus:
            self._listening.disconnect_leaving(more=more)
        return more

    def _authenticate(self) -> bool:
        assert self._auth is not None
        again = self._auth.drain()
        if self._auth.problem:
            self._log_throttle.say("refuse", logging.ERROR, f"peers are refused: {self._auth.problem}")
        return again

    def _cut_off(self) -> None:
        """Disconnect all peers that connected to us: ZeroMQ can't disconnect a single one."""
        assert self._listening is not None
        assert self._outlets is not None
        self._listening.rebind()
        self._outlets.rebind()

    def _refuse(self, message: Message, reason: str) -> None:
        assert self._intake is not None
        self._intake.refuse(message, reason)

    def confirm(self, tokens: Sequence[Any]) -> None:
        """Do nothing: ZeroMQ has no confirmations."""

    def publish(self, message: Message) -> None:
        """Send the message to all connected subscribers. ZeroMQ drops it, untold, for one that is slow or away.

        :raises CannotPublish: there is no endpoint to publish on, or the message does not fit the format or is too
            large.
        :raises Unavailable: the backend does not run.
        """
        if self._state != "running":
            raise Unavailable(f"backend {self._context.name!r} does not run")
        if not self._outlets:
            raise CannotPublish(f"backend {self._context.name!r} has neither publish_bind nor publish_connect")
        self._publisher.send(self._outlets, message)

    def check(self, message: Message) -> None:
        """Check that the message could be published; see :class:`hub.interfaces.Checking`.

        :raises CannotPublish: it could not.
        """
        config = self._config
        if not config.publish_bind and not config.publish_connect:
            raise CannotPublish(f"backend {self._context.name!r} has neither publish_bind nor publish_connect")
        self._publisher.check(message)

    def pause(self) -> None:
        """Stop reading. The socket buffers up to ``receive_high_water`` messages or ``held_memory``; then publishers
        drop."""
        if not self._paused:
            self._paused = True
            self._memory_limit.begin()

    def resume(self) -> None:
        """Start reading again."""
        self._paused = False
        self._memory_limit.end()
        self._drops_until = None
        if self._listening is not None and self._state == "running":
            self._come_back(self._listening)
            self._listening.wake()

    def _drop_held(self, growth: int) -> None:
        if self._listening is None or self._state != "running":
            return
        text = "%d MiB arrived while intake was held back: waiting messages are dropped, endpoints are disconnected"
        self._context.log.error(text, growth >> 20, extra={"action": "let go"})
        self._drops_until = self._context.reactor.seconds() + LIMIT
        self._listening.wake()

    def _drop(self, reader: Reader, listening: MonitoredSocket, until: float) -> bool:
        """Drop waiting messages until none is left or time is up: a fast publisher would keep the socket full.

        :returns: whether there is more to drop.
        """
        count, more = reader.discard()
        self._unread += count
        if reader.surplus or (more and self._context.reactor.seconds() < until):
            return True
        self._drops_until = None
        self._away = listening.leave()
        return False

    def _come_back(self, listening: MonitoredSocket) -> None:
        try:
            listening.come_back(*self._away)
        except Unavailable as error:
            self._context.log.error("%s; retrying", error, extra={"action": "listen"})
            self._context.reactor.callLater(AGAIN, self._try_to_come_back)

    def _try_to_come_back(self) -> None:
        if self._listening is not None and self._state == "running" and not self._paused:
            self._come_back(self._listening)

    def stop(self) -> Deferred[None]:
        """Hand over messages that the socket holds (for one second at most), send published ones, and close.

        See :class:`~hub.backends.zeromq.shutdown.Shutdown`.
        """
        self._memory_limit.end()
        self._drops_until = None
        if self._shutdown is None:
            self._shutdown = Shutdown(self._context, self._reader, self._close)
            self._state = "stopping" if self._zmq is not None else "stopped"
            self._shutdown.begin(self._zmq, paused=self._paused)
        done: Deferred[None] = Deferred()
        self._shutdown.done.chainDeferred(done)
        return done

    def _close(self) -> None:
        for opened in (self._listening, self._outlets):
            if opened is not None:
                opened.close()
        if self._auth is not None and self._auth_descriptor is not None:
            self._auth_descriptor.stop()
            self._auth.close()
        if self._key_revocation is not None:
            self._key_revocation.stop()
        self._log_throttle.stop()
        self._resident.close()
        self._state = "stopped"

    def release(self, detach: Callable[[int], None]) -> None:
        """Detach the sockets' file descriptors in a forked child; see :class:`hub.interfaces.Releasing`."""
        rows = self._endpoints()
        binds = [row["endpoint"] for row in rows if row["state"] == "listening"]
        connects = [row["endpoint"] for row in rows if row["state"] != "listening"]
        for descriptor in socket_fds(binds, connects):
            detach(descriptor)

    def _endpoints(self) -> list[dict[str, Any]]:
        listening = self._listening.endpoints("subscribe") if self._listening else []
        return listening + (self._outlets.endpoints() if self._outlets else [])

    def status(self) -> Mapping[str, Any]:
        """Counters (which only grow), state and endpoints for the hub's status; never a key or a password."""
        endpoints = self._endpoints()
        lines = [opened.counts() for opened in (self._listening, self._outlets) if opened is not None]
        reader = self._reader
        return {
            "state": self._describe(endpoints),
            "received": reader.received if reader else 0,
            "bytes": reader.bytes if reader else 0,
            "malformed": dict(self._parser.malformed),
            "refused": self._parser.refused,
            "gaps": self._parser.gaps.missing,
            "lost": reader.lost if reader else 0,
            "unread": self._unread + (self._shutdown.unread if self._shutdown else 0),
            "published": self._publisher.published,
            "publish_failed": self._publisher.failed,
            **{name: sum(counts[name] for counts in lines) for name in MonitoredSocket.COUNTS},
            "endpoints": endpoints,
            "subscriptions": sorted(prefix.decode() for prefix in self._prefixes.asked),
        }

    def _describe(self, endpoints: Sequence[Mapping[str, Any]]) -> BackendState:
        """State in one word: ``connecting`` while any endpoint that we connect to has no peer."""
        if self._state != "running":
            return self._state
        states = {endpoint["state"] for endpoint in endpoints}
        if self._paused:
            return "paused"
        return "connecting" if "connecting" in states else "connected" if "connected" in states else "listening"
