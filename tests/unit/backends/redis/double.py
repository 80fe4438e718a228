"""A Redis server in threads, of the commands that the backend uses; it does what it is told to do wrong.

What it does, a real one does: ``tests/system/test_redis_client.py`` runs on both.
"""

from __future__ import annotations

import contextlib
import fnmatch
import socket
import threading
from collections.abc import Callable
from typing import Any, Self

from tests.unit.backends.redis.double_streams import Refusal, Streams

OK = "+OK"
Hook = Callable[[list[bytes]], object]


class Double:
    """``with Double() as server:`` on ``port``, with what it keeps in ``streams``.

    :ivar refuse: before a command is executed: a text refuses it.
    :ivar swallow: after a command was executed: true ends the connection in the place of the answer.
    :ivar commands: the names of all commands so far.
    """

    def __init__(self) -> None:
        self.streams = Streams()
        self.refuse: Callable[[list[bytes]], str | None] = lambda command: None
        self.swallow: Hook = lambda command: False
        self.commands: list[str] = []
        self.role = "master"
        self.replicas = 0
        self._changed = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._connections: list[socket.socket] = []
        self._listening: list[tuple[socket.socket, bytes, bool]] = []
        self._running = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._running = False
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop()

    def drop(self) -> None:
        """End all connections."""
        with self._changed:
            connections, self._connections = self._connections, []
            self._listening.clear()
            self._changed.notify_all()
        for one in connections:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def do(self, *command: object) -> Any:
        """Execute a command, as a client would."""
        words = [one if isinstance(one, bytes) else str(one).encode() for one in command]
        with self._changed:
            reply = self._execute(words)
            self._changed.notify_all()
            return reply

    def _accept(self) -> None:
        while self._running:
            try:
                made, _ = self._listener.accept()
            except OSError:
                return
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._changed:
                self._connections.append(made)
            threading.Thread(target=self._serve, args=(made,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        reader = connection.makefile("rb")
        queued: list[list[bytes]] | None = None
        with contextlib.suppress(OSError, ValueError, IndexError), connection:
            while command := self._read(reader):
                name = command[0].upper()
                self.commands.append(name.decode())
                if name == b"MULTI":
                    queued, reply = [], OK
                elif name == b"EXEC" and queued is not None:
                    reply, queued = [self._answer(connection, one) for one in queued], None  # type: ignore[assignment]
                elif queued is not None:
                    queued.append(command)
                    reply = "+QUEUED"
                else:
                    reply = self._answer(connection, command)
                if self.swallow(command):
                    return
                if reply is not None or name not in (b"SUBSCRIBE", b"PSUBSCRIBE"):
                    with self._changed:
                        connection.sendall(encode(reply))

    def _read(self, reader: Any) -> list[bytes]:
        head = reader.readline()
        if not head:
            return []
        words = []
        for _ in range(int(head[1:])):
            size = int(reader.readline()[1:])
            words.append(reader.read(size + 2)[:-2])
        return words

    def _answer(self, connection: socket.socket, command: list[bytes]) -> Any:
        refused = self.refuse(command)
        if refused:
            return Refusal(refused)
        name = command[0].upper()
        if name in (b"SUBSCRIBE", b"PSUBSCRIBE"):
            return self._subscribe(connection, command)
        if name == b"PING" and any(one is connection for one, *_ in self._listening):
            return [b"pong", b""]
        block = _block(command)
        try:
            with self._changed:
                reply = self._execute(command)
                if reply is None and block:
                    self._changed.wait_for(lambda: not self._running or self.streams.has_new(command), block)
                    reply = self._execute(command)
                self._changed.notify_all()
                return reply
        except Refusal as refusal:
            return refusal

    def _execute(self, command: list[bytes]) -> Any:
        name = command[0].upper().decode()
        if name in ("PING", "CLIENT", "AUTH", "SELECT"):
            return OK
        if name == "ROLE":
            return [self.role.encode(), 0, [[b"127.0.0.1", b"1", b"0"]] * self.replicas]
        if name == "WAIT":
            return self.replicas
        if name == "PUBLISH":
            return self._publish(command[1], command[2])
        return self.streams.execute(name, command[1:])

    def _subscribe(self, connection: socket.socket, command: list[bytes]) -> None:
        word = command[0].lower()
        with self._changed:
            for channel in command[1:]:
                self._listening.append((connection, channel, word == b"psubscribe"))
                connection.sendall(encode([word, channel, len(self._listening)]))

    def _publish(self, channel: bytes, body: bytes) -> int:
        heard = 0
        for connection, name, is_pattern in self._listening:
            if fnmatch.fnmatchcase(channel.decode(), name.decode()) if is_pattern else channel == name:
                with contextlib.suppress(OSError):  # it has ended
                    heard += 1
                    connection.sendall(
                        encode([b"pmessage", name, channel, body] if is_pattern else [b"message", channel, body])
                    )
        return heard


def _block(command: list[bytes]) -> float:
    """Seconds for which a command may wait."""
    words = [word.upper() for word in command]
    return int(command[words.index(b"BLOCK") + 1]) / 1000 if b"BLOCK" in words else 0.0


def encode(reply: Any) -> bytes:
    """An answer in RESP 2."""
    if reply is None:
        return b"*-1\r\n"
    if isinstance(reply, Refusal):
        return b"-%b\r\n" % str(reply).encode()
    if isinstance(reply, str):
        return reply.encode() + b"\r\n"
    if isinstance(reply, int):
        return b":%d\r\n" % reply
    if isinstance(reply, bytes):
        return b"$%d\r\n%b\r\n" % (len(reply), reply)
    return b"*%d\r\n%b" % (len(reply), b"".join(map(encode, reply)))
