"""The last failed attempt of a consumer, as the status shows it."""

from __future__ import annotations

import msgspec

from hub.message import Message
from hub.text import encodable

LONGEST = 1000
"""Characters of an error's text; a consumer may put a whole message into one."""


class Failure(msgspec.Struct, frozen=True):
    """A failed attempt: reason, time (epoch seconds) and message. :ivar attempt: its number, from 1."""

    time: float
    error: str
    text: str
    topic: str
    message_id: str
    attempt: int

    @classmethod
    def of(cls, error: BaseException, now: float, message: Message, attempt: int) -> Failure:
        """Make the failure of an attempt that raised an error."""
        return cls(now, type(error).__name__, text_of(error), message.topic, message.id, attempt)


def text_of(error: BaseException) -> str:
    """The text of an error. Its class may be a plugin's, whose ``__str__`` may raise; that must not end the thread."""
    try:
        return encodable(str(error)[:LONGEST])
    except Exception as other:  # noqa: BLE001 - see above
        return f"(its text can't be shown: {type(other).__name__})"


def told(error: BaseException) -> str:
    """The class and text of an error."""
    return f"{type(error).__name__}: {text_of(error)}"


def kind_of(text: str) -> str:
    """The class in a text made by :func:`told`; empty for an empty text."""
    return text.partition(":")[0]


def latest(*failures: Failure | None) -> Failure | None:
    """The latest failure, if there is any."""
    return max((failure for failure in failures if failure), key=lambda failure: failure.time, default=None)
