"""Refusals of a server: whether a command may be accepted later, and whether by another server. Pure."""

from __future__ import annotations

from hub.backends.redis.line import ErrorReply
from hub.errors import CannotPublish, HubError, PlaceUnavailable, Unavailable
from hub.text import printable

MOST_TEXT = 300
"""Characters of a refusal that are shown."""
ELSEWHERE = {"READONLY", "MASTERDOWN", "LOADING", "MOVED", "CLUSTERDOWN", "NOAUTH", "UNKILLABLE", "BUSY"}
"""Codes after which the hub connects anew: the server is no master (any more), or not ready."""
WHOLE_SERVER = ELSEWHERE | {"OOM", "MISCONF", "NOREPLICAS"}
"""Codes by which a server refuses all messages, and not this one."""
_NEVER_TEXTS = ("exceeds maximum allowed size", "invalid bulk length", "wrong number of arguments", "syntax error")


def refusal_text(error: ErrorReply) -> str:
    """The server's words, one safe line."""
    return printable(str(error)[:MOST_TEXT]) or "the server gave no reason"


def verdict_of(error: ErrorReply, place: str) -> HubError:
    """The error of a message whose XADD or PUBLISH was refused.

    It is kept unless its own contents are at fault: an answer that is not known may be mended.

    :param place: where it goes to, for people: ``stream out``.
    """
    text = refusal_text(error)
    if any(one in text for one in _NEVER_TEXTS):
        return CannotPublish(f"the server refuses it: {place}: {text}")
    if is_of_whole_server(error):
        return Unavailable(f"the server refuses it now: {text}")
    return PlaceUnavailable(f"the server refuses it now: {place}: {text}")


def wants_another(error: ErrorReply) -> bool:
    """True if the hub should connect anew."""
    return error.code in ELSEWHERE


def is_of_whole_server(error: ErrorReply) -> bool:
    """True if the server takes no messages at all now."""
    return error.code in WHOLE_SERVER
