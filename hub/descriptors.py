"""Whether the process has file descriptors left."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from typing import Any

from twisted.internet.tcp import Port

from hub.partlog import PartLog


def take() -> int:
    """One file descriptor. :raises OSError: there is none."""
    return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)


class Descriptors:
    """Tells the operator when there are none left, and when there are some again: once each. What then fails in a
    hundred places says so in a hundred ways, or not at all.

    Meanwhile nobody new is let in: clients wait at the door. Twisted has one descriptor in reserve, to be able to turn
    them away; once somebody else has taken that, it would try to let them in again and again, and do little else.

    :param take: see :func:`take`.
    """

    def __init__(self, log: PartLog, reactor: Any, take: Callable[[], int] = take) -> None:
        self._log = log
        self._reactor = reactor
        self._take = take
        self._none_left = False
        self._shut: list[Port] = []

    def look(self) -> None:
        """Now; to be called again and again."""
        try:
            os.close(self._take())
        except OSError as error:
            if not self._none_left:
                most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
                text = "no file descriptor is left of %d: %s. Nobody new is let in, and no file opened, until there is"
                self._log.error(text, most, error.strerror, extra={"action": "descriptors"})
            self._none_left = True
            self._shut_doors()
        else:
            self._open_doors()
            if self._none_left:
                self._log.info("there are file descriptors again", extra={"action": "descriptors"})
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
