"""One connection to a server, in a thread: commands and their answers. Needs the extra ``redis``.

It is redis-py's connection without its pool and its retries: those send a command again whose answer was lost, and an
XADD makes a second entry then.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from collections.abc import Sequence
from typing import Any

from hub.backends.broker_address import Address
from hub.backends.redis.settings import Config
from hub.backends.redis.tls import RedisTLS
from hub.extra import Extra

EXTRA = Extra("Redis", "redis", ("redis.connection",))
"""The client library."""
Command = Sequence[object]


class Lost(Exception):
    """The connection is lost, or never came about. The text says why, in one line."""


class ErrorReply(Exception):
    """The server refused a command, with these words."""

    @property
    def code(self) -> str:
        """First word of the text: ``READONLY``, ``NOGROUP``, ``ERR``."""
        return str(self).partition(" ")[0]


class Dialer:
    """Makes connections with the configured login and TLS.

    :raises ConfigError: a file or secret can't be read. :raises MissingExtra: the library is not installed.
    """

    def __init__(self, config: Config, username: str | None, password: str | None) -> None:
        EXTRA.check()
        self._config = config
        self._username, self._password = username, password
        self._tls = RedisTLS(config) if config.tls else None

    @classmethod
    def of_server(cls, config: Config) -> Dialer:
        """Make one for the server."""
        return cls(config, config.username, None if config.password is None else config.password.read())

    @classmethod
    def of_sentinels(cls, config: Config) -> Dialer:
        """Make one for the Sentinels."""
        secret = config.sentinel_password
        return cls(config, config.sentinel_username, None if secret is None else secret.read())

    def dial(self, address: Address, timeout: float, connect_timeout: float | None = None, database: int = 0) -> Line:
        """Connect and log in. :param timeout: seconds for each answer. :raises Lost: it can't.

        :raises ErrorReply: the server refuses the login.
        """
        from redis import connection
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        tls = self._tls if address.tls else None
        base: Any = connection.Connection

        class Connection(base):  # type: ignore[misc]
            """redis-py's, with our TLS."""

            def _connect(self) -> Any:
                return super()._connect() if tls is None else tls.wrap(address.host, super()._connect)

        made: Any = Connection(
            address.host,
            address.port,
            db=database,
            username=self._username,
            password=self._password,
            protocol=2,
            socket_timeout=timeout,
            socket_connect_timeout=connect_timeout or self._config.connect_timeout,
            retry=Retry(NoBackoff(), 0),
        )
        line = Line(made, address)
        try:
            line.open()
        except Lost as error:
            raise Lost(str(error) if tls is None else tls.explained(str(error))) from error
        return line


class Line:
    """A connection to one server. One thread uses it; :meth:`abandon` may be called in any.

    :param connection: redis-py's.
    """

    def __init__(self, connection: Any, address: Address) -> None:
        self.address = address
        self._connection = connection

    def open(self) -> None:
        """Connect and log in; see :meth:`Dialer.dial`."""
        self._do(self._connection.connect)

    def call(self, *command: object) -> Any:
        """Send a command. :returns: its answer; texts are bytes. :raises Lost: there is none. :raises ErrorReply: it
        was refused."""
        self._do(self._connection.send_command, *command)
        return self.read()

    def read(self) -> Any:
        """Read the next answer; see :meth:`call`."""
        return self._do(self._connection.read_response)

    def send(self, *command: object) -> None:
        """Send a command, and leave its answers to :meth:`read`. :raises Lost: it can't be sent."""
        self._do(self._connection.send_command, *command)

    def waits(self, timeout: float) -> bool:
        """True if there is something to read within these seconds."""
        return bool(self._do(self._connection.can_read, timeout))

    def pipeline(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands together. :returns: their answers, :class:`ErrorReply` for one that was refused.

        :raises Lost: the answers did not all come.
        """
        packed = self._connection.pack_commands([tuple(command) for command in commands])
        self._do(self._connection.send_packed_command, packed)
        replies: list[Any] = []
        for _ in commands:
            try:
                replies.append(self.read())
            except ErrorReply as error:
                replies.append(error)
        return replies

    def _do(self, function: Any, *arguments: object) -> Any:
        import redis.exceptions as errors

        try:
            return function(*arguments)
        except errors.AuthenticationError as error:
            raise ErrorReply(str(error) or "the login is wrong") from error
        except errors.BusyLoadingError as error:
            raise ErrorReply(f"LOADING {error}") from error
        except errors.ResponseError as error:
            raise ErrorReply(_words(error)) from error
        except errors.TimeoutError as error:
            raise Lost("it does not answer") from error
        except ssl.SSLError as error:
            raise Lost(f"TLS: {getattr(error, 'verify_message', '') or error.reason or error}") from error
        except (errors.RedisError, OSError, ValueError) as error:
            raise Lost(_reason(error)) from error

    def descriptor(self) -> int | None:
        """The file descriptor of the connection."""
        found = self._socket()
        return None if found is None or found.fileno() < 0 else int(found.fileno())

    def _socket(self) -> socket.socket | None:
        return getattr(self._connection, "_sock", None)

    def abandon(self) -> None:
        """End the connection under whoever waits for an answer."""
        found = self._socket()
        if found is not None:
            with contextlib.suppress(OSError):
                found.shutdown(socket.SHUT_RDWR)

    def close(self, abort: bool = False) -> None:
        """Close the connection. :param abort: what was sent and has not arrived is not sent any more: a server that
        was unreachable must not execute it later."""
        found = self._socket()
        if abort and found is not None:
            with contextlib.suppress(OSError):
                found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with contextlib.suppress(Exception):
            self._connection.disconnect()


def _words(error: Exception) -> str:
    """The server's words. redis-py takes the first one away where it has a class for it."""
    text = str(error)
    code = _CODES.get(type(error).__name__)
    return f"{code} {text}" if code and not text.startswith(code) else text


_CODES = {
    "ReadOnlyError": "READONLY",
    "NoPermissionError": "NOPERM",
    "OutOfMemoryError": "OOM",
    "NoScriptError": "NOSCRIPT",
    "ExecAbortError": "EXECABORT",
    "MasterDownError": "MASTERDOWN",
    "ClusterDownError": "CLUSTERDOWN",
    "TryAgainError": "TRYAGAIN",
    "MovedError": "MOVED",
    "AskError": "ASK",
}


def _reason(error: Exception) -> str:
    """The reason of a lost connection, without redis-py's repetition of the address."""
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ssl.SSLError):
        return f"TLS: {getattr(cause, 'verify_message', '') or cause.reason or cause}"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return str(error).strip() or type(error).__name__
