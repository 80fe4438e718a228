"""Headers of fedora-messaging: schema, severity, time and what filters look for. Pure.

Seen on the wire of fedora-messaging 3.9.1. Its consumers drop a message whose severity is a text.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from hub.headers import LARGEST
from hub.message import HeaderValue

SCHEMA, PACKAGE = "fedora_messaging_schema", "fedora_messaging_schema_package"
SEVERITY = "fedora_messaging_severity"
SENT_AT = "sent-at"
PRIORITY = "priority"
SEVERITIES = (10, 20, 30, 40)
"""Debug, info, warning, error."""
FILTERS = tuple(f"fedora_messaging_{kind}_" for kind in ("user", "group", "rpm", "container", "module", "flatpak"))
"""Beginnings of the names of headers that are true or missing."""
_TRUE = {"true", "1", "yes"}
DIGITS = len(str(LARGEST))


class WrongHeader(Exception):
    """A header has a value that its consumers refuse. :ivar kind: malformed input is counted by it."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


def check_headers(headers: Mapping[str, object]) -> None:
    """Check headers that were received, as its consumers do. A header that is missing is fine; one that is null is not.

    :param headers: as they came, before values that the hub has no type for become others.
    :raises WrongHeader: the severity is none of the four numbers, or the schema or the time is no text.
    """
    severity = headers.get(SEVERITY, 20)
    if isinstance(severity, bool) or severity not in SEVERITIES or not isinstance(severity, int):
        expected = ", ".join(map(str, SEVERITIES))
        raise WrongHeader("severity", f"{SEVERITY} is {str(severity)[:40]!r}: expected one of the numbers {expected}")
    for name, kind in ((SCHEMA, "schema"), (SENT_AT, "sent_at")):
        if not isinstance(headers.get(name, ""), str):
            raise WrongHeader(kind, f"{name} is {str(headers[name])[:40]!r}: expected a text")


def headers_to_send(headers: Mapping[str, HeaderValue], now: float) -> dict[str, HeaderValue]:
    """Headers of a message to publish, with those that every publisher sends. What came as text from another bus gets
    its type.

    :param now: epoch seconds, where a message has no ``sent-at``. :raises WrongHeader: its consumers would refuse one.
    """
    found: dict[str, HeaderValue] = {
        SCHEMA: "base.message",
        PACKAGE: "fedora_messaging",
        SENT_AT: time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(now)),
        SEVERITY: 20,
        PRIORITY: 0,
        **headers,
    }
    found = typed(found)
    check_headers(found)
    return found


def typed(headers: Mapping[str, HeaderValue]) -> dict[str, HeaderValue]:
    """The headers, with the types that fedora-messaging gives them where they came as text."""
    found = dict(headers)
    for name in (SEVERITY, PRIORITY):
        if name in found:
            found[name] = _number(found[name])
    for name, value in headers.items():
        if name.startswith(FILTERS) and not isinstance(value, bool):
            found[name] = str(value).lower() in _TRUE
    return found


def with_prefix(topic: str, prefix: str | None) -> str:
    """The topic with a prefix and a dot before it, unless it has them. :param prefix: ``None``: there is none."""
    return topic if prefix is None or topic.startswith(f"{prefix}.") else f"{prefix}.{topic}"


def _number(value: HeaderValue) -> HeaderValue:
    """The number that a text is; a text of more digits than a header's number may have remains one."""
    if not (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= DIGITS):
        return value
    return number if (number := int(value)) <= LARGEST else value
