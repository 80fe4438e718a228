"""Names of nodes and queues of other hubs, as they are shown. Pure."""

from __future__ import annotations

from hub.text import printable

LONGEST_SHOWN = 80
"""Characters of a name that are shown."""


def shown_name(name: str) -> str:
    """The name on one line and in bounded length: control characters are escaped, and runs of spaces are one, so that
    no name can look like more than one column of a table."""
    text = " ".join(printable(name).split())
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"
