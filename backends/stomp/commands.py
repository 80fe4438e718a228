"""Commands: the frames of a client that is connected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol

from hub.backends.stomp import destination as destinations
from hub.backends.stomp import lifetime, priority
from hub.backends.stomp.broker import Broker
from hub.backends.stomp.destination import Kind, shown
from hub.backends.stomp.frame import Frame, ProtocolError, Version
from hub.backends.stomp.interfaces import Transport
from hub.backends.stomp.sends import REPLY_TO, Countdown, Envelope, Sends
from hub.backends.stomp.subscriptions import Client, Subscriptions
from hub.backends.stomp.temporary import TemporaryQueues
from hub.backends.stomp.transaction import Transactions

MOST_ENVELOPES = 256
"""Kinds of SENDs, by their headers, that are remembered."""
_OF_ONE_FRAME = frozenset(("receipt", "transaction", "content-length"))
"""Headers of a SEND that are no part of its kind: they differ from frame to frame."""


class Owner(Protocol):
    """The session.

    :ivar version: of the protocol. :ivar user: who has logged in. :ivar login: as in CONNECT, checked or not.
    """

    transport: Transport
    version: Version
    user: str | None
    login: str | None

    def receipt(self, id_: str) -> None:
        """Send a RECEIPT."""

    def refuse(self, reason: str, receipt: str | None) -> None:
        """Send an ERROR, and close."""

    def close(self, receipt: str | None) -> None:
        """Close in order."""


class Commands:
    """Carries out the frames of one client.

    :param key: of the session: ids of its messages begin with it. :param client_id: as in CONNECT.
    """

    def __init__(self, owner: Owner, broker: Broker, key: str, client_id: str | None) -> None:
        config = broker.config
        self._owner, self._broker = owner, broker
        self._rights = broker.rights_of(owner.user)
        self._temporary = TemporaryQueues(
            broker.make_reply_queue, broker.delete_reply_queue, config.max_temporary_queues
        )
        refuse = partial(_refuse, owner)
        user = owner.user if owner.user is not None else owner.login
        client = Client(key, owner.version, user, client_id, owner.transport.send_all, self._temporary, refuse)
        self.sends = Sends(broker, owner, key, config.max_held, config.max_held_size)
        self.subscriptions = Subscriptions(broker, client, config.max_subscriptions)
        self._transactions = Transactions(
            config.max_transactions, config.max_transaction_frames, config.max_transaction_size
        )
        self._envelopes: dict[tuple[tuple[str, str], ...], Envelope] = {}
        self._sent_jobs = False
        self._last: tuple[Mapping[str, str], Envelope] | None = None
        """Of the last SEND: frames with the same head share their headers."""
        self._handlers: dict[str, Callable[[Commands, Frame], None]] = {  # bound methods would be a cycle
            "SEND": Commands._send,
            "SUBSCRIBE": Commands._subscribe,
            "UNSUBSCRIBE": Commands._unsubscribe,
            "ACK": Commands._ack,
            "NACK": Commands._nack,
            "BEGIN": Commands._begin,
            "COMMIT": Commands._commit,
            "ABORT": Commands._abort,
            "DISCONNECT": Commands._disconnect,
        }
        if owner.version is Version.V10:
            del self._handlers["NACK"]

    def handle(self, frame: Frame) -> None:
        """Do what a frame asks for. :raises ProtocolError: it can't be done."""
        if self.sends.refused:  # an ERROR is on its way
            return
        handler = self._handlers.get(frame.command)
        try:
            if handler is None:
                raise self._unknown(frame.command)
            handler(self, frame)
        except ProtocolError as error:
            self.sends.flush()
            if not self.sends.unconfirmed:
                raise
            self.sends.refuse(str(error), frame.headers.get("receipt"))

    def flush(self, even_if_held: bool = False) -> None:
        """Pass on what was sent and acked, together. :param even_if_held: even if the hub takes no messages."""
        self.sends.flush(even_if_held)
        self.subscriptions.report()
        if self._sent_jobs:
            self._sent_jobs = False
            transport = self._owner.transport
            if self._broker.jobs.when_room(transport.resume):  # the database is slower than this client
                transport.pause()

    def end_by(self, call: Callable[[], None]) -> None:
        """Make a call that ends the connection, once what was sent before is safe and has its receipts."""
        with suppress(ProtocolError):
            self.flush()
        if self.sends.unconfirmed:
            self.sends.refuse_by(call)
        else:
            call()

    def end(self, lost: bool) -> None:
        """End, because the connection has. :param lost: whether the client, or the network, has ended it."""
        self.flush()
        if not self.sends.empty:
            self._broker.orphaned.append(self.sends)
        self.subscriptions.end(lost)
        self._temporary.end()

    def _unknown(self, command: str) -> ProtocolError:
        if command in ("CONNECT", "STOMP"):
            return ProtocolError("the client is connected already")
        if command == "NACK":
            return ProtocolError("NACK is of STOMP 1.1 and later, and this client agreed on 1.0")
        return ProtocolError(f"unknown command {shown(command)}: expected {', '.join(self._handlers)}")

    # -- SEND

    def _send(self, frame: Frame) -> None:
        headers, last = frame.headers, self._last
        if last is not None and headers is last[0]:
            envelope = last[1]
        elif self._in_transaction(frame):
            self._acknowledge(frame)
            return
        else:
            envelope = self._envelope(headers)
            self._last = (headers, envelope) if envelope.lasting else None
        self._pass_on(frame, envelope, headers.get("receipt"))

    def _pass_on(self, frame: Frame, envelope: Envelope, receipt: str | Countdown | None) -> None:
        if self._broker.held:
            self._check_held()
        if (jobs := self._broker.jobs.of(envelope.destination)) is not None:
            self._broker.jobs.admit(jobs, frame.body, self.sends, self._broker.config)
            self._sent_jobs = True
        self.sends.add(frame, envelope, receipt)

    def _check_held(self) -> None:
        """Let a SEND wait, or refuse it: the hub takes no messages now."""
        why = "the hub takes no messages now, because a queue or the disk is full"
        if self._broker.config.when_held == "refuse":
            raise ProtocolError(f"{why}: send it again later")
        if self.sends.full:
            raise ProtocolError(f"{why}, and too many wait: send it again later")

    def _envelope(self, headers: Mapping[str, str]) -> Envelope:
        """Check what a SEND asks for, once for all of its kind."""
        kind = tuple([item for item in headers.items() if item[0] not in _OF_ONE_FRAME])
        envelope = self._envelopes.get(kind)
        if envelope is None:
            envelope = self._new_envelope(headers)
            if envelope.lasting:
                if len(self._envelopes) >= MOST_ENVELOPES:
                    self._envelopes.clear()
                self._envelopes[kind] = envelope
        return envelope

    def _new_envelope(self, headers: Mapping[str, str]) -> Envelope:
        destination = destinations.to_send(_required(headers, "destination", "SEND"))
        if not self._rights.may_write(destination):
            raise ProtocolError(f"{self._who()} may not send to {destination}")
        lifetime.check(headers)
        priority.check(headers, destination.kind)
        answered = headers.get(REPLY_TO, "").startswith(Kind.TEMPORARY)
        lasting = not answered and destination.kind is not Kind.TEMPORARY
        if (jobs := self._broker.jobs.of(destination)) is not None:
            self._broker.jobs.check(jobs, headers)
        elif destination.kind is Kind.QUEUE:
            self._broker.declare(destination.name)
        if destination.kind is Kind.TEMPORARY:
            destination = self._temporary.reply_to(destination.name)
        given = {**headers, REPLY_TO: self._answers_to(headers[REPLY_TO])} if answered else headers
        return Envelope.of(given, destination, lasting)

    def _answers_to(self, text: str) -> str:
        """Subscribe to a temporary queue that a request names. Returns the name by which it is answered."""
        wanted = destinations.parse(text)
        self.subscriptions.subscribe_to_answers(wanted)
        return str(self._temporary.reply_to(wanted.name))

    # -- SUBSCRIBE, UNSUBSCRIBE

    def _subscribe(self, frame: Frame) -> None:
        headers = frame.headers
        destination = destinations.to_subscribe(_required(headers, "destination", "SUBSCRIBE"))
        if not self._rights.may_read(destination):
            raise ProtocolError(f"{self._who()} may not subscribe to {destination}")
        self.sends.flush()  # messages sent before it are not for it
        self.subscriptions.subscribe(headers, destination)
        self._acknowledge(frame)

    def _unsubscribe(self, frame: Frame) -> None:
        self.subscriptions.unsubscribe(frame.headers)
        self._acknowledge(frame)

    # -- ACK, NACK

    def _ack(self, frame: Frame) -> None:
        found = self.subscriptions.check("ACK", frame.headers)
        if not self._in_transaction(frame):
            self.subscriptions.ack(*found)
        if "receipt" in frame.headers:
            self.subscriptions.report()
            self._acknowledge(frame)

    def _nack(self, frame: Frame) -> None:
        found = self.subscriptions.check("NACK", frame.headers)
        requeue = _requeue(frame.headers)
        if not self._in_transaction(frame):
            self.subscriptions.nack(*found, requeue)
        self._acknowledge(frame)

    # -- transactions

    def _in_transaction(self, frame: Frame) -> bool:
        """Keep a frame for the COMMIT, if it belongs to a transaction."""
        name = frame.headers.get("transaction")
        if name is None:
            return False
        if frame.command == "SEND":
            self._envelope(frame.headers)  # refused now, not by the COMMIT
        self._transactions.add(name, frame)
        return True

    def _begin(self, frame: Frame) -> None:
        self._transactions.begin(_required(frame.headers, "transaction", "BEGIN"))
        self._acknowledge(frame)

    def _commit(self, frame: Frame) -> None:
        """Send the messages of a transaction, then settle its acks: a kill in between repeats, and loses nothing."""
        frames = self._transactions.end(_required(frame.headers, "transaction", "COMMIT"))
        sends = [(one, self._envelope(one.headers)) for one in frames if one.command == "SEND"]
        receipt = frame.headers.get("receipt")
        told = _nothing if receipt is None else partial(self._owner.receipt, receipt)
        settles = [one for one in frames if one.command != "SEND"]
        if settles and self._concern_jobs([envelope for _, envelope in sends], settles):
            self._commit_jobs(sends, settles, told)
            return
        safe = Countdown(len(sends) + 1, told)
        for one, envelope in sends:
            self._pass_on(one, envelope, safe)
        for one in settles:
            self.sends.then(safe, partial(self._settle, one))
        self.sends.then(safe, safe.down)

    def _concern_jobs(self, envelopes: Sequence[Envelope], settles: Sequence[Frame]) -> bool:
        """Tell whether a transaction sends jobs, or settles some."""
        if any(self._broker.jobs.of(one.destination) is not None for one in envelopes):
            return True
        return any(self.subscriptions.of_jobs(self.subscriptions.check(one.command, one.headers)[0]) for one in settles)

    def _commit_jobs(
        self, sends: Sequence[tuple[Frame, Envelope]], settles: Sequence[Frame], told: Callable[[], None]
    ) -> None:
        """Settle only once all messages are safe: the hub and a database, or two databases, share no order."""

        def settle() -> None:
            for one in settles:
                self._settle(one)
            self.subscriptions.report()
            told()

        safe = Countdown(len(sends) + 1, settle)
        for one, envelope in sends:
            self._pass_on(one, envelope, safe)
        safe.down()

    def _settle(self, frame: Frame) -> None:
        found = self.subscriptions.check(frame.command, frame.headers)
        if frame.command == "ACK":
            self.subscriptions.ack(*found)
        else:
            self.subscriptions.nack(*found, _requeue(frame.headers))

    def _abort(self, frame: Frame) -> None:
        self._transactions.end(_required(frame.headers, "transaction", "ABORT"))
        self._acknowledge(frame)

    # -- the end

    def _disconnect(self, frame: Frame) -> None:
        """End in order: the receipt says that all that was sent before is safe."""
        self.flush()
        self.subscriptions.end()
        self._handlers = dict.fromkeys(self._handlers, _ignore)
        self.sends.when_finished(partial(self._owner.close, frame.headers.get("receipt")))

    # -- answers

    def _acknowledge(self, frame: Frame) -> None:
        if (receipt := frame.headers.get("receipt")) is not None:
            self._owner.receipt(receipt)

    def _who(self) -> str:
        return "this client" if self._owner.user is None else f"user {self._owner.user!r}"


def _required(headers: Mapping[str, str], name: str, command: str) -> str:
    value = headers.get(name)
    if value is None:
        raise ProtocolError(f"{command} has no {name} header")
    return value


def _requeue(headers: Mapping[str, str]) -> bool:
    text = headers.get("requeue", "true")
    if text not in ("true", "false"):
        raise ProtocolError(f"requeue is {shown(text)}: expected true or false")
    return text == "true"


def _nothing() -> None:
    """There is no receipt to be sent."""


def _ignore(commands: Commands, frame: Frame) -> None:
    """Frames after DISCONNECT are not handled."""


def _refuse(owner: Owner, reason: str) -> None:
    """End a session one of whose subscriptions can go on no more."""
    owner.refuse(reason, None)
