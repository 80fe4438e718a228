"""The way of a relayed message: the buses that it has passed, as a header tells them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from hub.message import HeaderValue

VIA = "hubbub.via"
"""Header with the names of the buses that a message has passed, in order, with a space between two."""
MOST_BUSES = 16
LONGEST_NAME = 64
"""Characters of a bus's name as it stands in the header."""


@dataclass(frozen=True)
class Way:
    """The buses that a message has passed before the one that it came by."""

    buses: tuple[str, ...] = ()

    def is_open(self, source: str, target: str) -> bool:
        """True if a message may go on from one bus to another: it has been on neither before."""
        return not {escaped(source), escaped(target)} & set(self.buses)

    def after(self, source: str) -> Way:
        """The way of a message that leaves this bus."""
        return Way((*self.buses, escaped(source)))

    def __str__(self) -> str:
        return " ".join(self.buses)


def escaped(name: str) -> str:
    """A name as it stands in the header: without spaces, in ASCII."""
    return quote(name, safe="")


def way_of(value: HeaderValue | None) -> Way:
    """Read the header. :param value: ``None``: the message has none.

    :raises ValueError: it is not such a list, or so long that the message must be in a loop.
    """
    if value is None:
        return Way()
    if not isinstance(value, str):
        raise ValueError(f"its header {VIA} is not a text")
    if len(value) > MOST_BUSES * (LONGEST_NAME + 1) or len(buses := value.split()) >= MOST_BUSES:
        raise ValueError(f"by its header {VIA} it has passed {MOST_BUSES} buses or more")
    return Way(tuple(buses))
