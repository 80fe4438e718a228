"""A broker's reasons in one safe line. Pure."""

from __future__ import annotations

from hub.text import printable

MOST_TEXT = 300
"""Characters of a reason that are shown."""
HELD_TOO_LONG = "; a message was held for longer than the broker's consumer_timeout, see docs/amqp.rst"


def reason_of(error: object) -> str:
    """The broker's own words, with its number, where it has given any; else the text of the error.

    :param error: an exception, or a method of AMQP.
    """
    text = getattr(error, "reply_text", None)
    if text:
        said = f"{text} ({getattr(error, 'reply_code', '')})"
        return printable(said[:MOST_TEXT]) + (HELD_TOO_LONG if is_timeout(said) else "")
    return printable(str(error or "")[:MOST_TEXT]) or type(error).__name__


def is_timeout(text: str) -> bool:
    """True if the broker has closed a channel because a message was not acknowledged in time."""
    return "acknowledgement" in text and "timed out" in text
