"""Broker: what all sessions share. Only this module and the dispatchers know the hub's queues."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Any

from msgspec import structs
from twisted.internet.defer import Deferred

from hub import __version__
from hub.backends.stomp.authentication import Authentication
from hub.backends.stomp.counters import Counters
from hub.backends.stomp.credit import Credit
from hub.backends.stomp.destination import Destination, Kind
from hub.backends.stomp.dispatcher import Dispatcher
from hub.backends.stomp.durable_name import PREFIX
from hub.backends.stomp.feed import Feed, Source
from hub.backends.stomp.frame import ProtocolError, Version
from hub.backends.stomp.job_destinations import JobDestinations
from hub.backends.stomp.job_feed import JobFeed
from hub.backends.stomp.letters import Letters
from hub.backends.stomp.lifetime import Lifetime
from hub.backends.stomp.login import Users
from hub.backends.stomp.message_frame import OFFSET, Tails
from hub.backends.stomp.priority import priorities
from hub.backends.stomp.publication import Publication, destination_to_publish
from hub.backends.stomp.replay_feed import ReplayFeed
from hub.backends.stomp.rights import Rights, rights_of
from hub.backends.stomp.sends import Sends, Token, confirm
from hub.backends.stomp.settings import Config
from hub.backends.stomp.subscription import Subscription
from hub.backoff import Uniform, delay_after
from hub.declarations import DeclaredQueue, QueueLimits, Taken
from hub.errors import HubError
from hub.interfaces import Answer, BackendContext, Intake, Receipt
from hub.message import Message
from hub.replays import ReplayStart

SUBSCRIPTION = "stomp subscription"
REPLIES = "stomp replies"
"""Kinds of queues, as the status has them, beside the backend's own."""
CROWDS: Mapping[str | None, str] = {SUBSCRIPTION: "subscriptions", REPLIES: "replies"}
"""By kind: how the sums of a server's queues are called. Each of these belongs to one client, so its name says nothing
to an operator, and many come with each reconnection. Those of no kind are shared by their names."""


class Broker:
    """The state that all sessions share, and the hub's side of it.

    :ivar sessions: those that are connected. :ivar orphaned: messages of clients that have gone while the hub took
        none. :ivar held: true if the hub takes no messages now.
    """

    def __init__(
        self, context: BackendContext, config: Config, intake: Intake, uniform: Uniform, authentication: Authentication
    ) -> None:
        self.name, self.wall, self.log = context.name, context.wall, context.log
        self._use(config)
        self.server = f"hubbub/{__version__}"
        self.authentication = authentication
        self.counters = Counters()
        self.lifetime = Lifetime(context.wall)
        self.sessions: dict[Any, None] = {}
        self.orphaned: list[Sends] = []
        self.held = False
        self._queues, self._replays, self._intake = context.queues, context.replays, intake
        self.jobs = JobDestinations(context.jobs, config, context.reactor)
        self._reactor = context.reactor
        self._uniform = uniform
        self._run = secrets.token_hex(4)
        self._keys = count(1)
        self._tails = {version: Tails(version) for version in Version}
        self._dispatchers: dict[str, Dispatcher] = {}
        self._letters: dict[str, Letters] = {}
        self._replies: dict[str, DeclaredQueue] = {}
        self._put_into: dict[str, DeclaredQueue] = {}
        self._passing: set[str] = set()
        """Names of queues that end with their subscription."""

    def new_key(self) -> str:
        """Make the key of a session, without the characters that some clients escape wrongly."""
        return f"{self._run}-{next(self._keys)}"

    def rights_of(self, user: str | None) -> Rights:
        """The rights of a user."""
        return rights_of(user, self._rights)

    def tails(self, version: Version) -> Tails:
        """The tails of messages in a version."""
        return self._tails[version]

    @property
    def credit(self) -> Credit:
        """The credit of a subscription that asks for none."""
        return Credit(self.config.prefetch, self.config.prefetch_size)

    @property
    def most_prefetch(self) -> int:
        """Messages that a subscription may ask for."""
        return self.config.max_prefetch

    def retry_delay(self, feed: Feed, taken: Taken) -> float | None:
        """See :class:`~hub.backends.stomp.feed.Feeds`."""
        config, failures = self.config, taken.failures + 1
        if isinstance(feed, JobFeed):
            return feed.retry_delay(taken)
        if failures >= config.max_attempts:
            return None
        return delay_after(failures, self._uniform, config.backoff, config.backoff_limit)

    # -- messages for the hub

    def send(self, messages: list[Message], tokens: Sequence[Token], answer: Answer) -> None:
        """Pass messages to all who want their topics."""
        self._count(messages)
        self._intake.receive(messages, tokens, answer)

    def put(self, to: Destination, messages: list[Message], tokens: Sequence[Token], answer: Answer) -> None:
        """Put messages into a queue alone, which delivers them after their delay."""
        self._count(messages)
        if to.kind is Kind.REPLY:
            queue = self._replies.get(to.name)
            if queue is None:  # its owner has gone; who answers can't help it
                self.counters.lost_replies += len(messages)
                answer(Receipt(len(messages)))
                self._reactor.callLater(0, confirm, tokens)
                return
        elif (jobs := self.jobs.of(to)) is not None:
            self.jobs.put(jobs, messages, tokens, answer)
            return
        else:
            queue = self.declare(to.name)
        queue.put(messages, tokens, answer, self.lifetime.delays(messages), priorities(messages))

    def why_full(self, to: Destination) -> str:
        """The reason why a queue takes no more."""
        queue = self._replies.get(to.name) if to.kind is Kind.REPLY else self._put_into.get(to.name)
        return "is being drained" if queue is not None and queue.draining else "is full"

    def later(self, seconds: float, call: Callable[[], None]) -> object:
        """Make a call later."""
        return self._reactor.callLater(seconds, call)

    def _count(self, messages: list[Message]) -> None:
        self.counters.received += len(messages)
        self.counters.bytes += sum([len(message.body) + len(message.topic) for message in messages])

    def publish(self, message: Message) -> Deferred[None]:
        """Send a message of the hub itself: to all who want its topic, or into a queue, if its topic names one.

        :returns: fires when it is safe. :raises CannotPublish: the topic is a destination that can't be sent to.
        """
        to = destination_to_publish(message)
        mine = structs.replace(message, backend=self.name, received_at=self.wall())
        publication = Publication()
        if to is None:
            self.send([mine], [(publication, None)], lambda receipt: None)
        else:
            self.put(to, [mine], [(publication, None)], lambda receipt: publication.answer(receipt, self.why_full(to)))
        return publication.safe

    def release(self) -> None:
        """Take messages again, first those that have waited."""
        self.held = False
        self.pass_on_all()

    def pass_on_all(self) -> None:
        """Pass on all messages that wait, even if the hub takes none: it stops."""
        orphaned, self.orphaned = self.orphaned, []
        for sends in orphaned:
            sends.flush(even_if_held=True)
        for commands in [session.commands for session in self.sessions if session.commands is not None]:
            commands.flush(even_if_held=True)

    def reconfigure(self, config: Config, users: Callable[[], Users] | None) -> None:
        """Use other settings from now on. Clients that are connected keep their rights."""
        self._use(config)
        self.authentication.users = users

    def _use(self, config: Config) -> None:
        self.config = config
        self._rights = {name: Rights(one.read, one.write) for name, one in config.rights.items()}

    # -- queues and their dispatchers

    def open(self, source: Source) -> Feed:
        """Open the feed of a subscription. :raises ProtocolError: it can't be had."""
        destination, start = source.destination, source.start
        if start is not None and (self._replays is not None or start.place != "next"):
            return self._replay(destination, start)
        if (jobs := self.jobs.feed(destination)) is not None:
            return jobs
        if destination.kind is Kind.DEAD:
            return self._letters_of(destination.name)
        if destination.kind is Kind.QUEUE:
            self.declare(destination.name)
            return self._shared(destination.name)
        limits = self._subscriber_limits()
        name, durable = source.durable, source.durable is not None
        if name is None:
            name = f"{self.name}-{source.session}-{source.number}"
            self._passing.add(name)
        queue = self._declared(name, durable, limits, SUBSCRIPTION)
        pattern = destination.pattern
        others = [one for one in queue.bindings if one != pattern]
        if others:  # it may be another client's, or have messages of the other topics
            raise ProtocolError(
                f"the durable subscription has the destination {Kind.TOPIC}{others[0]}, not {destination}: "
                "take another name (id), or end it first by an UNSUBSCRIBE with the same headers"
            )
        queue.bind(pattern)
        return self._shared(name).selecting(source.selector)

    def _replay(self, destination: Destination, start: ReplayStart) -> ReplayFeed:
        if self._replays is None:
            text = f"{OFFSET}: this hub keeps no history: only 'next' is possible, unless 'keep' in [hub] is set"
            raise ProtocolError(text)
        return ReplayFeed(self._replays, destination, start, self._reactor, self.lifetime)

    def close(self, feed: Feed, ended: bool) -> None:
        """Note that a subscription has left its feed. :param ended: by UNSUBSCRIBE: a durable one ends, too."""
        if not isinstance(feed, (Dispatcher, Letters)):
            return
        queue = feed.queue
        if feed.subscriptions or queue.name in self._replies:
            return
        if not isinstance(feed, Dispatcher):
            self._letters.pop(queue.name, None)
            return
        if self._dispatchers.pop(queue.name, None) is None:  # an operator has deleted the queue
            return
        feed.close()
        if queue.name in self._passing or (ended and queue.name not in self._put_into):
            self._passing.discard(queue.name)
            queue.delete()

    def lost(self, feed: Feed, subscription: Subscription) -> None:
        """Bury the first message that a lost client had in hand, if it was delivered too often: it may be what ends its
        clients. The others may be innocent; if not, each will be the first one."""
        if isinstance(feed, JobFeed):
            feed.lost(subscription)
            return
        most, first = self.config.max_deliveries, subscription.in_hand.first
        if not most or first is None or not isinstance(feed, Dispatcher) or not feed.queue.durable:
            return
        serial, taken = first
        deliveries = self.lifetime.deliveries(taken) + 1
        if deliveries < most:
            return
        subscription.in_hand.take(serial, False)
        reason = f"delivered {deliveries} times, and the connection of its client was lost"
        feed.reject(taken, None, reason)
        text = "message %r of the queue %s is a dead letter: %s"
        extra = {"action": "bury", "message_id": taken.current.id}
        self.log.error(text, taken.current.id, feed.queue.name, reason, extra=extra)

    def finish_returned(self, feed: Feed, position: int) -> bool:
        """Settle a message that a subscription gave back, unless somebody else has it.

        :returns: false: somebody has it, or had, or the queue is gone.
        """
        if not isinstance(feed, Dispatcher):
            return feed.finish_returned(position)
        name = feed.queue.name
        if self._queues.get(name) is None:
            return False
        dispatcher = self._shared(name)
        found = dispatcher.finish_returned(position)
        self.close(dispatcher, ended=False)
        return found

    def end_durable(self, queue: str) -> bool:
        """End a durable subscription. :returns: whether there was one. :raises ProtocolError: somebody uses it."""
        if queue in self._dispatchers:
            raise ProtocolError("the durable subscription is in use by another connection")
        found = self._queues.get(queue)
        if found is None:
            return False
        found.delete()
        return True

    def make_reply_queue(self) -> tuple[str, Dispatcher]:
        """Make a temporary queue. :returns: the name by which others send to it, and its dispatcher."""
        name = f"{self.name}-reply-{secrets.token_hex(8)}"
        queue = self._declared(name, False, self._subscriber_limits(), REPLIES)
        self._replies[name] = queue
        return name, self._shared(name)

    def delete_reply_queue(self, name: str) -> None:
        """Delete a temporary queue, because its owner has gone."""
        queue, dispatcher = self._replies.pop(name, None), self._dispatchers.pop(name, None)
        if dispatcher is not None:
            dispatcher.close()
        if queue is not None:
            queue.delete()

    def declare(self, name: str) -> DeclaredQueue:
        """The durable queue of that name, made if there is none. :raises ProtocolError: it can't be had."""
        queue = self._put_into.get(name)
        if queue is None:
            if name.startswith(f"{PREFIX}."):
                raise ProtocolError(
                    f"/queue/{name} is reserved for a durable topic subscription: subscribe to its topic"
                )
            config = self.config
            limits = QueueLimits(config.queue_backlog, config.queue_size, config.queue_overflow)
            queue = self._put_into[name] = self._declared(name, True, limits, None)
        return queue

    def _declared(self, name: str, durable: bool, limits: QueueLimits, kind: str | None) -> DeclaredQueue:
        try:
            crowd = f"{self.name} {CROWDS[kind]}" if kind in CROWDS else None
            told = partial(self._deleted, name)
            return self._queues.declare(name, durable=durable, limits=limits, kind=kind, crowd=crowd, on_deleted=told)
        except HubError as error:
            raise ProtocolError(str(error)) from error

    def _shared(self, name: str) -> Dispatcher:
        if name not in self._dispatchers:
            queue = self._queues.get(name)
            assert queue is not None
            self._dispatchers[name] = Dispatcher(queue, self._reactor, self.lifetime)
        return self._dispatchers[name]

    def _subscriber_limits(self) -> QueueLimits:
        return QueueLimits(self.config.subscriber_backlog, self.config.subscriber_size, "drop_oldest")

    def _letters_of(self, name: str) -> Letters:
        if name not in self._letters:
            queue = self._queues.get(name)
            if queue is None:
                raise ProtocolError(f"there is no queue {name!r} that could have dead letters")
            self._letters[name] = Letters(queue, self._reactor)
        return self._letters[name]

    def _deleted(self, name: str) -> None:
        """An operator has deleted a queue: clients that wait for its messages would wait in vain."""
        self._put_into.pop(name, None)
        self._replies.pop(name, None)
        dispatcher, letters = self._dispatchers.pop(name, None), self._letters.pop(name, None)
        if dispatcher is not None:
            dispatcher.close()
        feeds: list[Feed] = [feed for feed in (dispatcher, letters) if feed is not None]
        for subscription in [one for feed in feeds for one in feed.subscriptions]:
            subscription.deleted()
