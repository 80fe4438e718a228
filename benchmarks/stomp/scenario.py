"""Scenarios: ways in which STOMP is used, each measured with all servers."""

from __future__ import annotations

from dataclasses import dataclass

SIZE = 500
"""Bytes of a body."""


@dataclass(frozen=True)
class Scenario:
    """One publisher, and subscribers to what it sends.

    :ivar key: for the command line, and in the name of the destination. :ivar name: for the report.
    :ivar kind: ``topic`` or ``queue``. :ivar ack: as in SUBSCRIBE.
    :ivar persistent: whether the messages are persistent, each with a receipt.
    :ivar rate: messages per second; 0: no limit.
    :ivar window: messages at most that were sent and that not all subscribers have. A publisher that is told of it
        outruns no server, and so none drops a message.
    """

    key: str
    name: str
    kind: str = "queue"
    ack: str = "auto"
    persistent: bool = False
    subscribers: int = 1
    rate: float = 0.0
    window: int = 5000


TOPIC = Scenario("topic", "topic, auto", "topic")
QUEUE = Scenario("queue", "queue, auto")
PERSISTENT = Scenario("persistent", "persistent, client", ack="client", persistent=True)
INDIVIDUAL = Scenario("individual", "persistent, client-individual", ack="client-individual", persistent=True)
FAN_OUT = Scenario("fan-out", "topic to 100 subscribers, auto", "topic", subscribers=100, window=500)
FLAT_OUT = (TOPIC, QUEUE, PERSISTENT, INDIVIDUAL, FAN_OUT)
AT_A_RATE = (
    Scenario("topic-slow", "topic, auto, 120/s", "topic", rate=120.0),
    Scenario("persistent-slow", "persistent, client, 120/s", ack="client", persistent=True, rate=120.0),
)
