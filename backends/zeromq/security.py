"""Security of sockets: our own keys or password, and those of trusted peers, for CURVE (RFC 26 of rfc.zeromq.org) and
PLAIN (RFC 24)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import zmq

from hub.backends.zeromq.settings import Config
from hub.backends.zeromq.sockets import Socket
from hub.errors import ConfigError

ZAP_DOMAIN = b"hub"
_SECRET = re.compile(r'^\s*secret-key\s*=\s*"([^"\s]{40})"\s*$', re.MULTILINE)
_PUBLIC = re.compile(r'^\s*public-key\s*=\s*"([^"\s]{40})"\s*$', re.MULTILINE)


@dataclass(frozen=True)
class Security:
    """Keys and passwords, as read from their files. None of them is in its ``repr``."""

    mechanism: Literal["NULL", "PLAIN", "CURVE"] = "NULL"
    username: bytes = b""
    password: bytes = field(default=b"", repr=False)
    public: bytes = field(default=b"", repr=False)
    secret: bytes = field(default=b"", repr=False)
    server: bytes = field(default=b"", repr=False)
    """Public key of the peers that we connect to."""

    @classmethod
    def read(cls, config: Config) -> Security:
        """Read the files that the settings name. :raises ConfigError: one can't be read, or holds no key."""
        if config.plain_username is not None and config.plain_password is not None:
            name = _plain(config.plain_username, "plain_username")
            return cls("PLAIN", name, _plain(config.plain_password.read(), config.plain_password))
        if not config.curve:
            return cls()
        if config.curve_secret_key is None:
            public, secret = zmq.curve_keypair()
        else:
            secret = _secret_key(config.curve_secret_key.read(), str(config.curve_secret_key))
            public = zmq.curve_public(secret)
        path = config.curve_server_key_file
        return cls("CURVE", public=public, secret=secret, server=_public_key(path) if path else b"")

    def serve(self, socket: Socket) -> None:
        """Demand authentication from peers. Call it before binding; see :mod:`hub.backends.zeromq.auth`."""
        if self.mechanism == "PLAIN":
            socket.set(zmq.PLAIN_SERVER, 1)
        elif self.mechanism == "CURVE":
            socket.set(zmq.CURVE_SERVER, 1)
            socket.set(zmq.CURVE_PUBLICKEY, self.public)
            socket.set(zmq.CURVE_SECRETKEY, self.secret)
        if self.mechanism != "NULL":
            socket.set(zmq.ZAP_DOMAIN, ZAP_DOMAIN)

    def join(self, socket: Socket) -> None:
        """Authenticate to a peer, and under CURVE demand the same of it. Call it before connecting."""
        if self.mechanism == "PLAIN":
            socket.set(zmq.PLAIN_USERNAME, self.username)
            socket.set(zmq.PLAIN_PASSWORD, self.password)
        elif self.mechanism == "CURVE":
            socket.set(zmq.CURVE_SERVERKEY, self.server)
            socket.set(zmq.CURVE_PUBLICKEY, self.public)
            socket.set(zmq.CURVE_SECRETKEY, self.secret)

    def join_self(self, socket: Socket) -> None:
        """Authenticate to the hub itself, which has the same keys and always allows its own. Call it instead of
        ``join``."""
        replace(self, server=self.public).join(socket)


def is_key(text: str) -> bool:
    """True if the text is a CURVE key, public or secret: 40 characters of Z85."""
    try:
        return len(text) == 40 and bool(zmq.curve_public(text.encode("ascii")))
    except (zmq.ZMQError, UnicodeEncodeError):
        return False


def allowed_keys(path: Path) -> frozenset[bytes]:
    """Public keys in a file: the first word of each line. A line that starts with ``#`` and is no key is a comment.

    :raises ConfigError: the file can't be read, or a line holds no key.
    """
    keys = set()
    for number, line in enumerate(_read(path).splitlines(), 1):
        word = line.split(maxsplit=1)[0] if line.strip() else "#"
        if is_key(word):
            keys.add(word.encode("ascii"))
        elif not word.startswith("#"):
            raise ConfigError([f"{path}, line {number}: expected a public key of 40 characters"])
    return frozenset(keys)


def _plain(text: str, place: str) -> bytes:
    word = text.encode()
    if not 0 < len(word) <= 255:
        raise ConfigError([f"{place}: PLAIN takes names and passwords of 1 to 255 bytes, not of {len(word)}"])
    return word


def _secret_key(text: str, place: str) -> bytes:
    match = _SECRET.search(text)
    key = match[1] if match else text.strip()
    if not is_key(key):
        raise ConfigError([f"{place}: there is no CURVE secret key in it (40 characters, or a '.key_secret' file)"])
    return key.encode("ascii")


def _public_key(path: Path) -> bytes:
    text = _read(path)
    match = _PUBLIC.search(text)
    key = match[1] if match else text.strip()
    if not is_key(key):
        raise ConfigError([f"{path}: there is no CURVE public key in it (40 characters, or a '.key' file)"])
    return key.encode("ascii")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: the key file can't be read: {error}"]) from error
