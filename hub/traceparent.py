"""W3C Trace Context: the two headers that say to which trace a message belongs, and what caused it.

See https://www.w3.org/TR/trace-context/. The hub passes them on as they are; it makes none of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from hub.message import Message
from hub.queue.taken import Taken

TRACEPARENT, TRACESTATE = "traceparent", "tracestate"
NAMES = (TRACEPARENT, TRACESTATE)
LONGEST_PARENT = 512
"""Characters. Version 00 has 55; what a later version puts behind them is passed on up to here."""
LONGEST_STATE = 512
"""Characters: as many as the specification asks everybody to pass on."""
MOST_MEMBERS = 32

_PARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[ -~]*)?", re.ASCII)
_KEY = r"[a-z0-9][a-z0-9_*/@-]{0,255}"
_VALUE = r"[ -+\--<>-~]{0,255}[!-+\--<>-~]"
_MEMBER = re.compile(rf"[ \t]*(?:{_KEY}={_VALUE})?[ \t]*")


def is_traceparent(value: object) -> bool:
    """Whether it is of a version that can be read, names a trace and a parent, and is no longer than it may be."""
    if not isinstance(value, str) or len(value) > LONGEST_PARENT:
        return False
    found = _PARENT.fullmatch(value)
    return found is not None and (found[1] != "00" or found[2] is None)


def is_tracestate(value: object) -> bool:
    """Whether it is a list of ``key=value``, no longer than it may be."""
    if not isinstance(value, str) or not value or len(value) > LONGEST_STATE:
        return False
    members = value.split(",")
    return len(members) <= MOST_MEMBERS and all(_MEMBER.fullmatch(member) for member in members)


def trace_of(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that carry a message's trace on. Empty where it has none, or one that is not valid."""
    parent = headers.get(TRACEPARENT)
    if parent is None or not is_traceparent(parent):
        return {}
    state = headers.get(TRACESTATE)
    return {TRACEPARENT: parent, TRACESTATE: state} if state and is_tracestate(state) else {TRACEPARENT: parent}


def trace_in_hand(taken: Taken) -> dict[str, str]:
    """Of the one message that is being consumed now."""
    return trace_of(taken.messages[taken.at].headers)


def trace_of_all(messages: Sequence[Message]) -> dict[str, str]:
    """What they have in common: a batch has no parent, unless all of its messages have the same one."""
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


def speaks_of_a_trace(headers: Mapping[str, str]) -> bool:
    """Whether the one who gave these headers has decided about the trace, and nothing is to be added."""
    return any(name.lower() in NAMES for name in headers)
