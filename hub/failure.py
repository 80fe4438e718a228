"""What an operator is shown of the last attempt that failed."""

from __future__ import annotations

from dataclasses import dataclass

from hub.message import Message
from hub.text import encodable

LONGEST = 1000
"""Characters of an error's text; a consumer may put the whole of a message into one."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why, when (epoch seconds), and on what. :ivar attempt: which one it was, from 1."""

    time: float
    error: str
    text: str
    topic: str
    message_id: str
    attempt: int

    @classmethod
    def of(cls, error: BaseException, now: float, message: Message, attempt: int) -> Failure:
        """An attempt on that message ended with that error."""
        return cls(now, type(error).__name__, text_of(error), message.topic, message.id, attempt)


def text_of(error: BaseException) -> str:
    """What it says. It is somebody else's class: one that can't even say what it is must not take a thread with it."""
    try:
        return encodable(str(error)[:LONGEST])
    except Exception as other:  # noqa: BLE001 - see above
        return f"(its text can't be told: {type(other).__name__})"


def told(error: BaseException) -> str:
    """Its kind and what it says."""
    return f"{type(error).__name__}: {text_of(error)}"


def kind_of(text: str) -> str:
    """The class in what :func:`told` made; empty for an empty text."""
    return text.partition(":")[0]


def latest(*failures: Failure | None) -> Failure | None:
    """The one that happened last, if there is one."""
    return max((failure for failure in failures if failure), key=lambda failure: failure.time, default=None)
