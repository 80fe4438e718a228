"""Stages: they check messages before they are routed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hub.message import Message


@dataclass(frozen=True, slots=True)
class Drop:
    """A stage's verdict: drop the message. It is counted by reason, and listed with the refused ones."""

    reason: str


@dataclass(frozen=True, slots=True)
class Bury:
    """A verdict: make the message a dead letter. A stage's is for each matching queue; an attempt's for its queue."""

    reason: str


class Stage(Protocol):
    """A stage checks messages before they are routed: it validates them, or verifies signatures. It is called in a
    thread, perhaps in several at once; the order of messages is kept."""

    name: str

    def check(self, messages: Sequence[Message]) -> Sequence[Message | Drop | Bury]:
        """Return a verdict for each message, in order: the message itself, a replacement (marked by a header), or
        ``Drop`` or ``Bury``.

        :raises Unavailable: the check can't be done now (a key can't be fetched): it is called again later with the
            same messages, and all later ones wait. On any other error the failing messages are buried.
        """
