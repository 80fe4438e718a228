"""Counts of the connections that are open on all ports together."""

from __future__ import annotations

from hub.backends.stomp.open_connections import OpenConnections


def test_addresses_without_connections_are_forgotten() -> None:
    counts = OpenConnections()
    for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2", None):
        counts.add(address)
    assert (counts.total, counts.of_address) == (4, {"192.0.2.1": 2, "192.0.2.2": 1})
    for address in ("192.0.2.1", "192.0.2.2", None):
        counts.discard(address)
    assert (counts.total, dict(counts.of_address)) == (1, {"192.0.2.1": 1})
