"""Pushes the hub's numbers to Graphite's carbon, by its plaintext protocol, over UDP or TCP."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

from hub.interfaces import ExporterContext
from hub.settings import Duration, Settings, setting
from monitoring.datagrams import Channel, packed
from monitoring.figures import LONGEST_PREFIX, PREFIX, Figure, default_prefix, figures, text


class GraphiteConfig(Settings):
    """Where carbon listens, and what the names begin with."""

    host: str = setting("127.0.0.1", "Where carbon, or a relay, listens.", min_length=1)
    port: int = setting(2003, "Its port for the plaintext protocol.", ge=1, le=65535)
    protocol: Literal["udp", "tcp"] = setting("udp", "For UDP, carbon needs ENABLE_UDP_LISTENER = True.")
    timeout: Duration = setting("5s", "TCP: how long to wait for a connection, and for what was sent.", ge=0.1, le=3600)
    prefix: str | None = setting(
        None,
        "What all names begin with; another for each hub. Unset: hubbub.HOSTNAME.",
        example="hubbub.myhost",
        pattern=PREFIX,
        max_length=LONGEST_PREFIX,
    )


class Graphite:
    """Pushes the numbers to Graphite: counts as they are, for Graphite's ``nonNegativeDerivative``."""

    Config: ClassVar[type[Settings]] = GraphiteConfig

    def __init__(self, context: ExporterContext) -> None:
        config = context.config
        self._prefix = config.prefix or default_prefix()
        tcp = config.protocol == "tcp"
        self._channel = Stream(config.host, config.port, config.timeout) if tcp else Channel(config.host, config.port)

    def export(self, snapshot: Mapping[str, Any]) -> None:
        """Send one snapshot. :raises OSError: carbon can't be reached; the next call tries anew."""
        time = int(snapshot["hub"]["time"])
        self._channel.send(packed(line(figure, self._prefix, time) for figure in figures(snapshot)))

    def close(self) -> None:
        """Close the socket."""
        self._channel.close()


def line(figure: Figure, prefix: str, time: int) -> bytes:
    """As carbon reads it. ``time`` is in epoch seconds."""
    return f"{figure.name(prefix)} {text(figure.number)} {time}\n".encode()


class Stream:
    """A TCP connection that is opened when it is needed, and anew when it was lost.

    :param timeout: seconds to wait for the connection, and then for each ``send``.
    """

    def __init__(self, host: str, port: int, timeout: float) -> None:
        self._address = (host, port)
        self._timeout = timeout
        self._socket: socket.socket | None = None

    def send(self, parts: Iterable[bytes]) -> None:
        """Send all. :raises OSError: nobody listens, or the peer reads too slowly; the next call tries anew."""
        try:
            self._connected().sendall(b"".join(parts))
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; the next ``send`` opens another one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connected(self) -> socket.socket:
        if self._socket is not None and _has_ended(self._socket):
            self.close()
        if self._socket is None:
            self._socket = socket.create_connection(self._address, self._timeout)
            # A peer that vanished without a word would else be sent to for a quarter of an hour.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(self._timeout * 1000))
        return self._socket


def _has_ended(connection: socket.socket) -> bool:
    """Whether the peer has closed it. Carbon never says anything, so what there is to read is the end."""
    poller = select.poll()
    poller.register(connection, select.POLLIN)
    return bool(poller.poll(0))
