"""Announcements of a hub to the other hubs of its cluster, in bounded size. Pure.

What another hub says is not trusted: each value has its bounds, and what is beyond them is refused as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from hub.stats.counters import Counters, QueueStats
from hub.status.states import HubState, Trend

MOST_QUEUES = 100
"""Queues of a hub's own that an announcement tells of one by one. Further ones are summed in one row."""
MOST_SHARED = 100
"""Queues that hubs share, beside these. Further ones are not told of: in the sums of its others each hub would count
them."""
MOST_REASONS = 5
"""Reasons why a hub is not ready, of which an announcement tells."""
MOST_BYTES = 192 << 10
"""Bytes of an announcement, as text. The largest one that a hub makes has about 160 KiB."""
LONGEST_NAME = 255
LONGEST_REASON = 200

Name = Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)]
Reason = Annotated[str, Meta(max_length=LONGEST_REASON)]
Count = Annotated[int, Meta(ge=0, le=1 << 53)]
Seconds = Annotated[float, Meta(ge=0.0, le=1e10)]
Rate = Annotated[float, Meta(ge=0.0, le=1e10)]


class QueueNews(msgspec.Struct, frozen=True, omit_defaults=True):
    """The numbers of one queue of a hub.

    :ivar received: and ``settled``, ``dropped``, ``dropped_on_arrival``, ``busy``: as those of a sample of the queue,
        see :class:`hub.stats.samples.Sample`.
    :ivar shared: the numbers are of a queue that all hubs share, such as one of jobs in a database, not of this hub.
    """

    name: Name
    received: Count = 0
    settled: Count = 0
    dropped: Count = 0
    dropped_on_arrival: Count = 0
    busy: Seconds = 0.0
    in_flight: Count = 0
    delayed: Count = 0
    threads: Count = 0
    dead_letters: Count = 0
    rate_in: Rate | None = None
    rate_out: Rate | None = None
    oldest_age: Seconds | None = None
    catch_up_seconds: Seconds | None = None
    trend: Trend = "unknown"
    paused: bool = False
    shared: bool = False

    def __post_init__(self) -> None:
        """Check that the numbers fit together."""
        if not self.dropped_on_arrival <= self.dropped <= self.settled <= self.received:
            raise ValueError("the numbers of a queue do not fit together")

    @property
    def backlog(self) -> int:
        """Messages that are received and not settled."""
        return self.received - self.settled

    def stats(self) -> QueueStats:
        """The numbers as a reading of a queue, for the estimator."""
        waited = self.dropped - self.dropped_on_arrival
        counters = Counters(
            received=self.received,
            finished=self.settled - self.dropped,
            dropped_newest=self.dropped_on_arrival,
            dropped_oldest=waited,
        )
        return QueueStats(counters, self.in_flight, self.delayed, None)


class Announcement(msgspec.Struct, frozen=True, omit_defaults=True):
    """A hub's state and numbers, as it tells them to others.

    :ivar start: a random number of this start of the hub, in hexadecimal digits. :ivar number: of the announcement,
        from 1 on. Both make an old announcement known as one.
    :ivar began: epoch seconds of its start. :ivar time: epoch seconds of the announcement, by the clock of the hub.
    :ivar interval: seconds until the next one.
    :ivar leaving: this is its last announcement: the hub stops in order. :ivar reload: not that, but its settings have
        changed; ``follows``: the start that it was until then.
    :ivar reasons: why it is not ready; none: it is ready.
    :ivar others: the sum of the hub's own queues that are left out.
    :ivar left_out: number of queues that are not told of one by one, because there are too many.
    """

    node: Name
    start: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
    number: Count
    began: Seconds
    time: Seconds
    interval: Annotated[float, Meta(ge=0.1, le=3600.0)]
    version: Annotated[str, Meta(max_length=64)]
    state: HubState
    leaving: bool = False
    reload: bool = False
    follows: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")] | None = None
    reasons: Annotated[list[Reason], Meta(max_length=MOST_REASONS)] = []
    queues: Annotated[list[QueueNews], Meta(max_length=MOST_QUEUES + MOST_SHARED)] = []
    others: QueueNews | None = None
    left_out: Count = 0

    def __post_init__(self) -> None:
        """Check that each queue is there once."""
        if len({queue.name for queue in self.queues}) < len(self.queues):
            raise ValueError("a queue is there twice")

    def all_queues(self) -> list[QueueNews]:
        """The queues, and the sum of those that were left out."""
        return self.queues if self.others is None else [*self.queues, self.others]


_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Announcement)

OTHERS: Literal["(others)"] = "(others)"
"""Name of the row that sums the queues that an announcement leaves out. No queue can have it."""


def written(announcement: Announcement) -> str:
    """The text of an announcement."""
    return _encode(announcement).decode()


def read(text: str) -> Announcement:
    """Read a text. :raises ValueError: it is none, or beyond the bounds."""
    try:
        return _decoder.decode(text)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(str(error)) from error


def bounded(queues: list[QueueNews]) -> tuple[list[QueueNews], QueueNews | None, int]:
    """The first queues by name, :data:`MOST_QUEUES` of its own and :data:`MOST_SHARED`; the sum of its other own
    ones, if there are some; the number of all that are left out."""
    ordered = sorted(queues, key=lambda queue: queue.name)
    own, shared = [queue for queue in ordered if not queue.shared], [queue for queue in ordered if queue.shared]
    told, rest = [*own[:MOST_QUEUES], *shared[:MOST_SHARED]], own[MOST_QUEUES:]
    return told, total(OTHERS, rest) if rest else None, len(ordered) - len(told)


def total(name: str, queues: list[QueueNews]) -> QueueNews:
    """The sum of queues, under a name. It has no forecast of its own."""
    ages = [queue.oldest_age for queue in queues if queue.oldest_age is not None]
    return QueueNews(
        name,
        **{key: sum([getattr(queue, key) for queue in queues]) for key in _SUMMED},
        rate_in=sum_of_known(queue.rate_in for queue in queues),
        rate_out=sum_of_known(queue.rate_out for queue in queues),
        oldest_age=max(ages, default=None),
        paused=all(queue.paused for queue in queues),
    )


_SUMMED = (
    *("received", "settled", "dropped", "dropped_on_arrival"),
    *("busy", "in_flight", "delayed", "threads", "dead_letters"),
)


def sum_of_known(rates: Iterable[float | None]) -> float | None:
    """The sum of the rates that are known; ``None``: none is."""
    known = [rate for rate in rates if rate is not None]
    return sum(known) if known else None
