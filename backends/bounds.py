"""Bounds of what a bus says of a message beside its body: topic, id and headers are kept in memory, are keys of caches
and columns of databases, and stand in logs. Pure."""

from __future__ import annotations

from hub.backends.fedmsg import MAX_ID, MAX_TOPIC
from hub.headers import MOST_BYTES, size_of
from hub.message import Headers

MOST_TOPIC, MOST_ID = MAX_TOPIC, MAX_ID
"""Characters."""
MOST_HEADERS = MOST_BYTES
"""Characters of all names and values of headers; see :func:`hub.headers.size_of`."""


def excess(topic: str, message_id: str, headers: Headers) -> tuple[str, str] | None:
    """Say what of these is too large.

    :returns: its kind, by which it is counted (``topic_size``, ``id_size``, ``headers_size``), and a sentence;
        ``None``: nothing is.
    """
    if len(topic) > MOST_TOPIC:
        return "topic_size", f"the topic has {len(topic)} characters, and {MOST_TOPIC} are the most"
    if len(message_id) > MOST_ID:
        return "id_size", f"the id has {len(message_id)} characters, and {MOST_ID} are the most"
    if headers and (size := size_of(headers)) > MOST_HEADERS:
        return "headers_size", f"the headers have {size} characters, and {MOST_HEADERS} are the most"
    return None
