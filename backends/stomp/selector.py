"""Selectors: ``header = 'text' AND other = 5``, the part of JMS's syntax that compares for equality. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from hub.backends.stomp.destination import shown
from hub.backends.stomp.frame import ProtocolError
from hub.message import HeaderValue, Message

LONGEST = 4096
"""Characters of a selector."""
Value = str | float | bool
Matches = Callable[[Message], bool]

_TERM = re.compile(
    r"\s*(?:\"(?P<quoted>[^\"]+)\"|(?P<name>[A-Za-z_$][\w$.-]*))\s*=\s*"
    r"(?:'(?P<text>(?:[^']|'')*)'|(?P<number>[+-]?\d{1,30}(?:\.\d{1,30})?)|(?P<truth>(?i:true|false))\b)\s*"
)
_AND = re.compile(r"AND\b", re.IGNORECASE)


@lru_cache(1024)
def parse(text: str) -> Matches:
    """Parse a selector. Equal texts have the same result, as long as they are used: a queue's subscriptions share it.

    :raises ProtocolError: it asks for more than equality."""
    terms: list[tuple[str, Value]] = []
    at, wanted = 0, text if len(text) <= LONGEST else ""
    while match := _TERM.match(wanted, at):
        terms.append((match["quoted"] or match["name"], _value(match)))
        at = match.end()
        if at == len(wanted):
            return lambda message: all(_equal(message.headers.get(name), value) for name, value in terms)
        following = _AND.match(wanted, at)
        if following is None:
            break
        at = following.end()
    raise ProtocolError(
        f"selector {shown(text)} is not supported: expected \"header = 'text'\" or a number, TRUE or FALSE, and AND"
    )


def _value(match: re.Match[str]) -> Value:
    if match["text"] is not None:
        return str(match["text"]).replace("''", "'")
    if match["number"] is not None:
        return float(match["number"])
    return str(match["truth"]).lower() == "true"


def _equal(found: HeaderValue | None, wanted: Value) -> bool:
    """STOMP's headers are texts, those of other buses may be numbers and truths: both are compared by what they say."""
    if found is None:
        return False
    if isinstance(wanted, str):
        return found == wanted
    if isinstance(wanted, bool):
        return (found.lower() == str(wanted).lower()) if isinstance(found, str) else found is wanted
    try:
        return not isinstance(found, bool) and float(found) == wanted
    except ValueError:
        return False
