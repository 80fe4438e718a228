"""Every error that the hub itself raises, and the two that a consumer raises to say what becomes of a message."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from datetime import timedelta

from hub.units import parse_duration

PASSING = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}
"""Errors of a disk, full, read-only or failing, that may be over at the next start: exit code 74, not 78."""


class HubError(Exception):
    """Base of all errors of the hub's own; its text is a whole sentence for the operator."""


class ConfigError(HubError):
    """The configuration can't be used. Carries *all* that is wrong; the command prints it and exits 78.

    :param problems: one line each: where, what was found, what was expected.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)

    def __reduce__(self) -> tuple[type[ConfigError], tuple[list[str]]]:
        return type(self), (self.problems,)


class PluginError(HubError):
    """A consumer, backend, exporter or command could not be found or imported. Met by the configuration check."""


class MissingExtra(PluginError):
    """A part of the hub needs a library that was not installed; the text names the extra that brings it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an optional library: pip install 'hubbub[{extra}]'")
        self.extra = extra


class Forbidden(HubError):
    """Whoever asked may not. Met by the HTTP answer, which has its code.

    :param code: 401: not without a token, or not with this one. 403: not at all.
    """

    def __init__(self, reason: str, code: int = 403) -> None:
        super().__init__(reason)
        self.code = code


class Unavailable(HubError):
    """Something that was asked of a hub or a bus is not to be had now. Met by the command, which exits 69."""


class CannotPublish(HubError):
    """A message can't be published: no such backend, or one that has nowhere to send it. Met by the publisher."""


class NotJSON(HubError, ValueError):
    """``Message.json()`` on a body that is not JSON. In ``consume()`` it is a failure like any other."""


class Retry(Exception):
    """Raised by ``consume()``: not now, again later.

    It does not count towards ``max_attempts``: the consumer decided it, nothing went wrong unforeseen.

    :param delay: until the next attempt: seconds, a text such as ``"5s"`` or ``"1h30m"``, or a ``timedelta``; ``None``
        leaves it to the consumer's backoff, which grows with each attempt at this message.
    :param reason: what the operator is told.
    :raises ValueError: the delay is none of these, or negative, or not finite.
    :ivar delay: seconds, or ``None``.
    """

    def __init__(self, delay: float | str | timedelta | None = None, reason: str = "") -> None:
        super().__init__(reason or "the consumer asked for another attempt")
        self.delay = None if delay is None else parse_duration(delay)


class Reject(Exception):
    """Raised by ``consume()``: never again; the message goes to the dead letters now.

    :param reason: kept with the dead letter.
    """

    def __init__(self, reason: str = "rejected by the consumer") -> None:
        super().__init__(reason)
        self.reason = reason
