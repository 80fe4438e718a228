"""Dead letters: messages that their consumer gave up, with the reason."""

from __future__ import annotations

import traceback
from dataclasses import dataclass

from hub.errors import Reject
from hub.message import Message
from hub.text import encodable

TRACEBACK_LIMIT = 16 << 10
"""Characters of a traceback that are kept, from its end, where the error stands."""


@dataclass(frozen=True)
class DeadLetter:
    """A dead letter of one queue, kept by the store.

    :ivar error: the exception's class; empty if none was raised.
    :ivar traceback: its text; may be empty.
    :ivar buried_at: epoch seconds.
    :ivar number: set by the store; retries and deletions name it.
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
        """Make a dead letter after an exception. A ``Reject`` is deliberate, so its traceback is not kept."""
        trace = "" if isinstance(error, Reject) else "".join(traceback.format_exception(error))
        kept = encodable(trace[-TRACEBACK_LIMIT:])
        return cls(message, encodable(str(reason)), attempts, buried_at, type(error).__name__, kept)
