"""Redis backend: receives from streams or channels, and publishes to them."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from twisted.internet.defer import Deferred, DeferredList

from hub.backends.redis import settings
from hub.backends.redis.channel_reader import ChannelReader
from hub.backends.redis.consumer_name import default_consumer
from hub.backends.redis.delivery import Deliveries
from hub.backends.redis.formats import no_place_for
from hub.backends.redis.group import Group
from hub.backends.redis.in_hand import Entry, InHand
from hub.backends.redis.keeper import Keeper
from hub.backends.redis.line import EXTRA
from hub.backends.redis.link import Link, Start, User, start_thread
from hub.backends.redis.publisher import Publisher
from hub.backends.redis.servers import Servers
from hub.backends.redis.stream_reader import StreamReader
from hub.backends.redis.tls import TLS_EXTRA
from hub.backends.redis.tools import Sender, listen
from hub.backends.redis.troubles import Troubles
from hub.backends.redis.watch import Watch
from hub.backoff import Uniform
from hub.errors import Unavailable
from hub.extra import Extra
from hub.interfaces import BackendContext, Clock, Intake
from hub.message import Message
from hub.settings import Settings
from hub.status.states import BackendState


class Redis:
    """Client of a Redis server. It has a connection, and a thread, to read, one to acknowledge, and one to publish.

    :ivar confirms: false with channels. :ivar publish_window: messages that may be unconfirmed at once.
    """

    Config: type[Settings] = settings.Config
    confirms: bool = True
    holds_back: bool = True

    def __init__(
        self,
        context: BackendContext,
        uniform: Uniform = random.uniform,
        clock: Clock = time.monotonic,
        start: Start = start_thread,
    ) -> None:
        config: settings.Config = context.config
        self.confirms = self.holds_back = not config.channels
        self.publish_window = config.publish_window
        self._context = context
        self._config = config
        self._uniform = uniform
        self._start = start
        self._state: Literal["running", "stopped"] = "stopped"
        self._paused = False
        self._in_hand = InHand(config.prefetch)
        self._deliveries = Deliveries(context, self._in_hand)
        self._troubles = Troubles(clock, context.log)
        consumer = config.consumer or default_consumer(socket.gethostname(), context.state_dir)
        groups = [Group(stream, config, consumer) for stream in config.streams]
        given = (config, groups, self._in_hand, self._deliveries, self._troubles)
        self._reader = StreamReader(*given, context.log, consumer, clock)
        self._keeper = Keeper(*given, clock)
        self._listener = ChannelReader(context)
        self._publisher = Publisher(context)
        self._links: dict[str, Link] = {}
        self._watch: Watch | None = None

    def start(self, intake: Intake) -> None:
        """Begin to connect. A server that is away is waited for.

        :raises ConfigError: a file or secret can't be read. :raises MissingExtra: the library is not installed.
        """
        servers = Servers(self._config)
        self._state = "running"
        self._warn_of_readers()
        self._deliveries.start(intake)
        self._listener.start(intake)
        for role, user in self._users().items():
            context, longest = self._context, self._config.reconnect_interval_max
            given = (context.reactor, context.log, self._uniform, longest, self._start)
            self._links[role] = Link(role, servers, user, *given)
        if "publish" in self._links:
            self._publisher.link = self._links["publish"]
        for link in self._links.values():
            link.start()
        if servers.sentinels is not None:
            self._watch = Watch(servers.sentinels, self._links.values, context.log, self._start)
            self._watch.start()

    def _users(self) -> dict[str, User]:
        users: dict[str, User] = {}
        if self._config.streams:
            users = {"subscribe": self._reader, "acknowledge": self._keeper}
        elif self._config.channels:
            users = {"subscribe": self._listener}
        if self._config.publish is not None or self._config.publish_channel is not None:
            users["publish"] = self._publisher
        return users

    def _warn_of_readers(self) -> None:
        addresses = [*self._config.sentinel_addresses, *filter(None, [self._config.server])]
        for address in addresses:
            if self._config.password is not None and not address.is_private:
                text = "%s: password and messages are sent unencrypted: use 'rediss:' beyond this machine"
                self._context.log.warning(text, address, extra={"action": "expose"})

    def subscribe(self, patterns: Collection[str]) -> None:
        """Do nothing: streams and channels are configured."""

    def unsubscribe(self, patterns: Collection[str]) -> None:
        """Do nothing; see :meth:`subscribe`."""

    def confirm(self, tokens: Sequence[Entry]) -> None:
        """Acknowledge entries, on whichever connection there is, or will be."""
        self._in_hand.settle(tokens)

    def check(self, message: Message) -> None:
        """Check that the message could be published; see :class:`hub.interfaces.Checking`.

        :raises CannotPublish: it could not.
        """
        self._publisher.check(message)

    def publish(self, message: Message) -> Deferred[None]:
        """Send a message. :returns: fires when the server has it, and the replicas that are asked for.

        :raises CannotPublish: it can never be sent. :raises Unavailable: there is no connection now. The Deferred may
            fail with either.
        """
        if self._state != "running":
            raise Unavailable(f"backend {self._context.name!r} does not run")
        return self._publisher.publish(message)

    def pause(self) -> None:
        """Stop reading: the server keeps the entries."""
        self._paused = self._reader.paused = self._keeper.paused = True
        self._deliveries.pause()
        self._listener.pause()

    def resume(self) -> None:
        """Read again."""
        self._paused = self._reader.paused = self._keeper.paused = False
        self._deliveries.resume()
        self._listener.resume()
        self._in_hand.wake()

    def stop(self) -> Deferred[Any]:
        """Acknowledge what is settled, then end the connections. Another hub of the group takes the rest over, or this
        one when it starts again."""
        self._state = "stopped"
        if self._watch is not None:
            self._watch.stop()
        return DeferredList([link.stop() for link in self._links.values()])

    def release(self, detach: Callable[[int], None]) -> None:
        """Detach the connections' file descriptors in a forked child; see :class:`hub.interfaces.Releasing`."""
        for link in self._links.values():
            descriptor = link.descriptor()
            if descriptor is not None:
                detach(descriptor)

    def status(self) -> Mapping[str, Any]:
        """Counters (which only grow), state and servers for the hub's status; never a password."""
        links = self._links.values()
        received = self._deliveries.status() if self._config.streams else self._listener.status()
        return {
            "state": self._describe(),
            **received,
            **(self._keeper.status() if self._config.streams else {}),
            **self._publisher.status(),
            "peers": sum(link.usable for link in links),
            "disconnects": sum(link.disconnects for link in links),
            "handshake_failures": sum(link.failures for link in links),
            "subscriptions": self._subscriptions(),
            "endpoints": [self._row(link) for link in links],
            "not_ready": self._not_ready(),
        }

    def _subscriptions(self) -> list[str]:
        """Streams or channels that the server has confirmed."""
        link = self._links.get("subscribe")
        return [*self._reader.streams, *self._config.channels] if link is not None and link.usable else []

    def _row(self, link: Link) -> dict[str, Any]:
        state = "connected" if link.usable else "connecting" if self._state == "running" else self._state
        row = {"endpoint": link.address, "role": link.role, "state": state}
        return {**row, "error": link.reason} if link.reason else row

    def _describe(self) -> BackendState:
        """State in one word: ``connecting`` until the server has confirmed all groups or channels."""
        if self._state != "running":
            return self._state
        if self._paused:
            return "paused"
        return "connected" if self._not_ready() is None else "connecting"

    def _not_ready(self) -> str | None:
        """The reason why the server sends no messages, or takes none; ``None``: all is well, or paused."""
        if self._state != "running" or self._paused:
            return None
        lost = next((link.error for link in self._links.values() if not link.usable), None)
        if lost is not None:
            return lost
        stream = self._troubles.reason
        reasons = {"subscribe": f"stream {stream}" if stream else "", "publish": self._publisher.not_ready}
        return next((f"{self._links[role].address}: {text}" for role, text in reasons.items() if text), None)

    @classmethod
    def needed_extras(cls, config: settings.Config) -> Iterable[Extra]:
        """Return the client library, and that of TLS; see :class:`hub.interfaces.NeedingExtras`."""
        return [EXTRA, TLS_EXTRA] if config.tls else [EXTRA]

    @classmethod
    def no_broadcast(cls, config: settings.Config, topic: str) -> str | None:
        """Return why not every hub would receive a message; see :class:`hub.interfaces.Broadcasting`."""
        if config.publish is not None:
            return (
                "it publishes to a stream, where each message is one hub's, and stays; set channels and publish_channel"
            )
        if config.publish_channel is None or not config.channels:
            return "it needs channels, and publish_channel"
        return None

    @classmethod
    def no_place_for(cls, config: settings.Config, headers: Collection[str]) -> str | None:
        """Return why a message loses some of these headers; see :class:`hub.interfaces.LosingHeaders`."""
        return no_place_for(config, headers) if config.publish_channel is not None else None

    @classmethod
    def sender(cls, config: settings.Config) -> Sender:
        """Open a publisher that the hub receives from; see :class:`hub.interfaces.BusTools`.

        :raises Unavailable: there is nothing to receive from, or no server answers. :raises ConfigError: a secret can't
            be read.
        """
        return Sender(config)

    @classmethod
    def listener(cls, config: settings.Config, patterns: Sequence[str]) -> Iterator[Message]:
        """Yield new entries of the hub's streams, or messages of its channels, without the group: the hub misses none.

        :raises Unavailable: no server answers. :raises ConfigError: a secret can't be read.
        """
        return listen(config)
