"""Types of the rows of backends, databases of jobs, exporters and servers."""

from typing import Annotated, Any, TypedDict

from hub.status.metric import ErrorText, Metric, PublicText, Text
from hub.status.states import OutboxState


class PartStatus(TypedDict, total=False):
    """Public texts in the status of a backend, an exporter or a server, at any depth. It may be a plugin: no other text
    is public."""

    type: PublicText
    state: PublicText
    address: PublicText
    endpoint: PublicText
    endpoints: Annotated[list[Any], Text.PUBLIC]
    role: PublicText
    subscriptions: list[PublicText]
    error: ErrorText
    last_error: ErrorText | None


class OutboxStatus(TypedDict):
    """Outgoing messages of one backend."""

    outbox_state: OutboxState
    outbox_waiting: Annotated[
        int, Metric("gauge", "{message}", "Messages to be sent out that the bus has not confirmed yet.", column=18)
    ]
    outbox_unconfirmed: Annotated[
        int, Metric("gauge", "{message}", "Those of them that the bus has been given.", column=19)
    ]
    outbox_oldest_age: Annotated[
        float | None, Metric("gauge", "s", "Age of the first message that the bus has not confirmed.", column=20)
    ]
    outbox_sent: Annotated[int, Metric("counter", "{message}", "Messages that the bus has confirmed.", column=21)]
    outbox_failed: Annotated[
        int,
        Metric(
            "counter", "{message}", "Messages that were given up: the bus never takes them.", column=22, level="warn"
        ),
    ]
    outbox_retried: Annotated[
        int, Metric("counter", "{attempt}", "Failed attempts to send a message while the bus was away.", column=23)
    ]
    outbox_retry_in: Annotated[
        float | None, Metric("gauge", "s", "Time until the bus, which was away, is tried again.", column=24)
    ]
    outbox_error: ErrorText | None


class BackendStatus(PartStatus, OutboxStatus, total=False):
    """A connection to a bus. It has the numbers that it can count, and may have more keys."""

    not_ready: ErrorText | None
    received: Annotated[int, Metric("counter", "{message}", "Messages from the bus.", column=4)]
    bytes: Annotated[int, Metric("counter", "By", "Bytes from the bus.", column=7, name="received_bytes")]
    malformed: Annotated[
        dict[str, int],
        Metric("counter", "{message}", "Messages that can't be read, by cause.", column=5, by="cause", level="warn"),
    ]
    refused: Annotated[int, Metric("counter", "{message}", "Messages that were turned away.", column=8, level="warn")]
    gaps: Annotated[
        int,
        Metric(
            "counter",
            "{message}",
            "Messages that the publishers' sequence numbers show to be missing.",
            column=6,
            level="warn",
        ),
    ]
    lost: Annotated[
        int,
        Metric(
            "counter",
            "{message}",
            "Messages read from the bus that the hub could not take in, by a fault of its own.",
            column=9,
            title="lost by an internal error",
            level="warn",
        ),
    ]
    unread: Annotated[
        int,
        Metric(
            "counter",
            "{message}",
            "Messages that were still unread when their endpoint was closed.",
            column=10,
            title="dropped unread",
            level="warn",
        ),
    ]
    unconfirmed: Annotated[
        int,
        Metric(
            "gauge",
            "{message}",
            "Messages from the bus that some queue has not settled, so that their senders wait to be told.",
            column=25,
        ),
    ]
    redelivered: Annotated[
        int, Metric("counter", "{message}", "Messages that the bus had given to somebody before.", column=26)
    ]
    unacknowledged: Annotated[
        int, Metric("gauge", "{message}", "Messages that the broker has sent and was not told of.", column=27)
    ]
    held_bytes: Annotated[
        int,
        Metric("gauge", "By", "Bytes that the broker has sent and the hub holds in memory, while it is held back."),
    ]
    claimed: Annotated[
        int, Metric("counter", "{message}", "Messages taken over from other hubs that gave no sign of life.")
    ]
    backlog_on_bus: Annotated[
        int | None, Metric("gauge", "{message}", "Messages that the bus holds for the hub's group, unsettled.")
    ]
    backlog_on_bus_by: Annotated[
        dict[str, int],
        Metric(
            "gauge",
            "{message}",
            "Messages that the bus holds for the hub's group, unsettled, by stream.",
            by="stream",
            total="backlog_on_bus",
            title="backlog on the bus, by stream",
        ),
    ]
    pending_on_bus: Annotated[
        int | None, Metric("gauge", "{message}", "Messages that some hub of the group has in hand.")
    ]
    pending_on_bus_by: Annotated[
        dict[str, int],
        Metric(
            "gauge",
            "{message}",
            "Messages that some hub of the group has in hand, by stream.",
            by="stream",
            total="pending_on_bus",
            title="pending on the bus, by stream",
        ),
    ]
    trimmed: Annotated[int, Metric("counter", "{message}", "Settled messages that the hub took out of the bus.")]
    found_again: Annotated[
        int, Metric("counter", "{message}", "Messages sent out whose confirmation was lost, and found on the bus.")
    ]
    repeated: Annotated[
        int,
        Metric("counter", "{message}", "Messages sent out again that may be on the bus already.", level="warn"),
    ]
    unheard: Annotated[int, Metric("counter", "{message}", "Messages sent out that nobody listened to.", level="warn")]
    published: Annotated[int, Metric("counter", "{message}", "Messages sent out.", column=11)]
    publish_failed: Annotated[
        int,
        Metric(
            "counter",
            "{message}",
            "Messages that could not be sent out.",
            column=12,
            title="not published",
            level="warn",
        ),
    ]
    peers: Annotated[int, Metric("gauge", "{peer}", "Peers that are connected.", column=13)]
    disconnects: Annotated[
        int, Metric("counter", "{connection}", "Connections that were lost.", column=14, level="warn")
    ]
    handshake_failures: Annotated[
        int,
        Metric(
            "counter",
            "{connection}",
            "Handshakes that failed: not the protocol, or a wrong key.",
            column=15,
            title="failed handshakes",
            level="warn",
        ),
    ]
    accept_failures: Annotated[
        int,
        Metric(
            "counter",
            "{connection}",
            "Connections that could not be accepted.",
            column=16,
            title="failed accepts",
            level="warn",
        ),
    ]
    revivals: Annotated[
        int,
        Metric(
            "counter",
            "{connection}",
            "Connections reopened after the library gave up.",
            column=17,
            title="reconnects",
            level="warn",
        ),
    ]
    subscribers: Annotated[int, Metric("gauge", "{subscription}", "Subscriptions of the clients.")]
    delivered: Annotated[int, Metric("counter", "{message}", "Messages sent to subscribers, again or not.")]
    acked: Annotated[int, Metric("counter", "{message}", "Messages that subscribers acknowledged.")]
    acked_late: Annotated[
        int,
        Metric("counter", "{frame}", "Acknowledgements of messages that were settled, or somebody else's, by then."),
    ]
    nacked: Annotated[int, Metric("counter", "{message}", "Messages that subscribers could not handle.", level="warn")]
    expired: Annotated[
        int, Metric("counter", "{message}", "Messages that expired before a subscriber took them.", level="warn")
    ]
    lost_replies: Annotated[
        int, Metric("counter", "{message}", "Answers to requests whose clients had gone.", title="answers to nobody")
    ]
    held: Annotated[int, Metric("gauge", "{message}", "Messages of clients that wait until the hub takes any.")]
    errors: Annotated[int, Metric("counter", "{frame}", "Errors that clients were told.", level="warn")]
    logins_refused: Annotated[int, Metric("counter", "{login}", "Logins that were refused.", level="warn")]
    connections_accepted: Annotated[int, Metric("counter", "{connection}", "Connections that clients made.")]
    unread_bytes: Annotated[int, Metric("gauge", "By", "Bytes that clients have not read yet.")]


class JobDatabaseStatus(PartStatus, total=False):
    """A database of jobs. ``queues``: its numbers by queue, as of the last look. ``cron``: its entries."""

    not_ready: ErrorText | None
    claimed: Annotated[int, Metric("counter", "{job}", "Jobs that this hub has claimed.")]
    refused: Annotated[
        int,
        Metric(
            "counter",
            "{job}",
            "Results that came after the lease had passed: the jobs were somebody else's by then.",
            level="warn",
        ),
    ]
    queues: dict[str, Any]
    counted_age: Annotated[float | None, Metric("gauge", "s", "Age of the last look at its queues.", title="looked at")]
    cron: dict[str, Any]


class ExporterStatus(TypedDict):
    """An exporter of the numbers."""

    exported: Annotated[int, Metric("counter", "{snapshot}", "Snapshots that it sent.", column=3)]
    failed: Annotated[int, Metric("counter", "{snapshot}", "Snapshots that it could not send.", column=4, level="warn")]
    skipped: Annotated[int, Metric("counter", "{snapshot}", "Snapshots that it had no time for.", column=5)]
    last_error: ErrorText | None


class ServerStatus(PartStatus, total=False):
    """A server, such as the web page's. It may have more keys."""

    connections: Annotated[int, Metric("gauge", "{connection}", "Connections that are open.")]
    connections_refused: Annotated[int, Metric("counter", "{connection}", "Connections turned away.")]
    live_pages: Annotated[int, Metric("gauge", "{page}", "Pages that are kept up to date.")]
    live_pages_cut: Annotated[int, Metric("counter", "{page}", "Pages disconnected because they did not read.")]
    wrong_tokens: Annotated[int, Metric("counter", "{request}", "Requests with a wrong token.")]
