"""What a command prints: its last bytes, and the last lines of these, safe for a log."""

from __future__ import annotations

from hub.text import printable

MOST_BYTES = 4096
MOST_LINES = 10
LONGEST_LINE = 300
"""Characters of a line that are shown."""


class LastBytes:
    """Keeps the last bytes of a stream, however long it is."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._cut = False

    def add(self, chunk: bytes) -> None:
        """Add what was read."""
        self._kept += chunk
        if len(self._kept) > MOST_BYTES:
            del self._kept[:-MOST_BYTES]
            self._cut = True

    def value(self) -> bytes:
        """The last bytes. Of a longer stream they begin with a whole line, if there is one."""
        kept = bytes(self._kept)
        _, found, rest = kept.partition(b"\n")
        return rest if self._cut and found and rest.strip() else kept


def lines(raw: bytes) -> list[str]:
    """Return the last lines that are not empty. Control characters are escaped, long lines are cut off."""
    found = [line.strip() for line in raw.decode("utf-8", "replace").splitlines()]
    return [printable(line[:LONGEST_LINE]) for line in found if line][-MOST_LINES:]
