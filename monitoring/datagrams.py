"""Many small parts in few datagrams."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

LIMIT = 1432
"""Bytes of a datagram: what statsd advises, an Ethernet frame less the headers of IPv6 and UDP and some room."""


def packed(parts: Iterable[bytes], limit: int = LIMIT) -> Iterator[bytes]:
    """The parts in order, none cut, as many in a datagram as fit. One that is longer than ``limit`` goes alone."""
    datagram = b""
    for part in parts:
        if datagram and len(datagram) + len(part) > limit:
            yield datagram
            datagram = b""
        datagram += part
    if datagram:
        yield datagram
