"""Types of the rows of the hub and its store."""

from typing import Annotated, NotRequired, TypedDict

from hub.status.consumers import Quantiles
from hub.status.metric import Metric, PublicText, ReasonText
from hub.status.states import HeadlineKind, HubState, StoreState


class Pinning(TypedDict):
    """A queue that pins the store: its oldest message keeps later pages from being removed."""

    queue: PublicText
    age: float


class StoreStatus(TypedDict):
    """The store. A store in memory has only its state."""

    state: Annotated[StoreState, Metric("states", "", "1 for the state that it is in.", column=1)]
    reason: str | None
    pinned_by: list[Pinning]
    squeezed: bool
    commits: NotRequired[
        Annotated[int, Metric("counter", "{commit}", "Transactions that are safe on the disk.", column=2)]
    ]
    commit_seconds: NotRequired[
        Annotated[Quantiles, Metric("quantiles", "s", "How long a commit takes.", title="commit time")]
    ]
    pages_written: NotRequired[Annotated[int, Metric("counter", "{page}", "Pages of messages written.", column=3)]]
    pages_spared: NotRequired[
        Annotated[int, Metric("counter", "{page}", "Pages that were finished before they had to be written.", column=4)]
    ]
    messages: NotRequired[
        Annotated[int, Metric("counter", "{message}", "Messages committed.", column=5, title="messages stored")]
    ]
    failures: NotRequired[
        Annotated[
            int,
            Metric(
                "counter",
                "{commit}",
                "Commits that failed, and were tried again.",
                column=6,
                title="failed commits",
                level="bad",
            ),
        ]
    ]
    expired: NotRequired[
        Annotated[
            int,
            Metric("counter", "{page}", "Pages of the history that were given up.", column=7, title="expired pages"),
        ]
    ]
    pending: NotRequired[
        Annotated[
            int,
            Metric("gauge", "{batch}", "Batches received and not yet committed.", column=8, title="pending batches"),
        ]
    ]
    pending_bytes: NotRequired[Annotated[int, Metric("gauge", "By", "Bytes received and not yet committed.", column=9)]]
    used_bytes: NotRequired[Annotated[int, Metric("gauge", "By", "Bytes in use on the disk.", column=10, title="used")]]
    history_pages: NotRequired[
        Annotated[int, Metric("gauge", "{page}", "Pages kept after all queues were done with them.", column=11)]
    ]
    cached_bytes: NotRequired[
        Annotated[
            int,
            Metric("gauge", "By", "Bytes of pages read from the disk that are in memory.", column=12, title="cached"),
        ]
    ]


class HeadlineRow(TypedDict):
    """The consumer that will catch up last; see :mod:`hub.stats.headline`."""

    kind: HeadlineKind
    text: PublicText
    detail: PublicText
    consumer: PublicText | None
    others: int
    backlog: int
    seconds: float | None
    at: float | None
    estimated: bool
    alone: float | None
    loss: float | None


class MemoryStatus(TypedDict):
    """The memory of the process."""

    resident_bytes: Annotated[int | None, Metric("gauge", "By", "Memory of the process.", column=7, title="memory")]
    unaccounted_bytes: Annotated[
        int | None,
        Metric(
            "gauge",
            "By",
            "What it grew by since the start, without the messages in memory.",
            column=9,
            title="unaccounted memory",
        ),
    ]


class IntakeStatus(TypedDict):
    """Received messages, by their result on arrival."""

    received: Annotated[
        int,
        Metric("counter", "{message}", "Messages taken in, without duplicates and refused ones.", column=5),
    ]
    received_bytes: Annotated[int, Metric("counter", "By", "Bytes of their bodies.", column=10)]
    unrouted: Annotated[int, Metric("counter", "{message}", "Messages that no consumer wants.", column=11)]
    refused: Annotated[
        int,
        Metric(
            "counter",
            "{message}",
            "Messages with a body that can't be used; no consumer was given them.",
            column=12,
            level="warn",
        ),
    ]
    duplicates: Annotated[int, Metric("counter", "{message}", "Messages left out as duplicates.", column=13)]
    collisions: Annotated[
        int,
        Metric(
            "counter",
            "{message}",
            "Messages whose id had come before, with another body; they are delivered.",
            column=14,
            title="id collisions",
            level="warn",
        ),
    ]


class PublishStatus(TypedDict):
    """Published messages of consumers and operators, all buses together."""

    published: Annotated[int, Metric("counter", "{message}", "Messages sent out.", column=15)]
    publish_failed: Annotated[
        int,
        Metric(
            "counter",
            "{message}",
            "Messages that could not be sent out.",
            column=16,
            title="publishing failed",
            level="bad",
        ),
    ]
    outboxes_without_backend: dict[str, int]
    """Number of stored messages for backends that are not configured, by name."""


class HubRow(MemoryStatus, IntakeStatus, PublishStatus):
    """The hub as a whole. Its counts begin at 0 with the process."""

    name: PublicText
    version: PublicText
    state: Annotated[HubState, Metric("states", "", "1 for the state that it is in.", column=2)]
    ready: Annotated[
        bool,
        Metric("flag", "1", "1: ready to take messages. The reasons why not are in 'hubbub status'.", column=3),
    ]
    not_ready: list[ReasonText]
    """Reasons, none if it is ready; if ``draining``, the first one is that."""
    uptime: Annotated[float, Metric("gauge", "s", "Since the hub's start.", column=4)]
    time: float
    config: PublicText | None
    pid: int
    backlog: Annotated[int, Metric("gauge", "{message}", "Of all consumers together.", column=6)]
    headline: HeadlineRow
    held_back: Annotated[bool, Metric("flag", "1", "1: the buses are held back because there is no room.", column=17)]
    held_back_by: PublicText | None
    draining: Annotated[
        bool, Metric("flag", "1", "1: an operator holds the buses back until all queues are empty.", column=18)
    ]
    lag: Annotated[
        float | None,
        Metric(
            "gauge",
            "s",
            "How late the receiving thread came to its work, at its worst in the last minute.",
            column=19,
            title="reactor lag",
            level="warn",
            limit=0.25,
        ),
    ]
    log_lost: Annotated[
        int,
        Metric(
            "counter",
            "{line}",
            "Lines of the log that could not be written.",
            column=20,
            name="log_lines_lost",
            title="log lines lost",
            level="warn",
        ),
    ]
    store: StoreStatus
