"""Authenticator of peers by ZAP, ZeroMQ's authentication protocol: RFC 27 of rfc.zeromq.org."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from pathlib import Path

import zmq
from zmq.utils import z85

from hub.backends.zeromq.security import Security, allowed_keys
from hub.backends.zeromq.sockets import Context
from hub.errors import ConfigError

_ADDRESS = "inproc://zeromq.zap.01"


class Authenticator:
    """ZAP server of one ZeroMQ context. Create it before the first socket binds; handshakes wait for ``drain``.

    :raises ConfigError: the file of allowed keys can't be read, or a line in it is not a key.

    :ivar problem: why the file of allowed keys can't be used; meanwhile only our own key may connect.
    """

    def __init__(self, context: Context, security: Security, allowed: Path | None) -> None:
        self.problem: str | None = None
        self._security = security
        self._path = allowed
        self._stamp: tuple[int, int] | None = None
        self._admitted: set[bytes] = set()
        self._keys: frozenset[bytes] = allowed_keys(allowed) if allowed else frozenset()
        # ROUTER, not REP: a REP socket accepts no further request after one that was not answered.
        self.socket = context.socket(zmq.ROUTER)
        self.socket.bind(_ADDRESS)

    def drain(self) -> bool:
        """Answer all waiting requests. :returns: ``False``: none is left."""
        while True:
            try:
                who, empty, *request = self.socket.recv_multipart(zmq.NOBLOCK)
                self.socket.send_multipart([who, empty, *self._answer(request)], zmq.NOBLOCK)
            except zmq.Again:
                return False

    def _answer(self, request: Sequence[bytes]) -> list[bytes]:
        if len(request) < 6 or request[0] != b"1.0":
            return [b"1.0", request[1] if len(request) > 1 else b"", b"500", b"not understood", b"", b""]
        user = self.user(request[5], request[6:])
        if user is None:
            return [b"1.0", request[1], b"400", b"not allowed", b"", b""]
        return [b"1.0", request[1], b"200", b"OK", user, b""]

    def user(self, mechanism: bytes, credentials: Sequence[bytes]) -> bytes | None:
        """User id of a peer: its user name (PLAIN) or public key (CURVE). ``None``: it may not connect."""
        if mechanism != self._security.mechanism.encode():
            return None
        if mechanism == b"PLAIN" and len(credentials) == 2:
            name_fits = hmac.compare_digest(credentials[0], self._security.username)
            word_fits = hmac.compare_digest(credentials[1], self._security.password)
            return credentials[0] if name_fits and word_fits else None
        if mechanism == b"CURVE" and len(credentials) == 1 and len(credentials[0]) == 32:
            key = z85.encode(credentials[0])
            if self._path is None or key == self._security.public:
                return key
            if key in self._allowed():
                self._admitted.add(key)
                return key
        return None

    def revoked(self) -> frozenset[bytes]:
        """Keys that a peer has connected with and that are no longer allowed."""
        return frozenset(self._admitted - self._allowed()) if self._path is not None else frozenset()

    def forget(self, keys: Iterable[bytes]) -> None:
        """Forget keys whose connections are closed."""
        self._admitted.difference_update(keys)

    def _allowed(self) -> frozenset[bytes]:
        """Keys in the file, which is read again when it changed: keys are added and revoked without a restart."""
        assert self._path is not None
        try:
            stat = self._path.stat()
            if self._stamp != (stat.st_mtime_ns, stat.st_size):
                self._keys = allowed_keys(self._path)
                self._stamp, self.problem = (stat.st_mtime_ns, stat.st_size), None
        except (OSError, ConfigError) as error:
            self._keys, self._stamp, self.problem = frozenset(), None, str(error)
        return self._keys

    def close(self) -> None:
        """Close the socket: further handshakes fail."""
        self.socket.close(linger=0)
