"""Topics that are reserved: their messages go to the hub itself, and to no queue, no subscription and no store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.intakes import Confirm
from hub.interfaces import Answer, Intake, Sink
from hub.message import Message
from hub.receipt import Receipt

Reserved = dict[str, Sink]
"""Sinks by topic."""


class ReservingIntake:
    """An intake that takes messages of reserved topics out of each batch, and passes the others on.

    :param reserved: is kept up to date; empty: batches are passed on as they are.
    :param confirm: confirms tokens to the backend: those of reserved messages, at once.
    """

    def __init__(self, reserved: Reserved, intake: Intake, confirm: Confirm) -> None:
        self._reserved = reserved
        self._intake = intake
        self._confirm = confirm

    def receive(self, messages: list[Message], tokens: Sequence[Any] = (), answer: Answer | None = None) -> None:
        """Receive a batch; see :class:`hub.interfaces.Intake`."""
        topics = self._reserved
        if not topics or topics.keys().isdisjoint([message.topic for message in messages]):
            self._intake.receive(messages, tokens, answer)
            return
        kept = [index for index, message in enumerate(messages) if message.topic not in topics]
        taken = [index for index, message in enumerate(messages) if message.topic in topics]
        rest = [messages[index] for index in kept]
        if rest:
            # Tokens beyond the messages are of those that a stage has turned away.
            mine = [*(tokens[index] for index in kept), *tokens[len(messages) :]] if tokens else ()
            self._intake.receive(rest, mine, None if answer is None else _widened(answer, len(messages), kept))
        elif answer is not None:
            answer(Receipt(len(messages)))
        if tokens:
            self._confirm([tokens[index] for index in taken])
        for topic, sink in list(topics.items()):
            if found := [messages[index] for index in taken if messages[index].topic == topic]:
                sink(found)

    def refuse(self, message: Message, reason: str) -> None:
        """Pass on a message that can't be used."""
        self._intake.refuse(message, reason)


def _widened(answer: Answer, count: int, kept: Sequence[int]) -> Answer:
    """Answer for the whole batch, of which some messages were passed on. :param kept: their indexes."""

    def widened(receipt: Receipt) -> None:
        duplicates, full = ([kept[index] for index in indexes] for indexes in (receipt.duplicates, receipt.full))
        turned_away = {kept[index]: why for index, why in receipt.turned_away.items()}
        answer(Receipt(count, duplicates, full, turned_away))

    return widened
