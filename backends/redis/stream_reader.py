"""Reader of streams: the user of the connection that waits for entries."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from hub.backends.redis.delivery import Deliveries
from hub.backends.redis.group import Group, found_in
from hub.backends.redis.in_hand import InHand
from hub.backends.redis.line import Line
from hub.backends.redis.settings import Config

BLOCK = 0.5
"""Seconds for which the server waits for an entry. A stop, or a pause, waits as long."""
QUIET = 2.0
"""Seconds without a question, while nothing may be read: then the connection is tried."""


LAST = b"%d-%d" % ((1 << 64) - 1, (1 << 64) - 2)
"""The highest id but one. To Redis the highest one is ``>``: it would give a new entry."""


class StreamReader:
    """Reads from all streams, in the name of the group.

    On each new connection it first reads what this hub was given before and does not have in hand: after a restart all
    of it, else that whose answer was lost.
    """

    wait = BLOCK

    def __init__(
        self,
        config: Config,
        groups: Sequence[Group],
        in_hand: InHand,
        deliveries: Deliveries,
        log: logging.LoggerAdapter[logging.Logger],
    ) -> None:
        self.paused = False
        self._config = config
        self._groups = groups
        self._by_stream = {group.stream.encode(): group for group in groups}
        self._in_hand = in_hand
        self._deliveries = deliveries
        self._log = log
        self._histories: list[tuple[Group, bytes]] = []

    def prepare(self, line: Line) -> None:
        """Make the groups that are missing, and see that they can be read."""
        for group in self._groups:
            if group.create(line):
                name = self._config.group
                self._log.info("stream %s: made the group %s", group.stream, name, extra={"action": "subscribe"})
            group.history(line, LAST, 1)  # says whether the user may
        self._histories = [(group, b"0-0") for group in self._groups]

    def step(self, line: Line) -> None:
        """Read a batch, or wait for one."""
        if self.paused:
            self._in_hand.wait_for_wake(QUIET)
        elif not self._in_hand.room:
            self._in_hand.wait_for_room(QUIET)
        else:
            self._read(line)
            return
        line.call("PING")

    def _read(self, line: Line) -> None:
        count = min(self._config.count, self._in_hand.room)
        if self._histories:
            self._read_history(line, count)
            return
        names = [group.stream for group in self._groups]
        place = ("GROUP", self._config.group, self._config.consumer_name, "COUNT", max(1, count // len(names)))
        block = ("BLOCK", int(BLOCK * 1000), "STREAMS", *names, *[">"] * len(names))
        for name, rows in line.call("XREADGROUP", *place, *block) or ():
            self._deliveries.deliver(self._by_stream[name].stream, found_in(rows))

    def _read_history(self, line: Line, count: int) -> None:
        group, after = self._histories.pop(0)
        found = group.history(line, after, count)
        if not found:
            return
        self._histories.insert(0, (group, found[-1].id))
        missing = self._in_hand.without(group.stream, [entry.id for entry in found])
        mine = [entry for entry in found if entry.id in missing]
        if mine:
            counts = group.deliveries(line, [entry.id for entry in found])
            self._deliveries.deliver(group.stream, mine, counts)

    def finish(self, line: Line) -> None:
        """Do nothing: what is unread waits on the server."""

    def lost(self, reason: str) -> None:
        """Keep what is in hand: the server knows of it."""

    def wake(self) -> None:
        """End the waits."""
        self._in_hand.stop()
