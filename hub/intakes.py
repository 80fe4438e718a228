"""Intakes bring the messages of a backend to the enqueuer; the backend is told when they are stored, or settled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hub.enqueuer import Enqueuer
from hub.interfaces import Answer, Backend
from hub.message import Message
from hub.placements import Placement, Placements
from hub.text import counted

Confirm = Callable[[Sequence[Any]], None]


def confirmer(reactor: Any, backend: Backend) -> Confirm:
    """Function that confirms tokens to a backend, from any thread."""

    def confirm(tokens: Sequence[Any]) -> None:
        reactor.callFromThread(backend.confirm, tokens)

    return confirm


def check_tokens(messages: Sequence[Message], tokens: Sequence[Any]) -> None:
    """Check that each message has its own token, or none has one. :raises ValueError: there are too few."""
    if tokens and len(tokens) < len(messages):
        few, many = counted(len(tokens), "token"), counted(len(messages), "message")
        raise ValueError(f"{few} for {many}: each must have its own")


class EnqueuerIntake:
    """The part of an intake that is the same whenever its bus is told."""

    def __init__(self, enqueuer: Enqueuer) -> None:
        self._enqueuer = enqueuer

    def refuse(self, message: Message, reason: str) -> None:
        """Pass on a message that can't be used."""
        self._enqueuer.refuse(message, reason)

    def bury(self, message: Message, reason: str) -> None:
        """Bury a message in each matching queue."""
        self._enqueuer.bury(message, reason)


class BackendIntake(EnqueuerIntake):
    """The intake of one backend: see :class:`hub.interfaces.Intake`."""

    def __init__(self, enqueuer: Enqueuer, confirm: Confirm) -> None:
        super().__init__(enqueuer)
        self._confirm = confirm

    def receive(self, messages: list[Message], tokens: Sequence[Any] = (), answer: Answer | None = None) -> None:
        """Pass a batch to the enqueuer; it is confirmed when the store has it."""
        receipt = self._enqueuer.receive(messages, (lambda: self._confirm(tokens)) if tokens else None)
        if answer is not None:
            answer(receipt)


class SettledIntake(EnqueuerIntake):
    """The intake of a backend that is told after the work.

    :param wait: confirms tokens when their messages are settled; the indexes of the placements are those of the tokens.
    """

    def __init__(self, enqueuer: Enqueuer, wait: Callable[[Sequence[Any], Sequence[Placement]], None]) -> None:
        super().__init__(enqueuer)
        self._wait = wait

    def receive(self, messages: list[Message], tokens: Sequence[Any] = (), answer: Answer | None = None) -> None:
        """Pass a batch to the enqueuer; each message is confirmed when all its queues have settled it.

        A duplicate is confirmed when the first copy is settled.

        :param tokens: those beyond the messages are of messages that a stage has turned away.
        :raises ValueError: there are fewer tokens than messages. Nothing was received.
        """
        check_tokens(messages, tokens)
        placements = Placements()
        receipt = self._enqueuer.receive(messages, None, placements)
        if tokens:
            again = receipt.duplicates
            known = frozenset(again)
            ordered = [token for index, token in enumerate(tokens) if index not in known] if known else [*tokens]
            placed = placements.all
            if known:
                placed = [*placed, *self._first_copies([messages[index] for index in again], len(ordered))]
                ordered += [tokens[index] for index in again]
            self._wait(ordered, placed)
        if answer is not None:
            answer(receipt)

    def _first_copies(self, messages: Sequence[Message], start: int) -> Iterator[Placement]:
        """Placements of the first copies of duplicates. :param start: the index of the first one."""
        assert self._enqueuer.duplicates is not None
        for index, message in enumerate(messages, start):
            for queue, position in self._enqueuer.duplicates.first_of(message):
                yield queue, position, range(index, index + 1)
