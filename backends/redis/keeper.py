"""Keeper of a group: the user of the connection that acknowledges, gives signs of life, claims, counts and trims."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from hub.backends.redis.delivery import Burial, Deliveries
from hub.backends.redis.group import PAGE, Group, Numbers
from hub.backends.redis.in_hand import Entry, InHand
from hub.backends.redis.line import ErrorReply, Line
from hub.backends.redis.replies import is_of_whole_server
from hub.backends.redis.settings import Config
from hub.backends.redis.trimming import Trimmer
from hub.backends.redis.troubles import RETRY, Troubles
from hub.interfaces import Clock

IDLE = 0.5
"""Seconds to wait for acknowledgements."""
SIGNS = 4
"""Signs of life within ``claim_idle``."""
COUNT_INTERVAL, TRIM_INTERVAL = 5.0, 10.0
"""Seconds."""
JOBS = ("acknowledge", "refuse", "freshen", "claim", "count", "trim")
"""Names of its work, under which troubles are noted."""
Job = Callable[[Line, Group], None]


class Keeper:
    """Keeps what the hub has in hand, and the group in order.

    It claims nothing for ``claim_idle`` after it has connected: when the server was away for longer, no hub could give
    a sign of life, and each would take over from all others.

    What the server refuses of one stream is tried again after a while, and what is due for the others is done.

    :param clock: monotonic.
    :ivar claimed: entries taken over from others. :ivar acknowledged: entries that the server was told of.
    """

    wait = 0.0

    def __init__(
        self,
        config: Config,
        groups: Sequence[Group],
        in_hand: InHand,
        deliveries: Deliveries,
        troubles: Troubles,
        clock: Clock,
    ) -> None:
        self.paused = False
        self.claimed = self.acknowledged = self.buried = 0
        self.numbers: dict[str, Numbers] = {}
        self.trimmer = Trimmer(config)
        self._config = config
        self._groups = {group.stream: group for group in groups}
        self._in_hand = in_hand
        self._deliveries = deliveries
        self._troubles = troubles
        self._clock = clock
        self._due: dict[tuple[str, str], float] = {}
        self._claims_from = self._tries_from = 0.0
        self._refused: list[Entry] = []

    def prepare(self, line: Line) -> None:
        """Give signs of life first: others may have waited for them."""
        self._due.clear()
        self._claims_from = self._clock() + self._config.claim_idle
        self._try_refused()
        line.call("PING")

    def step(self, line: Line) -> None:
        """Acknowledge what is settled, and do what is due."""
        self._acknowledge_settled(line, IDLE)
        if self._clock() >= self._tries_from:
            self._try_refused()
            self._bury(line)
        for group in self._groups.values():
            self._do("freshen", self._config.claim_idle / SIGNS, self._freshen, line, group)
            if group.is_ready:
                if not self.paused and self._clock() >= self._claims_from:
                    self._do("claim", self._config.claim_idle / SIGNS, self._claim, line, group)
                self._do("count", COUNT_INTERVAL, self._count, line, group)
                self._do("trim", TRIM_INTERVAL, self._trim, line, group)
            else:
                self.numbers.pop(group.stream, None)

    def _do(self, job: str, interval: float, function: Job, line: Line, group: Group) -> None:
        key, now = (job, group.stream), self._clock()
        if now < self._due.get(key, now):
            return
        self._due[key] = now + interval
        try:
            function(line, group)
        except ErrorReply as error:
            self._note(group.stream, job, error)
            self._due[key] = now + min(interval, RETRY)
        else:
            self._troubles.clear(group.stream, job)

    def _note(self, stream: str, job: str, error: ErrorReply) -> None:
        """Note what is refused of one stream. :raises ErrorReply: the server refuses the others', too."""
        if is_of_whole_server(error):
            raise error
        self._troubles.note(stream, job, error)

    def finish(self, line: Line) -> None:
        """Acknowledge what was settled while the last step did something else."""
        self._try_refused()
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
        parts = [
            (name, some[start : start + PAGE]) for name, some in ids.items() for start in range(0, len(some), PAGE)
        ]
        try:
            replies = line.pipeline([self._groups[name].acknowledging(some) for name, some in parts])
        except BaseException:
            self._in_hand.put_back(settled)
            raise
        refused: dict[str, ErrorReply] = {}
        for (name, some), reply in zip(parts, replies, strict=True):
            entries = [Entry(name, one) for one in some]
            if isinstance(reply, ErrorReply):
                refused[name] = reply
                self._refused += entries
                self._tries_from = self._clock() + RETRY
            else:
                self._in_hand.acknowledged(entries)
                self.acknowledged += len(entries)
        for name in ids.keys() - refused.keys():
            self._troubles.clear(name, "acknowledge")
        for name, error in refused.items():
            self._note(name, "acknowledge", error)

    def _try_refused(self) -> None:
        """Have those acknowledged whose acknowledgement was refused."""
        refused, self._refused = self._refused, []
        if refused:
            self._in_hand.put_back(refused)

    def _bury(self, line: Line) -> None:
        """Give up what can't be used. What is refused stays, and with it the others of its stream."""
        burials, refused = self._deliveries.burials, set[str]()
        for _ in range(len(burials)):
            burial = burials[0]
            stream = burial.entry.stream
            if stream not in refused:
                try:
                    self._bury_one(line, self._groups[stream], burial)
                except ErrorReply as error:
                    self._note(stream, "refuse", error)
                    self._tries_from = self._clock() + RETRY
                    refused.add(stream)
                else:
                    self._troubles.clear(stream, "refuse")
                    self._in_hand.acknowledged([burial.entry])
                    self.buried += 1
                    burials.popleft()
                    continue
            burials.rotate(-1)

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
        self._troubles.forget(*JOBS)

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
