"""Ledger of the messages that one connection has brought and the broker has not been told about. Pure."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from enum import Enum

import msgspec


class Verdict(Enum):
    """Verdict on a message, which the broker is to be told."""

    NONE = 0
    ACK = 1
    NACK = 2


class Delivery(msgspec.Struct, eq=False):
    """One message of one connection; the token by which the hub confirms it.

    :ivar subscription: id of the subscription. :ivar ack_id: the broker's name of this delivery.
    """

    ledger: Ledger
    subscription: str
    ack_id: str
    verdict: Verdict = Verdict.NONE


Told = tuple[Verdict, Delivery]


class Ledger:
    """Ledger of deliveries in the order of arrival. It decides which of them to tell the broker about, and when.

    :param cumulative: an ACK also settles earlier deliveries (``ack:client``). It is then sent for the longest settled
        beginning of *all* subscriptions: RabbitMQ 3.10 counts an ACK for those of other subscriptions, too.
    """

    def __init__(self, cumulative: bool) -> None:
        self._cumulative = cumulative
        self._order: deque[Delivery] = deque()
        self._open: Counter[str] = Counter()

    def __len__(self) -> int:
        """Number of deliveries that the broker has not been told about."""
        return self._open.total()

    def of(self, subscription: str) -> int:
        """Number of them that one subscription has brought."""
        return self._open[subscription]

    def add(self, subscription: str, ack_id: str) -> Delivery:
        """Note a delivery."""
        delivery = Delivery(self, subscription, ack_id)
        self._open[subscription] += 1
        if self._cumulative:
            self._order.append(delivery)
        return delivery

    def settle(self, deliveries: Sequence[Delivery], verdict: Verdict) -> list[Told]:
        """Settle deliveries. Those of other connections are left out, as the broker delivers them again, and so
        are settled ones.

        :returns: what the broker is to be told now, in this order.
        """
        mine: list[Delivery] = []
        for one in deliveries:
            if one.ledger is self and one.verdict is Verdict.NONE:
                one.verdict = verdict
                mine.append(one)
        if self._cumulative:
            return list(self._settled_beginning())
        for one in mine:
            self._close(one)
        return [(verdict, one) for one in mine]

    def _close(self, delivery: Delivery) -> None:
        name = delivery.subscription
        self._open[name] -= 1
        if not self._open[name]:
            del self._open[name]  # a broker may invent any

    def _settled_beginning(self) -> Iterator[Told]:
        """Take the settled beginning off, with one ACK for each subscription in it and each run between NACKs."""
        order, last = self._order, dict[str, Delivery]()
        while order and order[0].verdict is not Verdict.NONE:
            delivery = order.popleft()
            self._close(delivery)
            if delivery.verdict is Verdict.ACK:
                last[delivery.subscription] = delivery
                continue
            # A NACK is cumulative, too: first the earlier ones are acknowledged.
            yield from ((Verdict.ACK, one) for one in last.values())
            last.clear()
            yield Verdict.NACK, delivery
        yield from ((Verdict.ACK, one) for one in last.values())
