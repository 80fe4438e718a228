"""statsd exporter over UDP; the format is that of https://github.com/statsd/statsd/blob/master/docs/metric_types.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from hub.interfaces import ExporterContext
from hub.monitoring.connection import UdpConnection
from hub.monitoring.datagrams import packed
from hub.monitoring.figures import Figure, Path, default_prefix, figures, growth, prefix_setting, text, totals
from hub.settings import Settings, setting


class StatsdConfig(Settings):
    """Settings of statsd's address and the names."""

    host: str = setting("127.0.0.1", "Address of statsd.", min_length=1)
    port: int = setting(8125, "UDP port of statsd.", ge=1, le=65535)
    prefix: str | None = prefix_setting()


class Statsd:
    """Push the numbers to statsd: counts as their growth since the last push, all others as gauges."""

    Config: ClassVar[type[Settings]] = StatsdConfig

    def __init__(self, context: ExporterContext) -> None:
        self._prefix = context.config.prefix or default_prefix()
        self._connection = UdpConnection(context.config.host, context.config.port)
        self._before: dict[Path, float] = {}

    def export(self, snapshot: Mapping[str, Any]) -> None:
        """Send a snapshot. :raises OSError: the name is unknown, or nobody listens; the next call tries again."""
        found = list(figures(snapshot))
        counts = totals(found)
        parts = lines(found, self._prefix, growth(counts, self._before))
        self._connection.send(datagram.removesuffix(b"\n") for datagram in packed(parts))
        # Counts are remembered only once they were sent: a statsd that was away gets the growth of that time, too.
        self._before = counts

    def close(self) -> None:
        """Close the socket."""
        self._connection.close()


def lines(found: Iterable[Figure], prefix: str, grown: Mapping[Path, float]) -> Iterator[bytes]:
    """Lines of statsd. A sign makes a gauge relative, so a negative one is first set to 0, in the same part."""
    for figure in found:
        name, number = figure.name(prefix), text(figure.number)
        if figure.kind == "gauge":
            reset = f"{name}:0|g\n" if number.startswith("-") else ""
            yield f"{reset}{name}:{number}|g\n".encode()
        elif figure.path in grown:
            yield f"{name}:{text(grown[figure.path])}|c\n".encode()
