"""Keeper of a group: the user of the connection that acknowledges, gives signs of life, claims, counts and trims."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from hub.backends.redis.delivery import Burial, Deliveries
from hub.backends.redis.group import PAGE, Group, Numbers
from hub.backends.redis.in_hand import Entry, InHand
from hub.backends.redis.line import ErrorReply, Line
from hub.backends.redis.settings import Config
from hub.backends.redis.trimming import Trimmer
from hub.interfaces import Clock

IDLE = 0.5
"""Seconds to wait for acknowledgements."""
SIGNS = 4
"""Signs of life within ``claim_idle``."""
COUNT_INTERVAL, TRIM_INTERVAL = 5.0, 10.0
"""Seconds."""


class Keeper:
    """Keeps what the hub has in hand, and the group in order.

    It claims nothing for ``claim_idle`` after it has connected: when the server was away for longer, no hub could give
    a sign of life, and each would take over from all others.

    :param clock: monotonic.
    :ivar claimed: entries taken over from others. :ivar acknowledged: entries that the server was told of.
    """

    wait = 0.0

    def __init__(
        self, config: Config, groups: Sequence[Group], in_hand: InHand, deliveries: Deliveries, clock: Clock
    ) -> None:
        self.paused = False
        self.claimed = self.acknowledged = self.buried = 0
        self.numbers: dict[str, Numbers] = {}
        self.trimmer = Trimmer(config)
        self._config = config
        self._groups = {group.stream: group for group in groups}
        self._in_hand = in_hand
        self._deliveries = deliveries
        self._clock = clock
        self._due: dict[str, float] = {}

    def prepare(self, line: Line) -> None:
        """Give signs of life first: others may have waited for them."""
        now = self._clock()
        self._due = {"freshen": now, "count": now, "trim": now, "claim": now + self._config.claim_idle}
        line.call("PING")

    def step(self, line: Line) -> None:
        """Acknowledge what is settled, and do what is due."""
        self._acknowledge_settled(line, IDLE)
        self._bury(line)
        self._do("freshen", self._config.claim_idle / SIGNS, line, self._freshen)
        if not self.paused:
            self._do("claim", self._config.claim_idle / SIGNS, line, self._claim)
        self._do("count", COUNT_INTERVAL, line, self._count)
        self._do("trim", TRIM_INTERVAL, line, self._trim)

    def _do(self, name: str, interval: float, line: Line, function: Any) -> None:
        now = self._clock()
        if now >= self._due[name]:
            self._due[name] = now + interval
            for group in self._groups.values():
                function(line, group)

    def finish(self, line: Line) -> None:
        """Acknowledge what was settled while the last step did something else."""
        self._acknowledge_settled(line, 0)

    # -- what is settled

    def _acknowledge_settled(self, line: Line, timeout: float) -> None:
        settled = self._in_hand.take_settled(timeout)
        if settled:
            self._acknowledge(line, settled)

    def _acknowledge(self, line: Line, settled: list[Entry]) -> None:
        """Acknowledge. Told twice, as after a lost answer, it does nothing."""
        ids: dict[str, list[bytes]] = defaultdict(list)
        for entry in settled:
            ids[entry.stream].append(entry.id)
        try:
            commands = [
                self._groups[name].acknowledging(some[start : start + PAGE])
                for name, some in ids.items()
                for start in range(0, len(some), PAGE)
            ]
            refused = [reply for reply in line.pipeline(commands) if isinstance(reply, ErrorReply)]
            if refused:
                raise refused[0]
        except BaseException:
            self._in_hand.put_back(settled)
            raise
        self._in_hand.acknowledged(settled)
        self.acknowledged += len(settled)

    def _bury(self, line: Line) -> None:
        burials = self._deliveries.burials
        while burials:
            burial = burials[0]
            self._bury_one(line, self._groups[burial.entry.stream], burial)
            self._in_hand.acknowledged([burial.entry])
            burials.popleft()
            self.buried += 1

    def _bury_one(self, line: Line, group: Group, burial: Burial) -> None:
        """Move an entry to the stream of refused ones, in one transaction; one whose answer was lost is not moved
        twice."""
        place, acknowledging = self._config.refused_stream, group.acknowledging([burial.entry.id])
        if place is None or burial.fields is None:
            line.call(*acknowledging)
        elif group.is_pending(line, burial.entry.id):
            kind = line.call("TYPE", place)  # an error within EXEC would not keep the rest from being done
            if kind not in (b"none", b"stream"):
                raise ErrorReply(f"WRONGTYPE refused_stream: the key {place!r} holds a {kind.decode()}")
            reason = ("refused-reason", burial.reason, "refused-from", f"{group.stream}/{burial.entry.id.decode()}")
            commands = [("MULTI",), ("XADD", place, "*", *burial.fields, *reason), acknowledging, ("EXEC",)]
            for reply in line.pipeline(commands):
                if isinstance(reply, ErrorReply) and reply.code != "EXECABORT":
                    raise reply

    # -- what is due

    def _freshen(self, line: Line, group: Group) -> None:
        """Give signs of life for what is in hand, and only for what is this hub's still."""
        mine, after = self._in_hand.of(group.stream), b""
        while mine:
            aged = group.aged(line, self._config.claim_idle / SIGNS / 2, after)
            if wanted := [one for one in aged if one in mine]:
                group.freshen(line, wanted)
            if len(aged) < PAGE:
                return
            after = aged[-1]

    def _claim(self, line: Line, group: Group) -> None:
        """Take over what nobody has given a sign of life for."""
        cursor = b"0-0"
        while room := self._in_hand.room:
            claimed = group.claim(line, self._config.claim_idle, cursor, min(room, self._config.count))
            missing = self._in_hand.without(group.stream, [entry.id for entry in claimed.entries])
            mine = [entry for entry in claimed.entries if entry.id in missing]
            if mine:
                self._deliveries.deliver(group.stream, mine, group.deliveries(line, [entry.id for entry in mine]))
                self.claimed += len(mine)
            self._deliveries.gone(group.stream, claimed.gone)
            cursor = claimed.cursor
            if cursor == b"0-0":
                return

    def _count(self, line: Line, group: Group) -> None:
        numbers = self.numbers[group.stream] = group.numbers(line)
        group.floor = numbers.floor

    def _trim(self, line: Line, group: Group) -> None:
        self.trimmer.trim(line, group.stream)

    def lost(self, reason: str) -> None:
        """The numbers are of the past."""
        self.numbers = {}

    def wake(self) -> None:
        """End the wait; what is settled by then is acknowledged."""
        self._in_hand.stop()

    def status(self) -> dict[str, Any]:
        """Counters, and the numbers by stream."""
        numbers = [*self.numbers.items()]
        pending = {name: one.pending for name, one in numbers}
        backlog = {name: one.pending + one.unread for name, one in numbers}
        return {
            "acked": self.acknowledged,
            "claimed": self.claimed,
            "buried": self.buried,
            "trimmed": self.trimmer.trimmed,
            "backlog_on_bus": sum(backlog.values()) if backlog else None,
            "backlog_on_bus_by": backlog,
            "pending_on_bus": sum(pending.values()) if pending else None,
            "pending_on_bus_by": pending,
            "streams": {
                name: {"exact": one.exact, "trim_held_by": self.trimmer.held_by.get(name)} for name, one in numbers
            },
        }
