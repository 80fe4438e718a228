"""Session: one client of the server, from the connection to its end."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from twisted.python.failure import Failure

from hub.backends.stomp.authentication import LoginRefused
from hub.backends.stomp.broker import Broker
from hub.backends.stomp.commands import Commands
from hub.backends.stomp.destination import shown
from hub.backends.stomp.frame import Frame, ProtocolError, Version, encode, encode_error
from hub.backends.stomp.interfaces import Transport

VERSIONS = ",".join(Version)


class Session:
    """One client. It belongs to the reactor's thread.

    Its connection calls ``received`` for each frame and ``read`` after the last one of what was read at once. Both may
    raise :class:`ProtocolError`: the connection sends an ERROR then, and closes.
    """

    def __init__(self, transport: Transport, broker: Broker) -> None:
        self.transport = transport
        self.version = Version.V12
        self.user: str | None = None
        self.login: str | None = None
        self.commands: Commands | None = None
        self._broker = broker
        self._ended = False
        broker.sessions[self] = None

    # -- the connection's side

    def received(self, frame: Frame) -> None:
        """Handle a frame. :raises ProtocolError: it can't be handled."""
        if self._ended:
            return
        if self.commands is not None:
            self.commands.handle(frame)
        elif frame.command in ("CONNECT", "STOMP"):
            self._connect(frame)
        else:
            raise ProtocolError(f"expected CONNECT or STOMP first, not {shown(frame.command)}")

    def read(self) -> None:
        """Pass on what the last frames brought, together."""
        if self.commands is not None and not self._ended:
            self.commands.flush()

    def broken(self, end: Callable[[], None]) -> None:
        """End by that call, once the frames that came before have their receipts: what follows can't be parsed."""
        if self.commands is not None:
            self.commands.end_by(end)
        else:
            end()

    def blocked(self) -> None:
        """Deliver nothing for now: the client is slow to read."""
        if self.commands is not None:
            self.commands.subscriptions.set_blocked(True)

    def writable(self) -> None:
        """Deliver again."""
        if self.commands is not None:
            self.commands.subscriptions.set_blocked(False)

    def lost(self, reason: str, by_client: bool) -> None:
        """End, because the connection has. What was sent before counts; what the client has in hand goes to others."""
        if self._ended:
            return
        self._ended = True
        del self._broker.sessions[self]
        commands, self.commands = self.commands, None
        if commands is not None:
            commands.end(by_client)
        text = "%s: the connection has ended: %s"
        self._broker.log.debug(text, self.transport.peer, reason, extra={"action": "disconnect"})

    # -- CONNECT

    def _connect(self, frame: Frame) -> None:
        headers = frame.headers
        version = Version.best(headers.get("accept-version"))
        if version is None:
            self.refuse(f"no version in common: this server speaks {VERSIONS}", None, version=VERSIONS)
            return
        self.version = self.transport.version = version
        hosts, host = self._broker.config.virtual_hosts, headers.get("host")
        if hosts and host is not None and host not in hosts:
            raise ProtocolError(f"there is no virtual host {shown(host)}")
        transport = self.transport
        given = headers.get("login"), headers.get("passcode"), transport.certificate, transport.loopback
        checking = self._broker.authentication.check(*given)
        checking.addCallback(partial(self._welcome, frame)).addErrback(self._failed)
        if not checking.called:  # the passcode is checked in a thread; frames that come meanwhile wait
            transport.pause()
            checking.addCallback(self._resume)

    def _welcome(self, frame: Frame, user: str | None) -> None:
        """Log the client in."""
        if self._ended:
            return
        headers, broker = frame.headers, self._broker
        beat = self.transport.agree(headers.get("heart-beat", ""))
        key = broker.new_key()
        self.user, self.login = user, headers.get("login")
        told = {"version": str(self.version), "heart-beat": beat, "session": key, "server": broker.server}
        self.transport.send(encode("CONNECTED", told, b"", self.version))
        self.commands = Commands(self, broker, key, headers.get("client-id"))

    def _resume(self, _: object) -> None:
        if not self._ended:
            self.transport.resume()

    def _failed(self, failure: Failure) -> None:
        error = failure.value
        if isinstance(error, LoginRefused):
            self._broker.counters.refused_logins += 1
            text = "%s: login refused: %s"
            self._broker.log.warning(text, self.transport.peer, error, extra={"action": "login"})
        elif not isinstance(error, ProtocolError):
            self._broker.log.error("internal error", exc_info=error, extra={"action": "bug"})
        known = isinstance(error, ProtocolError)
        self.refuse(str(error) if known else "internal error of the server", None)

    # -- answers

    def receipt(self, id_: str) -> None:
        """Send a RECEIPT."""
        if not self._ended:
            self.transport.send(encode("RECEIPT", {"receipt-id": id_}, b"", self.version))

    def refuse(self, reason: str, receipt: str | None, **headers: str) -> None:
        """Send an ERROR, and close. :param receipt: the id of the receipt of the frame that is refused."""
        if self._ended:
            return
        self._broker.counters.errors += 1
        self.transport.close(encode_error(reason, self.version, receipt, **headers))

    def close(self, receipt: str | None) -> None:
        """Close in order. :param receipt: the id of a last RECEIPT."""
        if not self._ended:
            told = {} if receipt is None else {"receipt-id": receipt}
            self.transport.close(encode("RECEIPT", told, b"", self.version) if told else b"")
