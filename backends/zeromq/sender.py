"""Sender: a publisher outside the hub, for the command line. It needs no reactor."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import zmq

from hub.backends.zeromq.auth import Authenticator
from hub.backends.zeromq.publisher import Publisher
from hub.backends.zeromq.security import Security
from hub.backends.zeromq.settings import Config, no_place_for
from hub.backends.zeromq.sockets import Context, bind, connect, make, reachable
from hub.errors import CannotPublish, Unavailable
from hub.message import Message


class Sender:
    """Publisher outside the hub. It blocks where ZeroMQ would drop, so nothing is lost while a hub is subscribed."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._context: Context = zmq.Context()
        self._auth: Authenticator | None = None
        self._publisher = Publisher(config, time.time)
        try:
            self._socket = make(self._context, zmq.XPUB, config)
            self._socket.set(zmq.XPUB_NODROP, 1)
            self._open(Security.read(config))
        except BaseException:
            self._context.destroy(linger=0)
            raise

    def _open(self, security: Security) -> None:
        if self._config.bind:
            security.join_self(self._socket)
            connect(self._socket, reachable(self._config.bind), self._config)
            return
        if not self._config.connect:
            raise Unavailable("the backend does not receive: it has neither connect nor bind")
        if security.mechanism == "CURVE":
            raise Unavailable(
                "the hub authenticates its publishers by a CURVE key that only they have, so no other can publish"
            )
        if security.mechanism == "PLAIN":
            self._auth = Authenticator(self._context, security, None)
        security.serve(self._socket)
        self._bind_first(self._config.connect)

    def _bind_first(self, endpoints: Sequence[str]) -> None:
        reasons = []
        for endpoint in endpoints:
            try:
                bind(self._socket, endpoint, self._config)
            except Unavailable as error:
                reasons.append(str(error))
            else:
                return
        why = "; ".join(reasons)
        raise Unavailable(f"the hub connects to its publishers, and none of their addresses can be bound here: {why}")

    def wait(self, timeout: float) -> bool:
        """Wait for a subscriber, at most ``timeout`` seconds. :returns: whether there is one."""
        deadline = time.monotonic() + timeout
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        if self._auth is not None:
            poller.register(self._auth.socket, zmq.POLLIN)
        while (left := deadline - time.monotonic()) > 0:
            ready = dict(poller.poll(math.ceil(left * 1000)))
            if self._auth is not None and self._auth.socket in ready:
                self._auth.drain()
            if self._socket in ready and self._socket.recv().startswith(b"\x01"):
                return True
        return False

    def publish(self, message: Message) -> None:
        """Send a message in the backend's format. :raises CannotPublish: the format does not allow the body, or has no
        place for a header."""
        if reason := no_place_for(self._config, message.headers):
            raise CannotPublish(reason)
        self._attend()
        self._publisher.send(self._socket, message, 0)

    def forward(self, topic: str, body: bytes) -> None:
        """Send a body unchanged."""
        self._attend()
        self._socket.send_multipart([topic.encode(), body])

    def _attend(self) -> None:
        """Answer handshakes meanwhile: a hub that was restarted connects again."""
        if self._auth is not None:
            self._auth.drain()

    def close(self) -> None:
        """Send buffered messages, for ``linger`` at most, then close."""
        if self._auth is not None:
            self._auth.close()
        self._socket.close()
        self._context.term()
