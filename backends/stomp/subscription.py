"""Subscription: what one SUBSCRIBE asked for, and the messages in its client's hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hub.backends.stomp.ack_mode import AckMode
from hub.backends.stomp.credit import Credit
from hub.backends.stomp.deliveries import Deliveries, Finish
from hub.backends.stomp.destination import Destination, Kind
from hub.backends.stomp.message_frame import Heads, Tails
from hub.declarations import Taken
from hub.message import Message

AUTO_AT_ONCE = 256
"""Messages that a subscription with ``ack:auto`` is given at a time: the connection may turn out to be slow."""


class Subscription:
    """One subscription of a session.

    :param number: among those of its session; it stands in the ids of its messages.
    :param id_: as its client calls it; ``None``: a client of version 1.0 gave none.
    :param finish: settles messages. :param send: sends frames.
    :param refuse: ends the session, with a reason: there will be no more messages.
    :param matches: tells whether it wants a message; ``None``: it wants all.
    :param numbered: true if a message's position is its place in the log, which its client is told.
    :ivar blocked: true if its connection is slow, so that it gets nothing for now.
    :ivar delivered: messages that it was sent.
    """

    def __init__(
        self,
        number: int,
        id_: str | None,
        destination: Destination,
        mode: AckMode,
        credit: Credit,
        heads: Heads,
        tails: Tails,
        finish: Finish,
        send: Callable[[Sequence[bytes]], None],
        refuse: Callable[[str], None],
        matches: Callable[[Message], bool] | None = None,
        numbered: bool = False,
    ) -> None:
        self.number = number
        self.id = id_
        self.destination = destination
        self.mode = mode
        self.blocked = False
        self.in_hand = Deliveries(finish)
        self.delivered = 0
        self._credit = credit
        self._full = False
        self._heads, self._tails = heads, tails
        self._finish, self._send = finish, send
        self.refuse = refuse
        self.matches = matches
        self._numbered = numbered

    def deleted(self) -> None:
        """End, because an operator has deleted its queue: its client would wait in vain."""
        self.refuse(f"{self.destination} was deleted")

    @property
    def selects(self) -> bool:
        """True if what it does not want waits for others. Of a topic, each subscription has its own messages."""
        return self.matches is not None and self.destination.kind is not Kind.TOPIC

    @property
    def cumulative(self) -> bool:
        """True if an ACK is for all messages before it, too."""
        return self.mode is AckMode.CLIENT

    def room(self) -> int:
        """Messages that it takes now."""
        if self.blocked or self._full:
            return 0
        if self.mode is AckMode.AUTO:
            return AUTO_AT_ONCE
        return max(0, self._credit.count - len(self.in_hand))

    def fitting(self, taken: Sequence[Taken]) -> int:
        """Number of these messages, from the first one on, that fit into the bytes of the credit. If not all do, it has
        no more room until something is settled."""
        if self.mode is AckMode.AUTO:
            return len(taken)
        left = self._credit.size - self.in_hand.size
        for index, one in enumerate(taken):
            left -= len(one.current.body)
            if left < 0 and (index or len(self.in_hand)):
                self._full = True
                return index
        return len(taken)

    def deliver(self, taken: Sequence[Taken], earlier: Sequence[int]) -> None:
        """Send messages to the client. :param earlier: number of earlier deliveries of each; empty: none had any."""
        self.delivered += len(taken)
        tail_of = self._tails.of
        tails = [tail_of(one.current) for one in taken]
        auto = self.mode is AckMode.AUTO
        first = self.in_hand.pass_by(len(taken)) if auto else self.in_hand.add(taken)
        offsets = [one.position for one in taken] if self._numbered else ()
        self._send(self._heads.frames(first, earlier, tails, offsets))
        if auto:
            self._finish(taken)

    def settled(self) -> bool:
        """Report the acks to the queue: there is credit again. :returns: whether there were any."""
        reported = self.in_hand.report()
        if reported:
            self._full = False
        return reported

    def rejected(self) -> None:
        """There is credit again, after messages were taken out of the client's hand."""
        self._full = False
