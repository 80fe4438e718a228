"""Pushes the hub's numbers to a statsd, over UDP: https://github.com/statsd/statsd/blob/master/docs/metric_types.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from hub.interfaces import ExporterContext
from hub.monitoring.connection import UdpConnection
from hub.monitoring.datagrams import packed
from hub.monitoring.figures import LONGEST_PREFIX, PREFIX, Figure, Path, default_prefix, figures, growth, text, totals
from hub.settings import Settings, setting


class StatsdConfig(Settings):
    """Where statsd listens, and what the names begin with."""

    host: str = setting("127.0.0.1", "Where statsd listens.", min_length=1)
    port: int = setting(8125, "Its UDP port.", ge=1, le=65535)
    prefix: str | None = setting(
        None,
        "What all names begin with; another for each hub. Unset: hubbub.HOSTNAME.",
        example="hubbub.myhost",
        pattern=PREFIX,
        max_length=LONGEST_PREFIX,
    )


class Statsd:
    """Pushes the numbers to statsd: counts as what they grew by since the last time, all else as gauges."""

    Config: ClassVar[type[Settings]] = StatsdConfig

    def __init__(self, context: ExporterContext) -> None:
        self._prefix = context.config.prefix or default_prefix()
        self._connection = UdpConnection(context.config.host, context.config.port)
        self._before: dict[Path, float] = {}

    def export(self, snapshot: Mapping[str, Any]) -> None:
        """Send one snapshot. :raises OSError: the name is unknown, or nobody listens; the next call tries anew."""
        found = list(figures(snapshot))
        counts = totals(found)
        parts = lines(found, self._prefix, growth(counts, self._before))
        self._connection.send(datagram.removesuffix(b"\n") for datagram in packed(parts))
        # Only what was sent is settled: a statsd that was away gets what the counts grew by meanwhile.
        self._before = counts

    def close(self) -> None:
        """Close the socket."""
        self._connection.close()


def lines(found: Iterable[Figure], prefix: str, grown: Mapping[Path, float]) -> Iterator[bytes]:
    """As statsd reads them. A sign makes a gauge relative, so a negative one is set to 0 first, in the same part."""
    for figure in found:
        name, number = figure.name(prefix), text(figure.number)
        if figure.kind == "gauge":
            reset = f"{name}:0|g\n" if number.startswith("-") else ""
            yield f"{reset}{name}:{number}|g\n".encode()
        elif figure.path in grown:
            yield f"{name}:{text(grown[figure.path])}|c\n".encode()
