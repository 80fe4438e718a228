"""A listener outside the hub, for the command line. No reactor."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence

import zmq

from backends.zeromq.frames import Parser
from backends.zeromq.prefixes import prefixes
from backends.zeromq.reader import Reader
from backends.zeromq.security import Security
from backends.zeromq.settings import Config
from backends.zeromq.sockets import Context, Socket, connect, make, reachable
from hub.errors import Unavailable
from hub.message import Message

_log = logging.getLogger(__name__)


def listen(config: Config, patterns: Sequence[str]) -> Iterator[Message]:
    """Messages as they come, forever. :raises Unavailable: only the hub hears its publishers."""
    context, socket = _open(config, patterns)
    return _messages(config, context, socket)


def _open(config: Config, patterns: Sequence[str]) -> tuple[Context, Socket]:
    if not config.connect and not config.publish_bind:
        raise Unavailable("publishers connect to the hub, so only the hub hears them: ask the running hub")
    security = Security.read(config)
    context: Context = zmq.Context()
    try:
        socket = make(context, zmq.SUB, config)
        for prefix in prefixes(patterns):
            socket.subscribe(prefix)
        if config.connect:
            security.join(socket)
            for endpoint in config.connect:
                connect(socket, endpoint, config)
        else:
            security.join_self(socket)
            connect(socket, reachable(config.publish_bind), config)
    except BaseException:
        context.destroy(linger=0)
        raise
    return context, socket


class _Heard:
    """An intake that keeps the last batch."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def receive(self, messages: list[Message], tokens: Sequence[object] = ()) -> None:
        self.messages = messages

    def refuse(self, message: Message, reason: str) -> None:
        extra = {"action": "refuse", "topic": message.topic, "message_id": message.id}
        _log.warning("a message on %s is no use: %s", ascii(message.topic), ascii(reason), extra=extra)


def _messages(config: Config, context: Context, socket: Socket) -> Iterator[Message]:
    heard = _Heard()
    limit = config.max_message_size
    parser = Parser("", config.format, limit, heard.refuse, _notice)
    reader = Reader(socket, parser, heard, time.time, config.budget)
    try:
        while True:
            socket.poll()
            heard.messages = []
            reader.drain()
            yield from heard.messages
    finally:
        context.destroy(linger=0)


def _notice(kind: str, level: int, text: str) -> None:
    _log.log(level, "%s", text, extra={"action": kind.partition(" ")[0]})
