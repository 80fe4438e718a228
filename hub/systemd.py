"""What the hub tells systemd, by ``sd_notify``'s protocol (systemd's ``sd_notify(3)``)."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping

from hub.partlog import part_log


class Notifier:
    """Sends datagrams to ``$NOTIFY_SOCKET``; where there is none, does nothing. It never raises: a service manager
    that does not listen is no reason to stop.

    :param environ: the process's environment.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._log = part_log("hub", "systemd")
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._watched = environ.get("WATCHDOG_USEC", "").isdigit() and environ.get("WATCHDOG_PID") in (
            None,
            str(os.getpid()),
        )
        self._said = ""
        # Kept open: a hub without a file descriptor left must not be taken for one that hangs, and killed.
        self._channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) if address else None
        if self._channel is not None:
            self._channel.setblocking(False)

    def ready(self) -> None:
        """Everything has started, or a reload is over."""
        self._send("READY=1")

    def status(self, text: str) -> None:
        """One line for ``systemctl status``; said again only when it differs."""
        if text != self._said:
            self._said = text
            self._send("STATUS=" + text.replace("\n", " "))

    def reloading(self) -> None:
        """A reload begins; ``ready`` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """The stop begins."""
        self._send("STOPPING=1")

    def watchdog(self) -> None:
        """All is well; where systemd wants to know."""
        if self._watched:
            self._send("WATCHDOG=1")

    def _send(self, text: str) -> None:
        if self._channel is None:
            return
        try:
            self._channel.sendto(text.encode(), self._address)
        except OSError as error:
            self._log.warning("systemd could not be told %r: %s", text, error, extra={"action": "notify"})
