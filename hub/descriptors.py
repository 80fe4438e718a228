"""Whether the process has file descriptors left."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable

from hub.partlog import PartLog


def take() -> int:
    """One file descriptor. :raises OSError: there is none."""
    return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)


class Descriptors:
    """Tells the operator when there are none left, and when there are some again: once each. What then fails in a
    hundred places says so in a hundred ways, or not at all.

    :param take: see :func:`take`.
    """

    def __init__(self, log: PartLog, take: Callable[[], int] = take) -> None:
        self._log = log
        self._take = take
        self._none_left = False

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
        else:
            if self._none_left:
                self._log.info("there are file descriptors again", extra={"action": "descriptors"})
            self._none_left = False
