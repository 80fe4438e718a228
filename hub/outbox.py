"""The outbox of one backend: it sends waiting messages in order, as fast as the bus confirms them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from hub.backoff import Uniform, delay_after
from hub.errors import CannotPublish, HubError, PlaceUnavailable, Unavailable
from hub.failure import text_of, told
from hub.interfaces import Clock
from hub.message import Message
from hub.partlog import PartLog
from hub.status.parts import OutboxStatus
from hub.text import counted
from hub.unsent import Unsent, UnsentMessage
from hub.unsent_aside import UnsentAside

WINDOW = 100
"""Default number of messages that may be unconfirmed at once."""
MOST_TRIES = 5
"""Attempts at a message on which the backend raises an unexpected error, which may be this message's fault."""
AT_ONCE = 1000
"""Messages sent in one turn of the reactor."""

Send = Callable[[Message], "Deferred[None] | None"]


class Outbox:
    """Sends the messages of one backend. Belongs to the reactor's thread.

    A message leaves when the bus has confirmed it. If the backend can never send it (``CannotPublish``), it is logged,
    counted as failed, and leaves too. If the backend can't send it now (``Unavailable``), the outbox waits, with
    exponential backoff and full jitter (see :mod:`hub.backoff`), and continues with that message. If only the place
    that it goes to is at fault (``PlaceUnavailable``), the message alone waits like this, and the others go on.

    Messages are passed to the backend in order. A message that must be retried may arrive after later ones of the
    window; a window of 1 excludes this: no message is set aside then.

    :param send: passes a message to the backend; see :meth:`hub.interfaces.Backend.publish`.
    :param wall: epoch seconds. :param uniform: draws a number between two others.
    :ivar sent: messages confirmed. :ivar failed: messages given up. :ivar retried: attempts that will be repeated.
    """

    def __init__(
        self,
        unsent: Unsent,
        send: Send,
        reactor: Any,
        wall: Clock,
        uniform: Uniform,
        log: PartLog,
    ) -> None:
        self.sent = self.failed = self.retried = 0
        self.unsent = unsent
        self._send = send
        self._reactor = reactor
        self._wall = wall
        self._uniform = uniform
        self._log = log
        self._backend: object = None
        self._window = WINDOW
        self._unconfirmed: dict[int, UnsentMessage] = {}
        self._aside = UnsentAside(reactor, uniform, self._try_aside)
        self._open = self._ending = self._closed = self._pumping = False
        self._failures = 0
        self._error = ""
        self._timer: Any = None
        self._next_turn: Any = None
        self._idle: list[Deferred[None]] = []

    # -- messages to send

    def arrive(self, number: int, message: Message) -> None:
        """Add a message that is in the store, where it stays until it is settled. Call :meth:`pump` after the last
        one."""
        if not self._ending:
            self.unsent.arrive(number, message)

    def add(self, message: Message, done: Deferred[None] | None = None, bounded: bool = True) -> None:
        """Add a message that is in no store. Call :meth:`pump` after the last one.

        :param done: fires when the bus has confirmed it. It fails with ``CannotPublish`` if it can never be sent, and
            with ``Unavailable`` if too many wait.
        :param bounded: whether it is given up if too many wait.
        """
        if self._closed:
            self._give_up(message, CannotPublish("the hub stops"), done)
        elif bounded and self.unsent.full:
            waiting = counted(len(self.unsent), "message")
            why = Unavailable(f"too many wait for the bus already, {waiting}: {self._error or 'it is held'}")
            self._give_up(message, why, done)
        else:
            self.unsent.add(message, done)

    # -- the backend

    def open(self, backend: object) -> None:
        """Send through this backend from now on. If it replaces another one, messages that the other has not confirmed
        are sent again."""
        if backend is not self._backend:
            for entry in list(self._unconfirmed.values()):
                self._take_back(entry)
            self._recall()
            self._aside.reset()
            self._backend = backend
            self._window = int(getattr(backend, "publish_window", WINDOW))
            self._clear_delay()
            self._failures = 0
        self._open = True
        self.pump()

    def hold(self) -> Deferred[None]:
        """Send nothing until the next ``open``. Fires when all sent messages are confirmed or have failed."""
        self._open = False
        return self._when_idle()

    def finish(self, backend: object) -> Deferred[None]:
        """Send what is in no store, as the hub stops; the rest is left to the next start.

        :param backend: ``None``: there is none. :returns: fires when that is done, or the bus is away.
        """
        self._ending = True
        self._recall()
        self.unsent.leave_stored()
        if backend is not None:
            self.open(backend)
        return self._when_idle()

    def close(self) -> None:
        """Close the outbox: unsent messages in no store are counted as failed. The last call."""
        self._open, self._closed = False, True
        self._clear_delay()
        error = self._error or self._aside.reason
        reason = f"the hub stops: {error}" if error else "the hub stops, and the bus has not confirmed it"
        for entry in [entry for entry in self._unconfirmed.values() if entry.number is None]:
            self._take_back(entry)
        self.drop_unstored(CannotPublish(reason))

    def drop_unstored(self, why: HubError) -> None:
        """Give up messages that are in no store, because no backend can send them."""
        self._recall()
        for entry in self.unsent.take_unstored():
            self._settle(entry, why)

    def drop_stored(self) -> Iterator[int]:
        """Give up all stored messages, in steps. No backend may be open. :returns: after each step, the number so
        far."""
        for entry in list(self._unconfirmed.values()):
            self._take_back(entry)
        self._recall()
        self._aside.reset()
        self.unsent.unload_stored()
        count = 0
        while self.unsent.unread:
            dropped = self.unsent.drop_some()
            self.failed += dropped
            count += dropped
            yield count

    # -- sending

    def pump(self) -> None:
        """Send as many messages as the window has room for."""
        if self._pumping:  # the backend confirms from within ``publish``
            return
        self._pumping = True
        try:
            left = self._send_some()
        finally:
            self._pumping = False
        if left and self._next_turn is None:
            self._next_turn = self._reactor.callLater(0, self._pump_on)
        self._tell_idle()

    def _pump_on(self) -> None:
        self._next_turn = None
        self.pump()

    def _send_some(self) -> bool:
        """Send some messages. :returns: true if more could be sent now."""
        for _ in range(AT_ONCE):
            if not self._open or self._timer is not None or len(self._unconfirmed) >= self._window:
                return False
            entry = self.unsent.next()
            if entry is None:
                return self.unsent.unread
            self._attempt(entry)
        return True

    def _attempt(self, entry: UnsentMessage) -> None:
        entry.tries += 1
        try:
            sending = self._send(entry.message)
        except Exception as error:  # noqa: BLE001 - a plugin's code: the hub continues
            self._fail(entry, error)
            return
        if sending is None:
            self._confirm(entry)
            return
        self._unconfirmed[entry.sequence] = entry
        sending.addCallbacks(self._confirmed, self._failed, callbackArgs=(entry,), errbackArgs=(entry, entry.tries))

    def _confirmed(self, _: object, entry: UnsentMessage) -> None:
        """Settle a message that the bus confirmed, whichever attempt it was."""
        if not entry.settled:
            self._confirm(entry)
            self.pump()

    def _failed(self, failure: Failure, entry: UnsentMessage, attempt: int) -> None:
        if self._unconfirmed.get(entry.sequence) is entry and entry.tries == attempt:
            self._fail(entry, failure.value or Unavailable("it failed"))
            self.pump()

    def _confirm(self, entry: UnsentMessage) -> None:
        self.sent += 1
        self._settle(entry)
        if self._failures and self._timer is None:
            text = "the bus accepts messages again: %d wait to be sent"
            self._log.info(text, len(self.unsent), extra={"action": "publish"})
            self._failures, self._error = 0, ""

    def _fail(self, entry: UnsentMessage, error: BaseException) -> None:
        passing = isinstance(error, (Unavailable, OSError))
        if isinstance(error, CannotPublish) or (not passing and entry.tries >= MOST_TRIES):
            self._settle(entry, error)
            return
        self.retried += 1
        if isinstance(error, PlaceUnavailable) and self._sets_aside(entry):
            self._set_aside(entry, text_of(error))
            return
        self._take_back(entry)
        self._delay(error)

    def _sets_aside(self, entry: UnsentMessage) -> bool:
        """True if others may go on before this message: as the hub stops, or in strict order, they don't."""
        return self._window > 1 and not self._ending and self._aside.has_room(entry)

    def _set_aside(self, entry: UnsentMessage, reason: str) -> None:
        self._unconfirmed.pop(entry.sequence, None)
        self._aside.add(entry, reason)
        if self._aside.is_news(reason):
            text = "messages wait, and the others go on: %s"
            self._log.warning(text, reason, extra={"action": "publish"})

    def _try_aside(self) -> None:
        self._recall()
        self.pump()

    def _recall(self) -> None:
        """Take back what was set aside."""
        for entry in self._aside.take():
            self.unsent.put_back(entry)

    def _take_back(self, entry: UnsentMessage) -> None:
        self._unconfirmed.pop(entry.sequence, None)
        self.unsent.put_back(entry)

    def _settle(self, entry: UnsentMessage, error: BaseException | None = None) -> None:
        self._unconfirmed.pop(entry.sequence, None)
        self.unsent.settle(entry)
        if entry.was_aside and self._aside.reset() and error is None:
            self._log.info("messages that waited are accepted", extra={"action": "publish"})
        if error is not None:
            self._give_up(entry.message, error, entry.done)
        elif entry.done is not None:
            entry.done.callback(None)

    def _give_up(self, message: Message, error: BaseException, done: Deferred[None] | None) -> None:
        self.failed += 1
        extra = {"action": "publish", "topic": message.topic, "message_id": message.id}
        why = text_of(error) if isinstance(error, HubError) else told(error)
        trace = None if isinstance(error, HubError) else error
        text = "a message for %s could not be published: %s"
        self._log.error(text, message.topic, why, exc_info=trace, extra=extra)
        if done is not None:
            done.errback(Failure(error))

    # -- waiting

    def _delay(self, error: BaseException) -> None:
        self._error = text_of(error) if isinstance(error, HubError) else told(error)
        if self._timer is not None:
            return
        if not self._failures:
            text = "the bus accepts no messages now: %s; %d wait to be sent"
            self._log.warning(text, self._error, len(self.unsent), extra={"action": "publish"})
        self._failures += 1
        self._timer = self._reactor.callLater(delay_after(self._failures, self._uniform), self._try_again)

    def _try_again(self) -> None:
        self._timer = None
        self.pump()

    def _clear_delay(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _when_idle(self) -> Deferred[None]:
        idle: Deferred[None] = Deferred()
        self._idle.append(idle)
        self._tell_idle()
        return idle

    def _tell_idle(self) -> None:
        sends_on = self._ending and self._open and self._timer is None and len(self.unsent) > self.unsent.stored
        if self._idle and not self._unconfirmed and not sends_on:
            idle, self._idle = self._idle, []
            for one in idle:
                one.callback(None)

    def status(self) -> OutboxStatus:
        """The outbox's fields in the status row of its backend."""
        sent = self._unconfirmed[min(self._unconfirmed)].message if self._unconfirmed else None
        oldest = [one.received_at for one in (sent or self.unsent.first, self._aside.first) if one is not None]
        return {
            "outbox_state": "retrying" if self._failures or self._aside.reason else "sending" if self._open else "held",
            "outbox_waiting": len(self.unsent),
            "outbox_unconfirmed": len(self._unconfirmed),
            "outbox_oldest_age": max(0.0, self._wall() - min(oldest)) if oldest else None,
            "outbox_sent": self.sent,
            "outbox_failed": self.failed,
            "outbox_retried": self.retried,
            "outbox_retry_in": self._retry_in(),
            "outbox_error": self._error or self._aside.reason or None,
        }

    def _retry_in(self) -> float | None:
        if self._timer is None:
            return self._aside.retry_in
        return float(self._timer.getTime() - self._reactor.seconds())
