"""Errors that the hub raises, and the two with which a consumer retries or rejects a message."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from datetime import timedelta

from hub.units import parse_duration

PASSING = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}
"""Disk errors that may be gone at the next start (full, read-only, failing): exit code 74, not 78."""


class HubError(Exception):
    """Base class of the hub's errors. Its text is a complete sentence for the operator."""


class ConfigError(HubError):
    """The configuration can't be used. It carries *all* problems; the command prints them and exits 78.

    :param problems: a line each: place, value found, value expected.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)

    def __reduce__(self) -> tuple[type[ConfigError], tuple[list[str]]]:
        return type(self), (self.problems,)


class PluginError(HubError):
    """A consumer, backend, exporter or command can't be found or imported. Caught by the configuration check."""


class MissingExtra(PluginError):
    """An optional library is not installed; the text names the extra that installs it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an optional library: pip install 'hubbub[{extra}]'")
        self.extra = extra


class Forbidden(HubError):
    """The caller lacks the right. Answered over HTTP with ``code``.

    :param code: 401: the token is missing or wrong. 403: no token would help.
    """

    def __init__(self, reason: str, code: int = 403) -> None:
        super().__init__(reason)
        self.code = code


class Unavailable(HubError):
    """A hub or a bus can't do something now, but may later. Caught by the command, which exits 69, and by the outbox,
    which retries."""


class PlaceUnavailable(Unavailable):
    """A bus can't take a message now for the place that it goes to, and takes others. Caught by the outbox, which sets
    the message aside, and goes on with those."""


class NotFound(HubError):
    """Nothing has the requested name. Answered over HTTP with 404."""


class CannotPublish(HubError):
    """A message can never be published: there is no such backend, it has nowhere to send, or the bus does not accept
    such a message. Caught by the publisher, and by the outbox, which gives the message up."""


class NotJSON(HubError, ValueError):
    """The body of a message is not JSON. Raised by ``Message.json()``; in ``consume()`` it is a failure like any
    other."""


class Retry(Exception):
    """Retry the message later. Raised by ``consume()``.

    It does not count towards ``max_attempts``: the consumer asked for it, it did not fail.

    :param delay: time until the next attempt: seconds, a text such as ``"5s"`` or ``"1h30m"``, or a ``timedelta``;
        ``None`` uses the consumer's backoff, which grows with each attempt at this message.
    :param reason: shown to the operator.
    :raises ValueError: the delay is none of these, or negative, or not finite.
    :ivar delay: seconds, or ``None``.
    """

    def __init__(self, delay: float | str | timedelta | None = None, reason: str = "") -> None:
        super().__init__(reason or "the consumer asked for another attempt")
        self.delay = None if delay is None else parse_duration(delay)


class Reject(Exception):
    """Give the message up: it becomes a dead letter now. Raised by ``consume()``.

    :param reason: stored with the dead letter.
    """

    def __init__(self, reason: str = "rejected by the consumer") -> None:
        super().__init__(reason)
        self.reason = reason


class OrderRefused(HubError):
    """The hub refused an order; the text is its reason. Raised by the client of the control socket."""
