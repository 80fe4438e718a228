"""Datagrams, packed from small parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

LIMIT = 1432
"""Bytes of a datagram, as statsd advises: an Ethernet frame less the headers of IPv6 and UDP and a margin."""


def packed(parts: Iterable[bytes], limit: int = LIMIT) -> Iterator[bytes]:
    """Pack whole parts into datagrams, in order and as full as possible. A part beyond ``limit`` is one by itself."""
    datagram = b""
    for part in parts:
        if datagram and len(datagram) + len(part) > limit:
            yield datagram
            datagram = b""
        datagram += part
    if datagram:
        yield datagram
