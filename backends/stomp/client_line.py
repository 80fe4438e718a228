"""A blocking connection to a broker, for the command line. It needs no reactor."""

from __future__ import annotations

import os
import socket
import ssl
from collections import deque
from collections.abc import Mapping

from hub.backends.broker_address import Address
from hub.backends.stomp.client_errors import error_text
from hub.backends.stomp.client_login import Login
from hub.backends.stomp.client_settings import Config, limits
from hub.backends.stomp.frame import Frame, ProtocolError, Version, encode
from hub.backends.stomp.parser import Parser
from hub.errors import ConfigError, Unavailable

_CHUNK = 1 << 16


class Line:
    """Connection to the first broker that answers, without heart-beats.

    :raises Unavailable: none answers, or none accepts the login. :raises ConfigError: a secret or file can't be read.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._frames: deque[Frame] = deque()
        reasons = []
        for address in config.addresses:
            try:
                self._open(address)
            except (OSError, Unavailable, ProtocolError) as error:
                reasons.append(f"{address}: {error}")
            else:
                return
        raise Unavailable(f"no connection to a broker: {'; '.join(reasons)}")

    def _open(self, address: Address) -> None:
        config = self._config
        login = Login.of(config)
        plain = socket.create_connection((address.host, address.port), config.connect_timeout)
        try:
            self._socket = _tls(config, plain, address.host) if address.tls else plain
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            self._parser = Parser(limits(config))
            self.send("CONNECT", login.headers("0,0"))
            welcome = self.next(config.connect_timeout)
            if welcome is None or welcome.command != "CONNECTED":
                raise Unavailable("it does not answer the login")
            self._parser.version = Version(welcome.headers.get("version", "1.0"))
            self._parser.logged_in()
        except BaseException:
            plain.close()
            raise

    def send(self, command: str, headers: Mapping[str, str], body: bytes = b"") -> None:
        """Send a frame. :raises Unavailable: the connection has ended."""
        try:
            self._socket.settimeout(self._config.connect_timeout)
            self._socket.sendall(encode(command, headers, body, self._parser.version))
        except OSError as error:
            raise Unavailable(f"the connection to the broker ended: {error}") from error

    def next(self, timeout: float | None) -> Frame | None:
        """Read the next frame; ``None``: there is none in time. :param timeout: seconds; ``None``: forever.

        :raises Unavailable: the connection has ended, or the broker sent an ERROR: the text has its reason.
        """
        while not self._frames:
            try:
                self._socket.settimeout(timeout)
                data = self._socket.recv(_CHUNK)
            except TimeoutError:
                return None
            except OSError as error:
                raise Unavailable(f"the connection to the broker ended: {error}") from error
            if not data:
                raise Unavailable("the broker ended the connection")
            self._frames.extend(self._parser.feed(data))
        frame = self._frames.popleft()
        if frame.command == "ERROR":
            raise Unavailable(f"the broker answered with an error: {error_text(frame)}")
        return frame

    def close(self) -> None:
        """End the connection."""
        self._socket.close()


def _tls(config: Config, plain: socket.socket, host: str) -> socket.socket:
    try:
        context = ssl.create_default_context(cafile=config.tls_ca_file)
        if config.tls_certificate_file is not None and config.tls_key is not None:
            _load_own(context, str(config.tls_certificate_file), config.tls_key.read())
    except (OSError, ssl.SSLError) as error:
        raise ConfigError([f"a certificate or key for TLS can't be used: {error}"]) from error
    return context.wrap_socket(plain, server_hostname=config.tls_server_name or host)


def _load_own(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Load the hub's own certificate. The library takes the key as a file only, and it may be a credential."""
    memory = os.memfd_create("key")
    try:
        os.write(memory, key.encode())
        context.load_cert_chain(certificate, f"/proc/self/fd/{memory}")
    finally:
        os.close(memory)
