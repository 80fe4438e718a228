"""A message that its consumer could not handle, and all that is known about why."""

from __future__ import annotations

import traceback
from dataclasses import dataclass

from hub.errors import Reject
from hub.message import Message
from hub.text import encodable

TRACEBACK_LIMIT = 16 << 10
"""Characters of a traceback that are kept: the end of it, where the error stands."""


@dataclass(frozen=True)
class DeadLetter:
    """Kept by the store, per queue.

    :ivar error: the exception's class, or empty where none was raised.
    :ivar traceback: its text, or empty.
    :ivar buried_at: epoch seconds.
    :ivar number: by which it is retried or deleted; given by the store.
    """

    message: Message
    reason: str
    attempts: int
    buried_at: float
    error: str = ""
    traceback: str = ""
    number: int = 0

    @classmethod
    def of(cls, message: Message, reason: str, attempts: int, buried_at: float, error: BaseException) -> DeadLetter:
        """After an exception; a ``Reject`` was foreseen, so where it was raised is of no interest."""
        trace = "" if isinstance(error, Reject) else "".join(traceback.format_exception(error))
        kept = encodable(trace[-TRACEBACK_LIMIT:])
        return cls(message, encodable(str(reason)), attempts, buried_at, type(error).__name__, kept)
