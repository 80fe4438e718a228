"""Listener outside the hub, for the command line. It needs no reactor."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator, Sequence

import zmq
from twisted.internet.task import Clock

from hub.backends.zeromq.frames import Parser
from hub.backends.zeromq.monitor import Monitor
from hub.backends.zeromq.prefixes import prefixes
from hub.backends.zeromq.reader import Reader
from hub.backends.zeromq.reconnect import Reconnect
from hub.backends.zeromq.security import Security
from hub.backends.zeromq.settings import Config
from hub.backends.zeromq.sockets import Context, Socket, connect, make, reachable
from hub.errors import Unavailable
from hub.interfaces import Answer
from hub.message import Message

_log = logging.getLogger(__name__)
_TICK = 100
"""Milliseconds between two checks of the timers, while there are any."""


def listen(config: Config, patterns: Sequence[str]) -> Iterator[Message]:
    """Yield messages as they arrive, without end. :raises Unavailable: only the hub receives from its publishers."""
    context, socket, lines = _open(config, patterns)
    return _messages(config, context, socket, lines)


def _open(config: Config, patterns: Sequence[str]) -> tuple[Context, Socket, _Lines]:
    if not config.connect and not config.publish_bind:
        raise Unavailable("publishers connect to the hub, so only the running hub receives from them")
    security = Security.read(config)
    context: Context = zmq.Context()
    try:
        socket = make(context, zmq.SUB, config)
        for prefix in prefixes(patterns):
            socket.subscribe(prefix)
        if config.connect:
            security.join(socket)
            lines = _Lines(socket, config, config.connect)
        else:
            security.join_self(socket)
            lines = _Lines(socket, config, [reachable(config.publish_bind)])
    except BaseException:
        context.destroy(linger=0)
        raise
    return context, socket, lines


class _Lines:
    """Connections, which are opened again where ZeroMQ gives up: else one frame too large would end the listening."""

    def __init__(self, socket: Socket, config: Config, endpoints: Sequence[str]) -> None:
        self.monitor = Monitor(socket, _notice, self._look)
        self._socket = socket
        self._config = config
        self._endpoints = endpoints
        self._timers = Clock()
        self._revival = Reconnect(self._timers, self.monitor, config, self._connect_again)
        for endpoint in endpoints:
            self.monitor.watch(endpoint, connects=True)
            connect(socket, endpoint, config)

    def _look(self) -> None:
        self._revival.look(self._endpoints)

    def wait(self) -> None:
        """Wait until there is something to read, or a timer is due."""
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self.monitor.socket, zmq.POLLIN)
        poller.poll(_TICK if self._timers.getDelayedCalls() else None)

    def attend(self) -> None:
        """Run timers and monitors. Call it right after reading, for the reason that
        :meth:`~hub.backends.zeromq.monitored_socket.MonitoredSocket.disconnect_leaving` gives."""
        # The time is advanced first, for timers count from it. They fire last, after all events were read.
        self._timers.rightNow = time.monotonic()
        self.monitor.drain()
        self._timers.advance(0)

    def _connect_again(self, endpoint: str) -> None:
        if self.monitor.is_open(endpoint):
            return
        with contextlib.suppress(zmq.ZMQError):  # ZeroMQ may have forgotten the endpoint already
            self._socket.disconnect(endpoint)
        connect(self._socket, endpoint, self._config)


class _Heard:
    """Intake that keeps the last batch."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def receive(self, messages: list[Message], tokens: Sequence[object] = (), answer: Answer | None = None) -> None:
        self.messages = messages

    def refuse(self, message: Message, reason: str) -> None:
        extra = {"action": "refuse", "topic": message.topic, "message_id": message.id}
        _log.warning("unusable message on %s: %s", ascii(message.topic), ascii(reason), extra=extra)


def _messages(config: Config, context: Context, socket: Socket, lines: _Lines) -> Iterator[Message]:
    heard = _Heard()
    limit = config.max_message_size
    parser = Parser("", config.format, limit, heard.refuse, _notice)
    reader = Reader(socket, parser, heard, time.time, config.budget)
    try:
        while True:
            lines.wait()
            heard.messages = []
            reader.drain()
            if not reader.surplus:
                lines.attend()
            yield from heard.messages
    finally:
        lines.monitor.close()
        context.destroy(linger=0)


def _notice(kind: str, level: int, text: str) -> None:
    _log.log(level, "%s", text, extra={"action": kind.partition(" ")[0]})
