"""Types of the rows of consumers and their queues."""

from typing import Annotated, Any, TypedDict

from hub.status.metric import ErrorText, Metric, PublicText
from hub.status.states import CaughtUpKind, ConditionWord, ConsumerState, Level, ThreadState, Trend


class Quantiles(TypedDict):
    """Percentiles, in seconds."""

    p50: float | None
    p95: float | None
    p99: float | None


class HistogramRow(TypedDict):
    """A histogram: counts by upper bound in seconds, not cumulative, one more than bounds; and the sum of all
    seconds."""

    bounds: list[float]
    counts: list[int]
    sum: float


class ConditionRow(TypedDict):
    """A condition of a consumer. Its reason names classes of errors, never their texts."""

    word: ConditionWord
    level: Level
    reason: PublicText


class WorkerRow(TypedDict):
    """A worker thread, and the seconds for which it has had a message in hand."""

    name: PublicText
    state: ThreadState
    topic: str | None
    message_id: str | None
    seconds: float | None


class FailureRow(TypedDict):
    """The last failed attempt; ``attempt`` counts from 1."""

    time: float
    error: PublicText
    text: str
    topic: str
    message_id: str
    attempt: int


class QueueStatus(TypedDict):
    """The numbers of a queue.

    Counts of a durable queue survive a restart. They are as of the last commit, so that none is lower after a kill.
    """

    backlog: Annotated[
        int,
        Metric("gauge", "{message}", "Received and not settled: waiting, delayed, or in a worker's hands.", column=4),
    ]
    in_flight: Annotated[int, Metric("gauge", "{message}", "In a worker's hands.", column=5)]
    delayed: Annotated[
        int, Metric("gauge", "{message}", "Waiting for their next attempt, or until they are due.", column=6)
    ]
    received: Annotated[int, Metric("counter", "{message}", "Messages routed to it.", column=8)]
    received_bytes: Annotated[int, Metric("counter", "By", "Bytes of their bodies.", column=17)]
    finished: Annotated[int, Metric("counter", "{message}", "Messages that consume() returned from.", column=9)]
    failed: Annotated[
        int, Metric("counter", "{attempt}", "Attempts that ended with an error.", column=10, level="warn")
    ]
    retried: Annotated[int, Metric("counter", "{attempt}", "Messages given back for another attempt.", column=18)]
    rejected: Annotated[
        int,
        Metric("counter", "{message}", "Messages that the consumer rejected; they are dead letters.", column=19),
    ]
    dead: Annotated[
        int, Metric("counter", "{message}", "Messages that became dead letters.", column=11, title="buried")
    ]
    dead_letters: Annotated[
        int, Metric("gauge", "{letter}", "Dead letters that are there now.", column=20, title="dead", level="warn")
    ]
    dead_lost: Annotated[
        int,
        Metric(
            "counter",
            "{message}",
            "Dead letters given up for newer ones, beyond max_dead.",
            column=21,
            title="evicted",
            level="bad",
        ),
    ]
    dropped: Annotated[
        int,
        Metric(
            "counter",
            "{message}",
            "Messages dropped: no room, too old, damaged, purged, drained.",
            column=12,
            level="warn",
        ),
    ]
    dropped_by: Annotated[
        dict[str, int],
        Metric(
            "counter", "{message}", "Messages dropped, by cause.", by="cause", total="dropped", title="dropped by cause"
        ),
    ]
    settled_elsewhere: Annotated[
        int,
        Metric(
            "counter",
            "{job}",
            "Jobs of its queue in a database that other programs have ended, or that were cancelled.",
            title="elsewhere",
        ),
    ]
    oldest_age: Annotated[
        float | None,
        Metric("gauge", "s", "Age of the oldest message that is not settled.", column=7, title="oldest"),
    ]
    durable: bool


class Forecast(TypedDict):
    """Time to catch up; see :mod:`hub.stats.catchup`. ``alone``: the time if no more messages arrived."""

    trend: Trend | None
    catch_up_seconds: Annotated[
        float | None,
        Metric(
            "gauge", "s", "Time until there is no backlog, at the present rates.", column=13, title="time to catch up"
        ),
    ]
    catch_up_at: float | None
    catch_up_estimated: bool
    catch_up_alone_seconds: float | None


_Class = TypedDict("_Class", {"class": PublicText | None})


class WorkStatus(TypedDict):
    """The work of a consumer's threads; empty for a queue that no threads drain.

    ``own``: the result of the consumer's ``status()``; a list if each worker has an instance.
    """

    consume_time: Annotated[Quantiles, Metric("quantiles", "s", "How long consume() takes.")]
    age_at_finish: Annotated[Quantiles, Metric("quantiles", "s", "Age of the messages when they were finished.")]
    threads_replaced: Annotated[
        int, Metric("counter", "{thread}", "Worker threads that died and were replaced.", column=22, level="warn")
    ]
    tick_failures: Annotated[
        int, Metric("counter", "{call}", "Calls of tick() that raised.", column=23, title="failed ticks", level="warn")
    ]
    error: ErrorText | None
    tick_error: ErrorText | None
    last_error: FailureRow | None
    own: Any
    consume_buckets: list[list[float]]
    consume_histogram: Annotated[HistogramRow | None, Metric("histogram", "s", "How long consume() takes.")]


class ConsumerNumbers(_Class, QueueStatus, Forecast, WorkStatus):
    """The status of a queue and its consumer, without the words.

    ``declared``: a backend has declared the queue for its clients. ``summed_in``: the row that sums it and others,
    which exporters are shown in its place.
    """

    type: PublicText | None
    state: Annotated[ConsumerState, Metric("states", "", "1 for the state that it is in.", column=3)]
    drained_by: PublicText
    declared: bool
    summed_in: PublicText | None
    conditions: list[ConditionRow]
    paused: bool
    paused_until: float | None
    draining: bool
    topics: list[PublicText]
    threads: Annotated[int, Metric("gauge", "{thread}", "Worker threads alive.", column=15)]
    readers: Annotated[
        int | None,
        Metric("gauge", "{reader}", "Clients that read a declared queue now: their subscriptions.", column=24),
    ]
    workers: list[WorkerRow]
    utilisation: Annotated[
        float | None,
        Metric(
            "gauge", "1", "Share of its threads' time spent in consume(), in the last seconds.", column=14, title="busy"
        ),
    ]
    rate_in: Annotated[
        float | None, Metric("gauge", "{message}/s", "Messages that come, in the last seconds.", title="in/s")
    ]
    rate_out: Annotated[
        float | None, Metric("gauge", "{message}/s", "Messages settled, in the last seconds.", title="out/s")
    ]


class Words(TypedDict):
    """The numbers in words for people, which every program shows.

    ``condition``: such as ``failing, paused``. ``held``: an operator has paused or drained the consumer, so that it can
    be resumed. ``caught_up``: such as ``in 3m 20s`` or ``falling behind``; see :mod:`hub.stats.words`.
    """

    condition: PublicText
    held: bool
    caught_up: PublicText
    caught_up_detail: PublicText
    caught_up_kind: CaughtUpKind


class Sums(TypedDict, total=False):
    """The numbers that only a row has that sums several queues."""

    queues: Annotated[int, Metric("gauge", "{queue}", "Queues that the row sums.")]
    largest_backlog: Annotated[
        int, Metric("gauge", "{message}", "Backlog of the one of these queues that has the most.")
    ]


class ConsumerStatus(ConsumerNumbers, Words, Sums):
    """A queue, and the consumer that drains it, if one does."""
