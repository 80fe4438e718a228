"""Exporters: they send the hub's numbers somewhere."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from hub.settings import Settings


class Exporter(Protocol):
    """An exporter sends the hub's numbers somewhere. It has a thread of its own: if it is slow or fails, the hub is not
    held up."""

    Config: type[Settings]

    def __init__(self, context: ExporterContext) -> None: ...

    def export(self, snapshot: Mapping[str, Any]) -> None:
        """Send one snapshot. Errors are logged and counted.

        :param snapshot: the status as plain dictionaries, a :class:`hub.status.document.HubStatus`; it may not be
            changed. :func:`hub.status.catalogue.metrics` iterates over its numbers.
        """

    def close(self) -> None:
        """Release resources. The last call: no snapshot follows."""


@dataclass(frozen=True)
class ExporterContext:
    """The context that an exporter is made with."""

    name: str
    config: Any
    interval: float
    """Seconds between two snapshots."""
    log: logging.LoggerAdapter[logging.Logger]
