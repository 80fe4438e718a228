"""Messages of reserved topics go to the hub, not to queues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.interfaces import Answer
from hub.message import Message
from hub.receipt import Receipt
from hub.reserved import ReservingIntake


class Next:
    """The intake behind it. ``receipt``: what it answers."""

    def __init__(self) -> None:
        self.received: list[tuple[list[str], list[Any]]] = []
        self.refused: list[str] = []
        self.receipt = Receipt(0)

    def receive(self, messages: list[Message], tokens: Sequence[Any] = (), answer: Answer | None = None) -> None:
        self.received.append(([message.topic for message in messages], [*tokens]))
        if answer is not None:
            answer(self.receipt)

    def refuse(self, message: Message, reason: str) -> None:
        self.refused.append(reason)


class Desk:
    def __init__(self) -> None:
        self.next = Next()
        self.heard: list[Message] = []
        self.confirmed: list[Any] = []
        self.reserved: Any = {"c": self.heard.extend}
        self.intake = ReservingIntake(self.reserved, self.next, self.confirmed.extend)


def batch(*topics: str) -> list[Message]:
    return [Message(f"{index}", topic, b"") for index, topic in enumerate(topics)]


def test_they_are_taken_out_and_confirmed_at_once() -> None:
    desk = Desk()
    desk.intake.receive(batch("a", "c", "b"), [1, 2, 3, "beyond"])
    assert desk.next.received == [(["a", "b"], [1, 3, "beyond"])]
    assert [message.id for message in desk.heard] == ["1"]
    assert desk.confirmed == [2]


def test_a_batch_without_any_passes_as_it_is() -> None:
    desk = Desk()
    messages = batch("a", "cc")
    desk.intake.receive(messages)
    del desk.reserved["c"]
    desk.intake.receive(batch("c"), [1])
    assert desk.next.received == [(["a", "cc"], []), (["c"], [1])]
    assert desk.heard == desk.confirmed == []


def test_a_batch_of_them_alone_is_answered() -> None:
    desk = Desk()
    receipts: list[Receipt] = []
    desk.intake.receive(batch("c", "c"), (), receipts.append)
    assert receipts == [Receipt(2)]
    assert desk.next.received == []


def test_an_answer_counts_in_the_whole_batch() -> None:
    desk = Desk()
    receipts: list[Receipt] = []
    desk.next.receipt = Receipt(3, [0], [1], {2: "no"})
    desk.intake.receive(batch("c", "a", "c", "b", "d"), (), receipts.append)
    assert receipts == [Receipt(5, [1], [3], {4: "no"})]


def test_what_is_refused_passes() -> None:
    desk = Desk()
    desk.intake.refuse(batch("a")[0], "why")
    assert desk.next.refused == ["why"]
