"""Deliveries: the messages that the client of one subscription has in hand. Pure.

Each message that a subscription delivers has a *serial*, from 1; those in hand are in the order of their serials. Acks
are noted first, and reported together: one lock for all that one read of the socket brought.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hub.declarations import Taken

Finish = Callable[[Sequence[Taken]], None]
"""Settles messages as finished."""


class Deliveries:
    """Messages that the client of one subscription has in hand.

    :ivar next_serial: the serial of the next message. :ivar size: bytes of the bodies in hand.
    """

    def __init__(self, finish: Finish) -> None:
        self.next_serial = 1
        self.size = 0
        self._finish = finish
        self._in_hand: dict[int, Taken] = {}
        self._acked: list[Taken] = []

    def __len__(self) -> int:
        """Number of messages in hand."""
        return len(self._in_hand)

    @property
    def first(self) -> tuple[int, Taken] | None:
        """The message that was delivered first of those in hand, with its serial; ``None``: there are none."""
        return next(iter(self._in_hand.items()), None)

    def add(self, taken: Sequence[Taken]) -> int:
        """Add messages that the client gets. :returns: the serial of the first one."""
        first = self.next_serial
        self.next_serial = first + len(taken)
        self._in_hand.update(zip(range(first, self.next_serial), taken, strict=True))
        self.size += sum([len(one.current.body) for one in taken])
        return first

    def pass_by(self, count: int) -> int:
        """Give serials to messages that need no ack. :returns: the first one."""
        first = self.next_serial
        self.next_serial = first + count
        return first

    def ack(self, serial: int, cumulative: bool) -> int:
        """Note that a message is done. :param cumulative: and all before it. :returns: those that were in hand."""
        acked = self.take(serial, cumulative)
        self._acked += acked
        return len(acked)

    def take(self, serial: int, cumulative: bool) -> Sequence[Taken]:
        """Take a message out of the client's hand. :param cumulative: and all before it. :returns: those that were
        there, in order: the caller settles them."""
        if cumulative:
            serials = []
            for one in self._in_hand:
                if one > serial:
                    break
                serials.append(one)
        else:
            serials = [serial] if serial in self._in_hand else []
        taken = [self._in_hand.pop(one) for one in serials]
        self.size -= sum([len(one.current.body) for one in taken])
        return taken

    def report(self) -> bool:
        """Settle what was acked. :returns: whether there was anything."""
        if not self._acked:
            return False
        acked, self._acked = self._acked, []
        self._finish(acked)
        return True

    def take_all(self) -> dict[int, Taken]:
        """Take everything out of the client's hand, by serial, when the subscription ends. Acks are reported."""
        self.report()
        left, self._in_hand = self._in_hand, {}
        self.size = 0
        return left
