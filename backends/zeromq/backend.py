"""The backend itself: puts sockets, reader and monitor together, and answers the hub."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import zmq
from twisted.internet.defer import Deferred

from hub.backends.zeromq import settings
from hub.backends.zeromq.alteration import added, alter, endpoints, is_alterable, without_endpoints
from hub.backends.zeromq.auth import Authenticator
from hub.backends.zeromq.descriptor import Descriptor
from hub.backends.zeromq.ending import LIMIT, Ending
from hub.backends.zeromq.endpoints import Endpoint
from hub.backends.zeromq.frames import Parser
from hub.backends.zeromq.held import Held
from hub.backends.zeromq.inherited import inherited
from hub.backends.zeromq.line import Line
from hub.backends.zeromq.notices import Notices
from hub.backends.zeromq.outlets import Outlets
from hub.backends.zeromq.peers import Tools
from hub.backends.zeromq.prefixes import prefixes
from hub.backends.zeromq.publisher import Publisher
from hub.backends.zeromq.reader import Reader
from hub.backends.zeromq.room import FOR_A_CONTEXT, FOR_AN_ENDPOINT, need
from hub.backends.zeromq.security import Security
from hub.backends.zeromq.sockets import Context
from hub.backends.zeromq.withdrawal import Withdrawal
from hub.errors import CannotPublish, Unavailable
from hub.interfaces import BackendContext, Intake
from hub.message import Message
from hub.resident import Resident
from hub.settings import Settings

AGAIN = 1.0
"""Seconds until an address that is taken is tried again."""


class ZeroMQ(Tools):
    """Listens to ZeroMQ publishers, and publishes. ZeroMQ tells no sender what became of a message, and a publisher
    drops what we do not read. An instance is started once."""

    Config: type[Settings] = settings.Config
    confirms: bool = False
    holds_back: bool = False

    def __init__(self, context: BackendContext) -> None:
        self._context = context
        self._config: settings.Config = context.config
        self._state = "stopped"
        self._paused = False
        self._prefixes: frozenset[bytes] = frozenset()
        self._notices = Notices(context.log, context.reactor)
        self._parser = Parser(
            context.name, self._config.format, self._config.max_message_size, self._refuse, self._notices.say
        )
        self._publisher = Publisher(self._config, context.wall)
        self._intake: Intake | None = None
        self._zmq: Context | None = None
        self._reader: Reader | None = None
        self._listening: Line | None = None
        self._outlets: Outlets | None = None
        self._auth: Authenticator | None = None
        self._auth_descriptor: Descriptor | None = None
        self._withdrawal: Withdrawal | None = None
        self._ending: Ending | None = None
        self._resident = Resident()
        self._held = Held(context.reactor, self._config.held_memory, self._resident, self._drop_held)
        self._drops_until: float | None = None
        self._away: tuple[list[str], list[str]] = ([], [])
        self._unread = 0

    def start(self, intake: Intake) -> None:
        """Bind, connect and listen.

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
            self._withdrawal = Withdrawal(self._auth, self._cut_off, self._context)
            self._withdrawal.start()

        def line(kind: int) -> Line:
            return Line(context, kind, config, security, self._context, self._notices)

        # Also where nothing is listened to: a reload may change that.
        self._listening = line(zmq.SUB)
        self._outlets = Outlets(lambda: line(zmq.PUB))
        self._reader = Reader(self._listening.socket, self._parser, intake, self._context.wall, config.budget)
        for prefix in self._prefixes:
            self._listening.socket.subscribe(prefix)
        alter(self._listening, self._outlets, without_endpoints(config), config)
        self._listening.start(self._read)

    def reconfigure(self, config: settings.Config) -> bool:
        """Go on with other endpoints; see :mod:`~hub.backends.zeromq.alteration`.

        :returns: whether they are all that differs. Where not, nothing was changed.
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
        """Ask publishers for these topics, and no longer for those that are not among them."""
        wanted = prefixes(patterns)
        if self._listening is not None and self._state == "running":
            # New before old: a topic that both cover must not fall through in between.
            for prefix in wanted - self._prefixes:
                self._listening.socket.subscribe(prefix)
            for prefix in self._prefixes - wanted:
                self._listening.socket.unsubscribe(prefix)
            self._listening.wake()
        if wanted != self._prefixes:
            self._parser.gaps.watch(wanted)
        self._prefixes = wanted

    def _read(self) -> bool:
        assert self._reader is not None
        assert self._listening is not None
        if self._drops_until is not None:
            return self._drop(self._reader, self._listening, self._drops_until)
        if self._paused:
            return self._reader.attend()
        more = self._reader.drain()
        if not self._reader.surplus:
            self._listening.let_go(more=more)
        return more

    def _authenticate(self) -> bool:
        assert self._auth is not None
        again = self._auth.drain()
        if self._auth.problem:
            self._notices.say("refuse", logging.ERROR, f"peers are refused: {self._auth.problem}")
        return again

    def _cut_off(self) -> None:
        """All peers that came to us: one alone can't be cut off."""
        assert self._listening is not None
        assert self._outlets is not None
        self._listening.rebind()
        self._outlets.rebind()

    def _refuse(self, message: Message, reason: str) -> None:
        assert self._intake is not None
        self._intake.refuse(message, reason)

    def confirm(self, tokens: Sequence[Any]) -> None:
        """Nothing: there is nobody to tell."""

    def publish(self, message: Message) -> None:
        """Send it to whoever listens now. A listener that is too slow, or away, misses it: ZeroMQ does not tell.

        :raises CannotPublish: no endpoint to publish on, or the body is not JSON (in fedmsg's format), or is too large.
        """
        if not self._outlets or self._state != "running":
            why = "has stopped" if self._outlets else "has neither publish_bind nor publish_connect"
            raise CannotPublish(f"backend {self._context.name!r} {why}")
        self._publisher.send(self._outlets, message)

    def check(self, message: Message) -> None:
        """See :class:`hub.interfaces.Checking`."""
        config = self._config
        if not config.publish_bind and not config.publish_connect:
            raise CannotPublish(f"backend {self._context.name!r} has neither publish_bind nor publish_connect")
        self._publisher.check(message)

    def pause(self) -> None:
        """Read no more. The socket takes ``receive_high_water`` messages more, or as much as ``held_memory``; then
        publishers drop."""
        if not self._paused:
            self._paused = True
            self._held.begin()

    def resume(self) -> None:
        """Read on."""
        self._paused = False
        self._held.end()
        self._drops_until = None
        if self._listening is not None and self._state == "running":
            self._come_back(self._listening)
            self._listening.wake()

    def _drop_held(self, growth: int) -> None:
        if self._listening is None or self._state != "running":
            return
        text = "while nothing could be read, %d MiB came: what waits is dropped, and the endpoints are let go"
        self._context.log.error(text, growth >> 20, extra={"action": "let go"})
        self._drops_until = self._context.reactor.seconds() + LIMIT
        self._listening.wake()

    def _drop(self, reader: Reader, listening: Line, until: float) -> bool:
        """Returns whether there is more to drop. A publisher that floods us would never let it run empty."""
        count, more = reader.discard()
        self._unread += count
        if reader.surplus or (more and self._context.reactor.seconds() < until):
            return True
        self._drops_until = None
        self._away = listening.leave()
        return False

    def _come_back(self, listening: Line) -> None:
        try:
            listening.come_back(*self._away)
        except Unavailable as error:
            self._context.log.error("%s; it is tried again", error, extra={"action": "listen"})
            self._context.reactor.callLater(AGAIN, self._try_to_come_back)

    def _try_to_come_back(self) -> None:
        if self._listening is not None and self._state == "running" and not self._paused:
            self._come_back(self._listening)

    def stop(self) -> Deferred[None]:
        """Hand over what the socket holds (for one second at most), send what was published, close; see
        :class:`~hub.backends.zeromq.ending.Ending`."""
        self._held.end()
        self._drops_until = None
        if self._ending is None:
            self._ending = Ending(self._context, self._reader, self._close)
            self._state = "stopping" if self._zmq is not None else "stopped"
            self._ending.begin(self._zmq, paused=self._paused)
        done: Deferred[None] = Deferred()
        self._ending.done.chainDeferred(done)
        return done

    def _close(self) -> None:
        for opened in (self._listening, self._outlets):
            if opened is not None:
                opened.close()
        if self._auth is not None and self._auth_descriptor is not None:
            self._auth_descriptor.stop()
            self._auth.close()
        if self._withdrawal is not None:
            self._withdrawal.stop()
        self._notices.stop()
        self._resident.close()
        self._state = "stopped"

    def release(self, detach: Callable[[int], None]) -> None:
        """See :class:`hub.interfaces.Releasing`."""
        rows = self._endpoints()
        binds = [row["endpoint"] for row in rows if row["state"] == "listening"]
        connects = [row["endpoint"] for row in rows if row["state"] != "listening"]
        for descriptor in inherited(binds, connects):
            detach(descriptor)

    def _endpoints(self) -> list[dict[str, Any]]:
        listening = self._listening.endpoints("subscribe") if self._listening else []
        return listening + (self._outlets.endpoints() if self._outlets else [])

    def status(self) -> Mapping[str, Any]:
        """Counts that only grow, states, endpoints. Never a key or a password."""
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
            "unread": self._unread + (self._ending.unread if self._ending else 0),
            "published": self._publisher.published,
            "publish_failed": self._publisher.failed,
            **{name: sum(counts[name] for counts in lines) for name in Line.COUNTS},
            "endpoints": endpoints,
            "subscriptions": sorted(prefix.decode() for prefix in self._prefixes),
        }

    def _describe(self, endpoints: Sequence[Mapping[str, Any]]) -> str:
        """One word: ``connecting`` while any peer that we connect to is not there."""
        if self._state != "running":
            return self._state
        states = {endpoint["state"] for endpoint in endpoints}
        if self._paused:
            return "paused"
        return "connecting" if "connecting" in states else "connected" if "connected" in states else "listening"
