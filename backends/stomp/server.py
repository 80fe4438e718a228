"""STOMP server: a backend to which clients connect, rather than a bus that the hub connects to."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Literal

from twisted.internet.defer import Deferred, DeferredList, inlineCallbacks

from hub.address import TcpAddress, parse
from hub.backends.stomp import settings
from hub.backends.stomp.authentication import Authentication
from hub.backends.stomp.broker import Broker
from hub.backends.stomp.connections import WEB_SOCKET, Connections
from hub.backends.stomp.counters import Counters
from hub.backends.stomp.heartbeat import Beats
from hub.backends.stomp.interfaces import Session, Transport
from hub.backends.stomp.limits import Limits
from hub.backends.stomp.login import Users, UsersFile
from hub.backends.stomp.open_connections import OpenConnections
from hub.backends.stomp.options import Options
from hub.backends.stomp.publication import destination_to_publish
from hub.backends.stomp.sends import confirm
from hub.backends.stomp.session import Session as StompSession
from hub.backends.stomp.tls import EXTRA, ServerTLS
from hub.backends.stomp.web_mount import WebSocketMount
from hub.errors import ConfigError, Unavailable
from hub.extra import Extra
from hub.http.verb import Verb
from hub.interfaces import BackendContext, Intake
from hub.listener import Listener
from hub.message import Message
from hub.settings import Settings
from hub.status.states import BackendState

CHANGEABLE = frozenset(
    (
        *("users_file", "rights", "virtual_hosts", "max_subscriptions", "max_temporary_queues", "max_transactions"),
        *("max_transaction_frames", "max_transaction_size", "prefetch", "max_prefetch", "prefetch_size"),
        *("max_attempts", "max_deliveries", "backoff", "backoff_limit", "when_held", "max_held", "max_held_size"),
    )
)
"""Settings that a reload changes without ending connections; new connections, or new frames, follow them."""


HAS_QUEUE = (
    "is a queue of jobs now, and the hub has its queue of messages: give it another name, or take it out, reload, have "
    "it worked off, and 'hubbub queue delete' the queue"
)
LOCAL = ("http://localhost", "http://localhost:*", "http://127.0.0.1", "http://127.0.0.1:*")
"""Web pages that may connect by default: those of this machine."""


JOBS_TIMEOUT = 3.0
"""Seconds, at most, that a stop waits for jobs to be inserted, so that their senders get the receipts."""


class StompServer:
    """STOMP server. Its clients send to topics and queues of the hub, and subscribe to them."""

    Config: type[Settings] = settings.Config
    confirms: bool = True
    holds_back: bool = True

    def __init__(self, context: BackendContext) -> None:
        self._context = context
        self._config: settings.Config = context.config
        self._state: Literal["running", "stopping", "stopped"] = "stopped"
        self._paused = False
        self._broker: Broker | None = None
        self._connections: list[Connections] = []
        self._on_all_ports = OpenConnections()
        self._of_web: Connections | None = None
        self._listeners: list[Listener] = []
        self._published = 0

    @classmethod
    def needed_extras(cls, config: settings.Config) -> Iterable[Extra]:
        """Return those of WebSocket and, if configured, TLS; see :class:`hub.interfaces.NeedingExtras`."""
        return [WEB_SOCKET, EXTRA] if config.tls else [WEB_SOCKET]

    def start(self, intake: Intake) -> None:
        """Listen.

        :raises Unavailable: an address is in use. :raises ConfigError: a file can't be read.
        """
        context, config = self._context, self._config
        for name in config.job_queues():
            if context.queues.get(name) is not None:
                raise ConfigError([f"backends.{context.name}.queues.{name}: {HAS_QUEUE}"])
        authentication = Authentication(self._users(config), config.tls_client_ca_file is not None, context.reactor)
        self._broker = Broker(context, config, intake, random.uniform, authentication)
        self._broker.held = self._paused
        tls = self._tls(config)
        try:
            for text in config.listen:
                self._listen(text, tls)
        except BaseException:
            for listener in self._listeners:
                listener.close()
            self._listeners.clear()
            self._broker.jobs.close(0.0)
            raise
        if config.web:
            self._of_web = self._make_connections(None)
        self._state = "running"

    def verbs(self) -> Sequence[Verb]:
        """The path of the hub's web server for WebSocket, if it is to have one."""
        if not self._config.web:
            return ()
        return [WebSocketMount(lambda: self._of_web if self._state == "running" else None, self._context.reactor)]

    def _make_connections(self, tls: ServerTLS | None) -> Connections:
        context, options = self._context, self._options(tls)
        connections = Connections(context.reactor, self._session, options, context.log, self._on_all_ports)
        self._connections.append(connections)
        return connections

    def _listen(self, text: str, tls: ServerTLS | None) -> None:
        address = parse(text)
        encrypted = tls if isinstance(address, TcpAddress) else None
        listener = Listener(address, int(self._config.mode, 8), self._context.reactor)
        listener.listen(self._make_connections(encrypted))
        self._listeners.append(listener)

    def _session(self, transport: Transport) -> Session:
        assert self._broker is not None
        return StompSession(transport, self._broker)

    def _users(self, config: settings.Config) -> Callable[[], Users] | None:
        return None if config.users_file is None else UsersFile(config.users_file, self._context.log).current

    def _tls(self, config: settings.Config) -> ServerTLS | None:
        if config.tls_certificate_file is None or config.tls_key_file is None:
            return None
        required = config.users_file is None
        return ServerTLS(config.tls_certificate_file, config.tls_key_file, config.tls_client_ca_file, required)

    def _options(self, tls: ServerTLS | None) -> Options:
        config = self._config
        limits = Limits(config.max_headers, config.max_line, config.max_body, config.max_before_login)
        beat = int(config.heart_beat * 1000)
        return Options(
            limits,
            config.connect_timeout,
            config.max_connections,
            beats=Beats(beat, beat),
            read_timeout=config.read_timeout,
            max_connections_per_address=config.max_connections_per_address,
            origins=config.origins or LOCAL,
            tls=tls,
        )

    def reconfigure(self, config: settings.Config) -> bool:
        """Apply another file of users, rights and limits; connections stay.

        :returns: false if other settings differ: the backend must be restarted; nothing was changed.
        :raises ConfigError: the file of users can't be read; nothing was changed.
        """
        if self._broker is None or self._state != "running":
            return False
        if config.model_dump(exclude={*CHANGEABLE}) != self._config.model_dump(exclude={*CHANGEABLE}):
            return False
        users = self._users(config)
        self._broker.reconfigure(config, users)
        self._config = config
        return True

    def subscribe(self, patterns: Collection[str]) -> None:
        """Does nothing: clients send what they like."""

    def unsubscribe(self, patterns: Collection[str]) -> None:
        """Does nothing, as above."""

    def confirm(self, tokens: Sequence[Any]) -> None:
        """Send the receipts of messages that are safe."""
        confirm(tokens)

    def publish(self, message: Message) -> Deferred[None]:
        """Send a message to all who want its topic, STOMP clients and the hub's consumers; with the topic
        ``/queue/NAME`` into that queue.

        :returns: fires when it is safe. Fails with ``Unavailable`` if the queue is full.
        :raises Unavailable: the backend does not run, or the hub takes no messages now.
        :raises CannotPublish: the topic begins with a slash, and names no queue.
        """
        if self._broker is None or self._state != "running":
            raise Unavailable(f"backend {self._context.name!r} does not run")
        if self._broker.held:
            raise Unavailable("the hub takes no messages now")
        safe = self._broker.publish(message)
        self._published += 1
        return safe

    def check(self, message: Message) -> None:
        """Check that a message can be published. :raises CannotPublish: as above."""
        destination_to_publish(message)

    def pause(self) -> None:
        """Take no messages: a SEND waits or is refused. All other frames are handled."""
        self._paused = True
        if self._broker is not None:
            self._broker.held = True

    def resume(self) -> None:
        """Take messages again, first those that wait."""
        self._paused = False
        if self._broker is not None:
            self._broker.release()

    @inlineCallbacks
    def stop(self) -> Any:
        """Stop listening, pass on what has waited, and end all connections."""
        if self._state != "running":
            self._state = "stopped"
            return
        self._state = "stopping"
        yield DeferredList([listener.close() for listener in self._listeners])
        assert self._broker is not None
        self._broker.pass_on_all()
        yield self._broker.jobs.close(JOBS_TIMEOUT)
        yield DeferredList([connections.stop() for connections in self._connections])
        self._state = "stopped"

    def release(self, detach: Callable[[int], None]) -> None:
        """Detach ports and connections in a forked child; see :class:`hub.interfaces.Releasing`."""
        for listener in self._listeners:
            for descriptor in listener.descriptors():
                detach(descriptor)
        for connections in self._connections:
            for descriptor in connections.descriptors():
                detach(descriptor)

    def status(self) -> Mapping[str, Any]:
        """Counters (which only grow), state and connections for the hub's status."""
        broker, connections = self._broker, self._connections
        counters = broker.counters if broker is not None else Counters()
        sessions = [one.commands for one in broker.sessions if one.commands is not None] if broker is not None else []
        ended: Counter[str] = Counter()
        for one in connections:
            ended.update(one.ended)
        return {
            "state": self._told_state(),
            "received": counters.received,
            "bytes": counters.bytes,
            "malformed": {kind: ended[kind] for kind in ("protocol", "tls", "websocket") if ended[kind]},
            "published": self._published,
            "delivered": counters.delivered + sum(one.subscriptions.delivered() for one in sessions),
            "acked": counters.acked,
            "acked_late": counters.late_acks,
            "nacked": counters.nacked,
            "expired": broker.lifetime.expired if broker is not None else 0,
            "lost_replies": counters.lost_replies,
            "errors": counters.errors + sum(ended.values()),
            "logins_refused": counters.refused_logins,
            "disconnected": dict(ended),
            "peers": sum(map(len, connections)),
            "connections_accepted": sum(one.accepted for one in connections),
            "subscribers": sum(len(one.subscriptions) for one in sessions),
            "held": sum(one.sends.waiting for one in sessions) + (broker.jobs.waiting if broker is not None else 0),
            "unread_bytes": sum(one.unread for one in connections),
            "endpoints": [{"endpoint": str(parse(text)), "state": "listening"} for text in self._config.listen],
        }

    def _told_state(self) -> BackendState:
        if self._state != "running":
            return self._state
        if self._paused:
            return "paused"
        return "connected" if any(map(len, self._connections)) else "listening"
