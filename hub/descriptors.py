"""Watches for the exhaustion of file descriptors."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from typing import Any

from twisted.internet.tcp import Port

from hub.partlog import PartLog


def take() -> int:
    """Open one file descriptor. :raises OSError: none is left."""
    return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)


class Descriptors:
    """Logs once when no descriptors are left, and once when there are some again. The failures that follow would be
    logged in many ways, or not at all.

    Meanwhile no connection is accepted: clients wait in the backlog. Twisted reserves one descriptor to reject them;
    once that is taken by somebody else, it would retry the accept in a busy loop.

    :param take: see :func:`take`.
    """

    def __init__(self, log: PartLog, reactor: Any, take: Callable[[], int] = take) -> None:
        self._log = log
        self._reactor = reactor
        self._take = take
        self._none_left = False
        self._shut: list[Port] = []

    def look(self) -> None:
        """Check now. Call it periodically."""
        try:
            os.close(self._take())
        except OSError as error:
            if not self._none_left:
                most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
                text = "no file descriptor is left of %d: %s. Nothing is accepted or opened until one is free"
                self._log.error(text, most, error.strerror, extra={"action": "descriptors"})
            self._none_left = True
            self._shut_doors()
        else:
            self._open_doors()
            if self._none_left:
                self._log.info("file descriptors are available again", extra={"action": "descriptors"})
            self._none_left = False

    def _shut_doors(self) -> None:
        for reader in self._reactor.getReaders():
            if isinstance(reader, Port):
                reader.stopReading()
                self._shut.append(reader)

    def _open_doors(self) -> None:
        for port in self._shut:
            if port.connected:  # else it was closed meanwhile
                port.startReading()
        self._shut.clear()
