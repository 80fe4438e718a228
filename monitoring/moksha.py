"""Monitoring socket like that of moksha.hub and fedmsg-hub, for programs that read it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec
import zmq
from pydantic import AfterValidator

from hub.interfaces import ExporterContext
from hub.monitoring.moksha_document import Publications
from hub.settings import Settings, setting
from hub.unixsocket import LONGEST_PATH, check_free

LINGER = 200
"""Milliseconds to send the last document at the stop."""
_TCP = re.compile(r"tcp://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.*-]+):(\d{1,5})", re.ASCII)


def _endpoint(text: str) -> str:
    match = _TCP.fullmatch(text)
    if match and 0 < int(match[2]) <= 65535:
        return text
    path = text.removeprefix("ipc://")
    if path == text or not path.startswith("/") or not path.isprintable():
        raise ValueError(f"expected 'tcp://address:port' or 'ipc:///path', not {text!r}")
    if len(path.encode()) > LONGEST_PATH:
        raise ValueError(f"{text!r}: the path of a Unix socket is at most {LONGEST_PATH} bytes long")
    return text


class MokshaConfig(Settings):
    """Settings of the socket."""

    bind: Annotated[str, AfterValidator(_endpoint)] = setting(
        "ipc:///run/hubbub/monitoring-fedmsg-hub.socket",
        "'ipc:///path' or 'tcp://127.0.0.1:port'. Any reader can see names and counts, nothing else. moksha publishes "
        "every 5s: set interval to that.",
    )
    mode: str = setting(
        "0660",
        "Permissions of an ipc socket's file, octal; readers need write permission.",
        pattern="^0?[0-7]{3}$",
    )


class MokshaMonitor:
    """Publish a JSON document per snapshot. The socket is created and used in the exporter's thread only."""

    Config: ClassVar[type[Settings]] = MokshaConfig

    def __init__(self, context: ExporterContext) -> None:
        self._config = context.config
        self._publications = Publications(context.interval)
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._socket: zmq.Socket[bytes] | None = None

    def export(self, snapshot: Mapping[str, Any]) -> None:
        """Publish a document; a reader that is not connected misses it.

        :raises OSError: the file is not a socket, or another user's; the next call tries again.
        :raises zmq.ZMQError: the endpoint can't be bound; the next call tries again.
        """
        channel = self._bound()
        channel.send(msgspec.json.encode(self._publications.document(snapshot)))

    def close(self) -> None:
        """Close the socket. Its file is removed first, while it is ours: a hub that starts now may create a new one."""
        if self._socket is not None and (path := _path(self._config.bind)):
            Path(path).unlink(missing_ok=True)
        if self._context is not None:
            self._context.destroy(linger=LINGER)
            self._context = self._socket = None

    def _bound(self) -> zmq.Socket[bytes]:
        if self._socket is None:
            self._context = zmq.Context()
            try:
                self._socket = self._listening(self._context)
            except (OSError, zmq.ZMQError):
                self.close()
                raise
        return self._socket

    def _listening(self, context: zmq.Context[zmq.Socket[bytes]]) -> zmq.Socket[bytes]:
        bind = self._config.bind
        path = _path(bind)
        if path:
            check_free(Path(path))
        channel = context.socket(zmq.PUB)
        channel.setsockopt(zmq.IPV6, "[" in bind)
        try:
            channel.bind(bind)
        except zmq.ZMQError as error:
            channel.close(linger=0)
            raise OSError(f"bind: {bind} can't be bound: {zmq.strerror(error.errno or 0)}") from error
        if path:
            os.chmod(path, int(self._config.mode, 8))
        return channel


def _path(bind: str) -> str:
    """Path of the socket's file; empty for TCP."""
    return bind.removeprefix("ipc://") if bind.startswith("ipc://") else ""
