"""Notifies systemd, by the protocol of ``sd_notify(3)``."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping

from hub.partlog import part_log


class Notifier:
    """Sends datagrams to ``$NOTIFY_SOCKET``; does nothing if it is unset. It never raises: a service manager that does
    not listen is no reason to stop.

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
        # Kept open: systemd must not kill a hub that has no file descriptor left as if it hung.
        self._channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) if address else None
        if self._channel is not None:
            self._channel.setblocking(False)

    def ready(self) -> None:
        """Report that everything has started, or that a reload is done."""
        self._send("READY=1")

    def status(self, text: str) -> None:
        """Send a line for ``systemctl status``, if it has changed."""
        if text != self._said:
            self._said = text
            self._send("STATUS=" + text.replace("\n", " "))

    def reloading(self) -> None:
        """Report that a reload begins; ``ready`` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """Report that the stop begins."""
        self._send("STOPPING=1")

    def watchdog(self) -> None:
        """Feed the watchdog, if systemd has one for the hub."""
        if self._watched:
            self._send("WATCHDOG=1")

    def _send(self, text: str) -> None:
        if self._channel is None:
            return
        try:
            self._channel.sendto(text.encode(), self._address)
        except OSError as error:
            self._log.warning("systemd could not be notified of %r: %s", text, error, extra={"action": "notify"})
