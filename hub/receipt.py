"""The receipt: the result of receiving one batch of messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec


class Receipt(msgspec.Struct, frozen=True):
    """The result of receiving one batch. Messages not listed below were accepted.

    :ivar count: messages in the batch. :ivar duplicates: indexes of messages that came before, and were left out.
    :ivar full: indexes of messages that some matching queue did not take, because it is full or drained.
    :ivar turned_away: reasons by index, for messages that a stage dropped or buried.
    """

    count: int
    duplicates: Sequence[int] = ()
    full: Sequence[int] = ()
    turned_away: Mapping[int, str] = {}

    @property
    def accepted(self) -> int:
        """Number of messages accepted by all matching queues."""
        return self.count - len({*self.duplicates, *self.full, *self.turned_away})


Answer = Callable[[Receipt], None]
