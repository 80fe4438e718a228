"""Subscriptions: those of one session, by the ids that its client and its messages name them by."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

import msgspec

from hub.backends.stomp import selector, stream_offset
from hub.backends.stomp.ack_mode import AckMode
from hub.backends.stomp.credit import Credit
from hub.backends.stomp.destination import Destination, Kind, shown
from hub.backends.stomp.durable_name import queue_name
from hub.backends.stomp.feed import Feed, Feeds, Source, TemporaryFeeds
from hub.backends.stomp.frame import ProtocolError, Version
from hub.backends.stomp.head import number_of
from hub.backends.stomp.job_feed import JobFeed
from hub.backends.stomp.message_frame import Heads
from hub.backends.stomp.subscription import Subscription
from hub.backends.stomp.unsupported import check_subscribe
from hub.declarations import Taken

MOST_ENDED = 100
"""Ended subscriptions whose late ACKs are understood."""


class Client(msgspec.Struct):
    """The session, as its subscriptions know it.

    :ivar key: of the session, in the ids of its messages. :ivar user: who has logged in, or, where no login is checked,
        which login it gave. :ivar client_id: as in CONNECT.
    """

    key: str
    version: Version
    user: str | None
    client_id: str | None
    send: Callable[[Sequence[bytes]], None]
    temporary: TemporaryFeeds
    refuse: Callable[[str], None]


class _Active(msgspec.Struct):
    subscription: Subscription
    feed: Feed
    name: str


class _Ended(msgspec.Struct):
    feed: Feed
    positions: Mapping[int, int]
    next_serial: int
    late: set[int] = msgspec.field(default_factory=set)


class Subscriptions:
    """The subscriptions of one session.

    :param most: subscriptions at most.
    """

    def __init__(self, feeds: Feeds, client: Client, most: int) -> None:
        self._feeds, self._client = feeds, client
        self._most = most
        self._by_name: dict[str, _Active] = {}
        self._by_number: dict[int, _Active] = {}
        self._ended: OrderedDict[int, _Ended] = OrderedDict()
        self._next = 1
        self._acked: dict[int, _Active] = {}
        self._blocked = False

    def __len__(self) -> int:
        return len(self._by_name)

    # -- SUBSCRIBE, UNSUBSCRIBE

    def subscribe(self, headers: Mapping[str, str], destination: Destination) -> None:
        """Begin a subscription. :raises ProtocolError: the headers ask for what can't be."""
        name = self._name(headers, "SUBSCRIBE")
        if name in self._by_name:
            raise ProtocolError(f"subscription {shown(name)} is there already")
        if len(self._by_name) >= self._most:
            raise ProtocolError(f"there are {self._most} subscriptions already: no room for {shown(name)}")
        check_subscribe(headers, destination.kind)
        client = self._client
        durable = None
        if destination.kind is Kind.TOPIC:
            durable = queue_name(headers, client.user, client.client_id)
        start = stream_offset.parse(headers, destination.kind, durable is not None, self._feeds.wall())
        source = Source(destination, client.key, self._next, durable, start, headers.get("selector"))
        mode = AckMode.parse(headers.get("ack", AckMode.AUTO))
        credit = self._feeds.credit.asked(headers, self._feeds.most_prefetch)
        matches = _matches(headers, destination)
        own = destination.kind is Kind.TEMPORARY
        feed = client.temporary.dispatcher(destination.name) if own else self._feeds.open(source)
        if matches is not None and isinstance(feed, JobFeed):
            raise ProtocolError("a selector on jobs is not supported: give jobs of another kind a queue of their own")
        self._add(name, headers.get("id"), feed, mode, credit, destination, matches)

    def subscribe_to_answers(self, destination: Destination) -> None:
        """Subscribe to a temporary queue on behalf of a client that named it in ``reply-to``; its name is the id."""
        name, feed = str(destination), self._client.temporary.dispatcher(destination.name)
        if name not in self._by_name and not any(one.feed is feed for one in self._by_name.values()):
            self._add(name, name, feed, AckMode.AUTO, self._feeds.credit, destination, None)

    def _add(
        self,
        name: str,
        id_: str | None,
        feed: Feed,
        mode: AckMode,
        credit: Credit,
        destination: Destination,
        matches: selector.Matches | None,
    ) -> None:
        client, number = self._client, self._next
        self._next += 1
        heads = Heads(id_, f"{client.key}-{number}-", mode is not AckMode.AUTO, client.version)
        tails = self._feeds.tails(client.version)
        calls = feed.finish, client.send, client.refuse
        subscription = Subscription(
            number, id_, destination, mode, credit, heads, tails, *calls, matches, feed.numbered
        )
        self._by_name[name] = self._by_number[number] = _Active(subscription, feed, name)
        subscription.blocked = self._blocked
        feed.join(subscription)

    def unsubscribe(self, headers: Mapping[str, str]) -> None:
        """End a subscription, a durable one for good. :raises ProtocolError: there is none of that name."""
        name = self._name(headers, "UNSUBSCRIBE")
        active = self._by_name.get(name)
        if active is not None:
            self._end(active, ended=True)
            return
        durable = queue_name(headers, self._client.user, self._client.client_id)
        if durable is None or not self._feeds.end_durable(durable):
            raise ProtocolError(f"there is no subscription {shown(name)}")

    def _end(self, active: _Active, ended: bool, lost: bool = False) -> None:
        subscription = active.subscription
        if lost:
            self._feeds.lost(active.feed, subscription)
        del self._by_name[active.name], self._by_number[subscription.number]
        self._acked.pop(subscription.number, None)
        left = active.feed.leave(subscription)
        positions = {serial: one.position for serial, one in left.items()}
        self._ended[subscription.number] = _Ended(active.feed, positions, subscription.in_hand.next_serial)
        if len(self._ended) > MOST_ENDED:
            self._ended.popitem(last=False)
        self._feeds.counters.delivered += subscription.delivered
        self._feeds.close(active.feed, ended)

    def end(self, lost: bool = False) -> None:
        """End all, when the session ends. Messages in hand go back; durable subscriptions stay.

        :param lost: whether the client, or the network, has ended the connection.
        """
        for active in [*self._by_name.values()]:
            self._end(active, ended=False, lost=lost)

    def _name(self, headers: Mapping[str, str], command: str) -> str:
        """The name by which the client knows a subscription: its id; in version 1.0 the destination will do."""
        name = headers.get("id")
        if name is None and self._client.version is Version.V10:
            name = headers.get("destination")
        if name is None:
            raise ProtocolError(f"{command} has no id header")
        return name

    # -- ACK, NACK

    def check(self, command: str, headers: Mapping[str, str]) -> tuple[int, int]:
        """The number of the subscription and the serial that an ACK or NACK names, as its version names them.

        :raises ProtocolError: a header is missing, or the message was never delivered to this client.
        """
        name = "id" if self._client.version is Version.V12 else "message-id"
        text = headers.get(name)
        if text is None:
            hint = "; STOMP 1.2 has the MESSAGE's ack header there" if "message-id" in headers else ""
            raise ProtocolError(f"{command} has no {name} header{hint}")
        key, _, last = text.rpartition("-")
        key, _, middle = key.rpartition("-")
        number, serial = number_of(middle), number_of(last)
        found = None if number is None or serial is None else self._issued(number, serial)
        if key != self._client.key or found is None:
            raise ProtocolError(f"{command} for {shown(text)}, which was never delivered to this client")
        if self._client.version is Version.V11:
            self._check_subscription(command, headers, found[0])
        return found

    def _issued(self, number: int, serial: int) -> tuple[int, int] | None:
        """Both, if such a message was delivered, or may have been to a subscription that was forgotten."""
        known = self._by_number.get(number) or self._ended.get(number)
        if isinstance(known, _Active):
            delivered = 0 < serial < known.subscription.in_hand.next_serial
        elif known is not None:
            delivered = 0 < serial < known.next_serial
        else:
            delivered = 0 < number < self._next
        return (number, serial) if delivered else None

    def _check_subscription(self, command: str, headers: Mapping[str, str], number: int) -> None:
        name = headers.get("subscription")
        if name is None:
            raise ProtocolError(f"{command} has no subscription header, which STOMP 1.1 wants beside message-id")
        active = self._by_number.get(number)
        if active is not None and active.subscription.id != name:
            raise ProtocolError(f"{command} names subscription {shown(name)}, the message is of another one")

    def of_jobs(self, number: int) -> bool:
        """Tell whether a subscription is to jobs, or was not long ago."""
        known = self._by_number.get(number) or self._ended.get(number)
        return known is not None and isinstance(known.feed, JobFeed)

    def ack(self, number: int, serial: int) -> None:
        """Note an ACK; ``report`` passes it on."""
        active = self._by_number.get(number)
        acked = 0
        if active is not None:
            acked = active.subscription.in_hand.ack(serial, active.subscription.cumulative)
            if acked:
                self._acked[number] = active
        elif self._ack_late(number, serial):
            acked = 1
        self._feeds.counters.acked += acked
        self._feeds.counters.late_acks += not acked

    def _ack_late(self, number: int, serial: int) -> bool:
        """ACK after UNSUBSCRIBE: the message is settled, if nobody else has it yet."""
        ended = self._ended.get(number)
        if ended is None or serial not in ended.positions or serial in ended.late:
            return False
        ended.late.add(serial)
        return self._feeds.finish_returned(ended.feed, ended.positions[serial])

    def nack(self, number: int, serial: int, requeue: bool) -> None:
        """Let messages come again later, or bury them. :param requeue: false: bury."""
        active = self._by_number.get(number)
        taken: Sequence[Taken] = ()
        if active is not None:
            self._report(active)
            taken = active.subscription.in_hand.take(serial, active.subscription.cumulative)
            for one in taken:
                delay = self._feeds.retry_delay(active.feed, one) if requeue else None
                active.feed.reject(one, delay, "NACK" if requeue else "NACK with requeue:false")
            active.subscription.rejected()
            active.feed.wake()
        self._feeds.counters.nacked += len(taken)
        self._feeds.counters.late_acks += not taken

    def report(self) -> None:
        """Pass the noted ACKs on, and take what there is credit for now."""
        if self._acked:
            acked, self._acked = self._acked, {}
            for active in acked.values():
                self._report(active)

    def _report(self, active: _Active) -> None:
        if active.subscription.settled():
            active.feed.wake()

    # -- flow

    def set_blocked(self, blocked: bool) -> None:
        """Deliver nothing while the connection is slow."""
        self._blocked = blocked
        for active in self._by_name.values():
            active.subscription.blocked = blocked
            if not blocked:
                active.feed.wake()

    def delivered(self) -> int:
        """Messages that were sent to the present subscriptions."""
        return sum(active.subscription.delivered for active in self._by_name.values())


def _matches(headers: Mapping[str, str], destination: Destination) -> selector.Matches | None:
    text = headers.get("selector")
    if text is not None and destination.kind is Kind.DEAD:
        raise ProtocolError("a selector on dead letters is not supported: subscribe to all of them")
    chosen = selector.parse(text) if text is not None else None
    if destination.kind is not Kind.TOPIC or not destination.one_word:
        return chosen
    return lambda message: "." not in message.topic and (chosen is None or chosen(message))
