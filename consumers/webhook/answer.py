"""Answers of hosts, and what they mean for a message."""

from __future__ import annotations

import re
from collections.abc import Collection
from email.utils import parsedate_to_datetime

import msgspec

from hub.consumers.sending.outcome import ForGood, SendingFailed, Temporary

OF_THE_HOST = frozenset({429, 502, 503, 504})
"""Statuses that tell of the host and not of this message: they count for its circuit breaker."""


class Answer(msgspec.Struct, frozen=True):
    """An answer. :ivar retry_after: the header. :ivar text: the beginning of the body, without secrets."""

    status: int
    retry_after: str = ""
    text: str = ""


class HostFault(Temporary):
    """The host failed, whatever the message: it does not answer, or says that it can't."""


class Rules(msgspec.Struct, frozen=True):
    """Which answers are temporary. :ivar again: statuses below 500. :ivar longest: seconds that a host may ask for."""

    again: Collection[int]
    longest: float

    def failure(self, name: str, answer: Answer, now: float) -> SendingFailed | None:
        """What an answer means; ``None``: the host has accepted the message.

        :param name: of the host. :param now: epoch seconds.
        """
        status = answer.status
        if 200 <= status < 300:
            return None
        said = f"{name} answered {status}" + (f": {' '.join(answer.text.split())[:200]}" if answer.text.strip() else "")
        if 300 <= status < 400:
            return ForGood(f"{name} answered {status}: redirects are not followed, name the new URL")
        if status < 500 and status not in self.again:
            return ForGood(said)
        asked = seconds_of(answer.retry_after, now) or 0.0
        delay = min(asked, self.longest) or None  # "at once" from a host that fails would be a loop: we back off
        return (HostFault if status in OF_THE_HOST else Temporary)(said, delay)


def seconds_of(retry_after: str, now: float) -> float | None:
    """Read a Retry-After: seconds, or a date. ``None``: it has neither. :param now: epoch seconds."""
    text = retry_after.strip()
    if re.fullmatch(r"[0-9]{1,12}", text):
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
