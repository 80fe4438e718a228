"""Graphite exporter: pushes the hub's numbers to carbon by its plaintext protocol, over UDP or TCP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from hub.interfaces import ExporterContext
from hub.monitoring.connection import TcpConnection, UdpConnection
from hub.monitoring.datagrams import packed
from hub.monitoring.figures import Figure, default_prefix, figures, prefix_setting, text
from hub.settings import Duration, Settings, setting


class GraphiteConfig(Settings):
    """Settings of carbon's address and the names."""

    host: str = setting("127.0.0.1", "Address of carbon, or of a relay.", min_length=1)
    port: int = setting(2003, "Port of the plaintext protocol.", ge=1, le=65535)
    protocol: Literal["udp", "tcp"] = setting("udp", "Transport; for udp, carbon needs ENABLE_UDP_LISTENER = True.")
    timeout: Duration = setting("5s", "TCP: time to wait for a connection, and for each send.", ge=0.1, le=3600)
    prefix: str | None = prefix_setting()


class Graphite:
    """Push the numbers to Graphite: counts as they are, for Graphite's ``nonNegativeDerivative``."""

    Config: ClassVar[type[Settings]] = GraphiteConfig

    def __init__(self, context: ExporterContext) -> None:
        config = context.config
        self._prefix = config.prefix or default_prefix()
        address, tcp = (config.host, config.port), config.protocol == "tcp"
        self._connection = TcpConnection(*address, config.timeout) if tcp else UdpConnection(*address)

    def export(self, snapshot: Mapping[str, Any]) -> None:
        """Send a snapshot. :raises OSError: carbon can't be reached; the next call tries again."""
        time = int(snapshot["hub"]["time"])
        self._connection.send(packed(line(figure, self._prefix, time) for figure in figures(snapshot)))

    def close(self) -> None:
        """Close the socket."""
        self._connection.close()


def line(figure: Figure, prefix: str, time: int) -> bytes:
    """Line of carbon's plaintext protocol. :param time: epoch seconds."""
    return f"{figure.name(prefix)} {text(figure.number)} {time}\n".encode()
