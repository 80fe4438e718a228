"""Sends: the messages that one client sends, batched for the hub, and their receipts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Protocol

import msgspec

from hub.backends.stomp.destination import Destination, Kind
from hub.backends.stomp.frame import Frame
from hub.backends.stomp.message_frame import passed_on, topic_of
from hub.interfaces import Clock, Receipt
from hub.message import Message

REPLY_TO = "reply-to"
REFUSAL_WAITS = 5.0
"""Seconds, at most, that an ERROR waits for the receipts of what was taken: the disk may be full."""


class Envelope(msgspec.Struct, frozen=True):
    """Common part of SEND frames of one kind.

    :ivar topic: the topic in the hub. :ivar headers: those that the messages keep.
    :ivar safe: true if their receipt waits for the disk.
    :ivar lasting: true if it holds for later frames, too; false if they need a temporary queue, which may have gone.
    """

    destination: Destination
    topic: str
    headers: Mapping[str, str]
    safe: bool
    lasting: bool = True

    @classmethod
    def of(cls, headers: Mapping[str, str], destination: Destination, lasting: bool = True) -> Envelope:
        """The envelope of a SEND. :raises ProtocolError: its headers are too large."""
        safe = destination.kind is Kind.QUEUE or headers.get("persistent") == "true"
        topic = topic_of(destination.kind, destination.name)
        return cls(destination, topic, passed_on(headers), safe, lasting)


class Hub(Protocol):
    """The hub, which takes the messages.

    :ivar held: true if it takes none now. :ivar wall: epoch seconds. :ivar name: the backend's, for messages.
    """

    held: bool
    wall: Clock
    name: str

    def send(self, messages: list[Message], tokens: Sequence[Token], answer: Callable[[Receipt], None]) -> None:
        """Pass messages to all who want their topics."""

    def put(
        self, to: Destination, messages: list[Message], tokens: Sequence[Token], answer: Callable[[Receipt], None]
    ) -> None:
        """Put messages into a queue alone."""

    def why_full(self, to: Destination) -> str:
        """The reason why a queue takes no more, such as ``is full``."""

    def later(self, seconds: float, call: Callable[[], None]) -> object:
        """Make a call later."""


class Owner(Protocol):
    """The session."""

    def receipt(self, id_: str) -> None:
        """Send a RECEIPT."""

    def refuse(self, reason: str, receipt: str | None) -> None:
        """Send an ERROR, and close. :param receipt: the id of the refused frame's receipt."""


class Countdown:
    """Makes a call after so many steps: the RECEIPT of a COMMIT, once all its messages are safe.

    :ivar broken: true if one of the messages was not taken: the call is never made.
    """

    def __init__(self, steps: int, call: Callable[[], None]) -> None:
        self.broken = False
        self._left, self._call = steps, call

    def down(self) -> None:
        """Take one step."""
        self._left -= 1
        if not self._left and not self.broken:
            self._call()


class Sender(Protocol):
    """The sender of a message."""

    def confirm(self, told: str | Countdown | None) -> None:
        """Note that a message is safe. :param told: as in its token."""

    def turned_away(self, told: str | Countdown | None, reason: str) -> None:
        """Note that a message will not be taken, after all. :param told: as in its token."""


Token = tuple[Sender, str | Countdown | None]
"""Of one message on its way to the disk: its sender, and the id of its receipt, or what counts it."""


class _Batch:
    """Messages for one call of the hub.

    :ivar plain: the token of those without a receipt; kept by their sender, it would be a cycle.
    """

    def __init__(self, sender: Sender) -> None:
        self.plain: Token = (sender, None)
        self.messages: list[Message] = []
        self.tokens: list[Token] = []
        self.receipts: list[str | Countdown | None] = []
        self.safe = False


class Sends:
    """The messages of one client between its SEND and the hub. They are passed on together, by ``flush``: once for all
    that one read of the socket brought. While the hub takes nothing they wait here, within bounds.

    :param key: of the session; the ids of its messages begin with it.
    :param most: messages that wait at most. :param most_bytes: bytes of their bodies.
    :ivar unconfirmed: messages that are not safe yet.
    :ivar refused: true if the client is to get an ERROR, once what was taken has its receipts.
    """

    def __init__(self, hub: Hub, owner: Owner, key: str, most: int, most_bytes: int) -> None:
        self.unconfirmed = 0
        self.refused = False
        self._hub, self._owner = hub, owner
        self._prefix = f"{key}-"
        self._numbers = count(1)
        self._most, self._most_bytes = most, most_bytes
        self._batches: dict[Destination | None, _Batch] = {}
        self._waiting = self._waiting_bytes = 0
        self._after: list[tuple[Countdown, Callable[[], None]]] = []
        self._lost: Counter[str] = Counter()
        """Receipts that are not given when their tokens are confirmed: those messages were not taken."""
        self._refuse: Callable[[], None] | None = None
        self._finished: Callable[[], None] | None = None

    @property
    def waiting(self) -> int:
        """Number of messages that wait."""
        return self._waiting

    @property
    def full(self) -> bool:
        """True if so much waits that no more may come."""
        return self._waiting >= self._most or self._waiting_bytes >= self._most_bytes

    @property
    def empty(self) -> bool:
        """True if nothing waits."""
        return not self._batches

    def add(self, frame: Frame, envelope: Envelope, receipt: str | Countdown | None) -> None:
        """Add the message of a SEND. :param receipt: the id of its receipt, or what counts it when it is safe."""
        id_ = self._prefix + str(next(self._numbers))
        message = Message(id_, envelope.topic, frame.body, envelope.headers, self._hub.wall(), self._hub.name)
        to = None if envelope.destination.kind is Kind.TOPIC else envelope.destination
        batch = self._batches.get(to)
        if batch is None:
            batch = self._batches[to] = _Batch(self)
        batch.messages.append(message)
        batch.receipts.append(receipt)
        if envelope.safe:
            batch.safe = True
            batch.tokens.append(batch.plain if receipt is None else (self, receipt))
        else:
            batch.tokens.append(batch.plain)
        self._waiting += 1
        self._waiting_bytes += len(frame.body)

    def then(self, commit: Countdown, call: Callable[[], None]) -> None:
        """Make a call of a COMMIT once all its messages are passed on; at once if they were. If one of them was not
        taken, it is not made. :param commit: counts these messages."""
        if self._batches or self._after:
            self._after.append((commit, call))
        else:
            call()

    def when_finished(self, call: Callable[[], None]) -> None:
        """Make a call once all that was added is safe."""
        self._finished = call
        self._look()

    def flush(self, even_if_held: bool = False) -> None:
        """Pass all on, unless the hub takes nothing."""
        if not self._batches or (self._hub.held and not even_if_held):
            return
        batches, self._batches = self._batches, {}
        self._waiting = self._waiting_bytes = 0
        for to, batch in batches.items():
            self._pass_on(to, batch)
        after, self._after = self._after, []
        for commit, call in after:
            if not commit.broken:
                call()
        self._look()

    def _pass_on(self, to: Destination | None, batch: _Batch) -> None:
        tokens = batch.tokens if batch.safe else ()
        self.unconfirmed += len(tokens)

        def answer(receipt: Receipt) -> None:
            self._answer(to, batch, receipt)

        if to is None:
            self._hub.send(batch.messages, tokens, answer)
        else:
            self._hub.put(to, batch.messages, tokens, answer)

    def _answer(self, to: Destination | None, batch: _Batch, receipt: Receipt) -> None:
        """Refuse what a queue had no room for; send receipts that need not wait."""
        lost: Collection[int] = ()
        if receipt.turned_away:
            lost, first = receipt.turned_away.keys(), min(receipt.turned_away)
            self._lose(batch, lost, f"message {first + 1} of the last ones: {receipt.turned_away[first]}", None)
        elif receipt.full and to is not None:
            lost = receipt.full
            reason = f"{to} {self._hub.why_full(to)}: {len(lost)} of the last messages were not taken"
            told = batch.receipts[receipt.full[0]]
            self._lose(batch, lost, reason, told if isinstance(told, str) else None)
        for index, (token, told) in enumerate(zip(batch.tokens, batch.receipts, strict=True)):
            if told is not None and (token is batch.plain or not batch.safe) and index not in lost:
                self._tell(told)

    def _lose(self, batch: _Batch, indexes: Collection[int], reason: str, receipt: str | None) -> None:
        """Note messages that were not taken."""
        for index in indexes:
            told = batch.receipts[index]
            if isinstance(told, Countdown):
                told.broken = True
            elif told is not None and batch.safe and batch.tokens[index] is not batch.plain:
                self._lost[told] += 1
        self.refuse(reason, receipt)

    def refuse(self, reason: str, receipt: str | None) -> None:
        """Send an ERROR, and close, once what was taken is safe and has its receipts.

        :param receipt: the id of the refused frame's receipt.
        """
        self.refuse_by(partial(self._owner.refuse, reason, receipt))

    def refuse_by(self, call: Callable[[], None]) -> None:
        """Make a call that ends the connection, once what was taken is safe and has its receipts."""
        if not self.refused:
            self.refused = True
            self._refuse = call
            self._hub.later(REFUSAL_WAITS, self._refuse_now)

    def _refuse_now(self) -> None:
        refuse, self._refuse = self._refuse, None
        if refuse is not None:
            refuse()

    def confirm(self, told: str | Countdown | None) -> None:
        """Note that a message is safe. :param told: as in its token."""
        self.unconfirmed -= 1
        if isinstance(told, str) and self._lost and self._lost[told]:
            self._lost[told] -= 1
        elif told is not None:
            self._tell(told)
        if self._finished is not None or self._refuse is not None:
            self._look()

    def turned_away(self, told: str | Countdown | None, reason: str) -> None:
        """Note that a message will not be taken, after all: the client gets an ERROR. :param told: as in its token."""
        self.unconfirmed -= 1
        if isinstance(told, Countdown):
            told.broken = True
        self.refuse(reason, told if isinstance(told, str) else None)
        self._look()

    def _tell(self, told: str | Countdown) -> None:
        if isinstance(told, str):
            self._owner.receipt(told)
        else:
            told.down()

    def _look(self) -> None:
        if self._refuse is not None and not self.unconfirmed:
            self._refuse_now()
        elif self._finished is not None and not self.unconfirmed and not self._batches:
            finished, self._finished = self._finished, None
            finished()


def confirm(tokens: Sequence[Token]) -> None:
    """Tell senders that their messages are safe."""
    for sends, told in tokens:
        sends.confirm(told)
