"""UDP monitor: an exporter that sends counters and thread states, as StatusNet's QueueMonitor did."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from hub.interfaces import ExporterContext
from hub.monitoring.connection import UdpConnection
from hub.monitoring.figures import growth
from hub.monitoring.monitor_datagrams import Counts, Sender, counts, json_datagrams, statusnet_datagrams
from hub.settings import Settings, setting


class UdpMonitorConfig(Settings):
    """Settings of the monitor's address and format."""

    host: str = setting("127.0.0.1", "Address of the monitor.", min_length=1)
    port: int = setting(..., "UDP port of the monitor.", example=9545, ge=1, le=65535)
    format: Literal["json", "statusnet"] = setting(
        "json", "'json': an object for each consumer. 'statusnet': the format of StatusNet's QueueMonitor."
    )
    hostname: str | None = setting(
        None, "This machine's name in the datagrams. Unset: its own.", example="myhost", min_length=1, max_length=63
    )


class UdpMonitor:
    """Send counters and thread states to a monitor by UDP."""

    Config: ClassVar[type[Settings]] = UdpMonitorConfig

    def __init__(self, context: ExporterContext) -> None:
        config = context.config
        self._hostname = config.hostname or socket.gethostname()
        self._statusnet = config.format == "statusnet"
        self._connection = UdpConnection(config.host, config.port)
        self._before: Counts = {}

    def export(self, snapshot: Mapping[str, Any]) -> None:
        """Send a snapshot. :raises OSError: the name is unknown, or nobody listens; the next call tries again."""
        sender = Sender(self._hostname, os.getpid(), snapshot["hub"]["time"])
        if not self._statusnet:
            self._connection.send(json_datagrams(sender, snapshot))
            return
        now = counts(snapshot)
        self._connection.send(statusnet_datagrams(sender, snapshot, growth(now, self._before)))
        self._before = now

    def close(self) -> None:
        """Close the socket."""
        self._connection.close()
