"""Reader of streams: the user of the connection that waits for entries."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from hub.backends.redis.delivery import Deliveries
from hub.backends.redis.group import Group, found_in
from hub.backends.redis.in_hand import InHand
from hub.backends.redis.line import ErrorReply, Line
from hub.backends.redis.replies import is_of_whole_server, refusal_text
from hub.backends.redis.settings import Config
from hub.backends.redis.troubles import RETRY, Troubles, shown
from hub.interfaces import Clock

BLOCK = 0.5
"""Seconds for which the server waits for an entry. A stop, or a pause, waits as long."""
QUIET = 2.0
"""Seconds without a question, while nothing may be read: then the connection is tried."""


LAST = b"%d-%d" % ((1 << 64) - 1, (1 << 64) - 2)
"""The highest id but one. To Redis the highest one is ``>``: it would give a new entry."""
JOB = "read"
"""Names of its work, under which troubles are noted."""


class StreamReader:
    """Reads from all streams, in the name of the group.

    On each new connection it first reads what this hub was given before and does not have in hand: after a restart all
    of it, else that whose answer was lost.

    One command reads all streams, and the server refuses all of it for one that can't be read. That one is set aside
    then, and tried again after a while, and the others are read on. If there is no other, the connection ends.

    :param consumer: this hub's name in the group. :param clock: monotonic.
    """

    wait = BLOCK

    def __init__(
        self,
        config: Config,
        groups: Sequence[Group],
        in_hand: InHand,
        deliveries: Deliveries,
        troubles: Troubles,
        log: logging.LoggerAdapter[logging.Logger],
        consumer: str,
        clock: Clock,
    ) -> None:
        self.paused = False
        self._consumer = consumer
        self._config = config
        self._groups = groups
        self._by_stream = {group.stream.encode(): group for group in groups}
        self._in_hand = in_hand
        self._deliveries = deliveries
        self._troubles = troubles
        self._log = log
        self._clock = clock
        self._histories: list[tuple[Group, bytes]] = []
        self._due = 0.0

    @property
    def streams(self) -> list[str]:
        """Streams that the server has confirmed."""
        return [group.stream for group in self._groups if group.is_ready]

    def prepare(self, line: Line) -> None:
        """Make the groups that are missing, and see that they can be read."""
        self._histories = []
        self._open(line, self._groups)

    def step(self, line: Line) -> None:
        """Read a batch, or wait for one."""
        if self.paused:
            self._in_hand.wait_for_wake(QUIET)
            line.call("PING")
            return
        self._try_again(line)
        if self._in_hand.room:
            self._read(line)
        else:
            self._in_hand.wait_for_room(QUIET)
            line.call("PING")

    # -- which streams can be read

    def _try_again(self, line: Line) -> None:
        refused = [group for group in self._groups if not group.is_ready]
        if refused and self._clock() >= self._due:
            self._open(line, refused)

    def _open(self, line: Line, groups: Sequence[Group]) -> bool:
        """Make ready to read. A stream that is refused is set aside.

        :returns: whether anything was not as it had been. :raises ErrorReply: no stream can be read.
        """
        refused: dict[str, ErrorReply] = {}
        changed = False
        for group in groups:
            try:
                changed |= self._open_one(line, group)
            except ErrorReply as error:
                if is_of_whole_server(error):
                    raise
                group.is_ready = False
                refused[group.stream] = error
        self._histories = [one for one in self._histories if one[0].is_ready]
        self._due = self._clock() + RETRY
        if not self.streams:
            told = [f"stream {shown(stream)}: {refusal_text(words)}" for stream, words in refused.items()]
            raise ErrorReply("; ".join(told))
        for stream, words in refused.items():
            self._troubles.note(stream, JOB, words)
        return changed or bool(refused)

    def _open_one(self, line: Line, group: Group) -> bool:
        made = group.open(line, LAST)
        if made:
            name = self._config.group
            self._log.info("stream %s: made the group %s", group.stream, name, extra={"action": "subscribe"})
        group.is_ready = True
        self._troubles.clear(group.stream, JOB)
        self._histories = [*(one for one in self._histories if one[0] is not group), (group, b"0-0")]
        return made

    # -- what they hold

    def _read(self, line: Line) -> None:
        count = min(self._config.count, self._in_hand.room)
        try:
            if self._histories:
                self._read_history(line, count)
            else:
                self._read_new(line, count)
        except ErrorReply as error:
            if is_of_whole_server(error):
                raise
            if not self._open(line, [group for group in self._groups if group.is_ready]):
                raise  # each of them can be read by itself

    def _read_new(self, line: Line, count: int) -> None:
        names = self.streams
        place = ("GROUP", self._config.group, self._consumer, "COUNT", max(1, count // len(names)))
        block = ("BLOCK", int(BLOCK * 1000), "STREAMS", *names, *[">"] * len(names))
        for name, rows in line.call("XREADGROUP", *place, *block) or ():
            self._deliveries.deliver(self._by_stream[name].stream, found_in(rows))

    def _read_history(self, line: Line, count: int) -> None:
        group, after = self._histories[0]
        found = group.history(line, after, count)
        self._histories = self._histories[1:]
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
        self._troubles.forget(JOB)

    def wake(self) -> None:
        """End the waits."""
        self._in_hand.stop()
