"""W3C Trace Context: the two headers with the trace and the parent span of a message.

See https://www.w3.org/TR/trace-context/. The hub passes them on unchanged, and makes none of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeGuard

from hub.message import Headers, Message

TRACEPARENT, TRACESTATE = "traceparent", "tracestate"
NAMES = (TRACEPARENT, TRACESTATE)
LONGEST_PARENT = 512
"""Characters of a traceparent. Version 00 has 55; a longer one of a later version is passed on up to this length."""
LONGEST_STATE = 512
"""Characters of a tracestate, as many as the specification requires to be passed on."""
MOST_MEMBERS = 32

_PARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[ -~]*)?", re.ASCII)
_KEY = r"[a-z0-9][a-z0-9_*/@-]{0,255}"
_VALUE = r"[ -+\--<>-~]{0,255}[!-+\--<>-~]"
_MEMBER = re.compile(rf"[ \t]*(?:{_KEY}={_VALUE})?[ \t]*")


def is_traceparent(value: object) -> TypeGuard[str]:
    """True if the value has a readable version, a trace and a parent, and is not too long."""
    if not isinstance(value, str) or len(value) > LONGEST_PARENT:
        return False
    found = _PARENT.fullmatch(value)
    return found is not None and (found[1] != "00" or found[2] is None)


def is_tracestate(value: object) -> TypeGuard[str]:
    """True if the value is a list of ``key=value`` and not too long."""
    if not isinstance(value, str) or not value or len(value) > LONGEST_STATE:
        return False
    members = value.split(",")
    return len(members) <= MOST_MEMBERS and all(_MEMBER.fullmatch(member) for member in members)


def trace_of(headers: Mapping[str, object]) -> dict[str, str]:
    """Trace headers of a message; empty if it has none, or invalid ones."""
    parent = headers.get(TRACEPARENT)
    if parent is None or not is_traceparent(parent):
        return {}
    state = headers.get(TRACESTATE)
    return {TRACEPARENT: parent, TRACESTATE: state} if is_tracestate(state) else {TRACEPARENT: parent}


def trace_of_all(messages: Sequence[Message]) -> dict[str, str]:
    """Trace headers that all messages of a batch share; empty if they differ."""
    first = trace_of(messages[0].headers)
    if not first:
        return first
    parent, state = first[TRACEPARENT], first.get(TRACESTATE)
    for message in messages:
        if message.headers.get(TRACEPARENT) != parent:
            return {}
        if message.headers.get(TRACESTATE) != state:
            first.pop(TRACESTATE, None)
    return first


def speaks_of_a_trace(headers: Headers) -> bool:
    """True if the headers mention a trace already, so that none is to be added. They may be unchecked."""
    return any(str(name).lower() in NAMES for name in headers)
