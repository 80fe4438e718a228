"""ERROR frames of a broker: their text, and whether a refused message may be accepted later. Pure."""

from __future__ import annotations

import re

from hub.backends.stomp.frame import Frame
from hub.text import printable

MOST_TEXT = 300
"""Characters of an ERROR that are shown; ActiveMQ sends a whole Java stack trace."""

_NAMES = re.compile(r"'[^']*'|\"[^\"]*\"|\S*/\S*")
"""Names of destinations, users and others in a text: they may hold any word."""
_PASSING = re.compile(
    r"(?<![a-z])(access|denied|refused|may not|(un|not )authori[sz]ed|authenticat\w*|permissions?|security|login"
    r"|not.found|no exchange|no queue|connection.forced|shut\w*|stop\w*|clos\w*|resource\w*|memory|disk|no space"
    r"|full|alarm|quota|timed? ?out|unavailable|busy|no room|takes no messages)(?![a-z])",
    re.IGNORECASE,
)
"""Texts of ERRORs that an operator or time can mend: rights, a missing exchange, a full disk, a stop. The message is
kept. RabbitMQ's, ActiveMQ's and hubbub's texts were read from their answers."""


def error_text(frame: Frame) -> str:
    """The text of an ERROR frame, one safe line: its ``message``, and the first line of its body if that says more."""
    summary = frame.headers.get("message", "").strip()
    detail = next(iter(frame.body.decode("utf-8", "replace").strip().splitlines()), "")
    text = detail if summary in detail else summary if detail in summary else f"{summary}: {detail}"
    return printable(text[:MOST_TEXT]) or "the broker gave no reason"


def is_passing(text: str) -> bool:
    """True if a message that the broker refused with this text may be accepted later."""
    return _PASSING.search(_NAMES.sub("", text)) is not None
