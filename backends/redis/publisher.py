"""Publisher: the user of the connection that sends, by XADD to a stream or by PUBLISH to a channel."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from twisted.internet.defer import Deferred

from hub.backends.recent_refusal import RecentRefusal
from hub.backends.redis.doubts import Doubts
from hub.backends.redis.entries import check, fields_of, place_of
from hub.backends.redis.formats import format_of
from hub.backends.redis.line import ErrorReply, Line
from hub.backends.redis.link import Link
from hub.backends.redis.replicas import Replicas
from hub.backends.redis.replies import is_of_whole_server, verdict_of, wants_another
from hub.backends.redis.settings import Config
from hub.backends.redis.troubles import Troubles, shown
from hub.errors import CannotPublish, HubError, PlaceUnavailable, Unavailable
from hub.interfaces import BackendContext
from hub.message import Message

IDLE = 1.0
"""Seconds to wait for a message; then the connection is tried."""
AT_ONCE = 500
"""Messages that are sent together."""
MOST_TOPS = 10_000
"""Streams whose highest ids are remembered."""


class Sending(msgspec.Struct, eq=False):
    """A message on its way. :ivar message: as the format has made it. :ivar place: its stream or channel. :ivar done:
    fires with the server's answer."""

    message: Message
    place: str
    done: Deferred[None]


class Publisher:
    """Sends messages in batches. ``publish`` and ``status`` belong to the reactor's thread, the rest to the link's.

    No message is added twice unseen: one whose answer was lost is looked for in its stream before it is added again.

    :ivar link: set before the start. :ivar published: messages that the server has confirmed. :ivar failed: attempts
    that it has not. :ivar found: messages that were looked for, and found to be there. :ivar repeated: messages that
    were added again although their stream could not be looked through. :ivar unheard: messages to channels that nobody
    listened to. :ivar refusal: of messages whatever they are, by the server. :ivar troubles: refusals of single streams
    or channels.
    """

    link: Link
    wait = 0.0

    def __init__(self, context: BackendContext) -> None:
        self.published = self.failed = self.found = self.repeated = self.unheard = 0
        self._config: Config = context.config
        self._reactor = context.reactor
        self._log: logging.LoggerAdapter[logging.Logger] = context.log
        self._format = format_of(self._config, context.wall)
        self._began = context.wall()
        self._replicas = Replicas(self._config)
        self._doubts = Doubts()
        self._tops: dict[str, bytes] = {}
        self._changed = threading.Condition()
        self._waiting: deque[Sending] = deque()
        self._unanswered: list[Sending] = []
        self._stops = False
        self.refusal = RecentRefusal(self._reactor.seconds)
        self.troubles = Troubles(self._reactor.seconds)
        self._noun = "channel" if self._config.publish is None else "stream"

    # -- the reactor's thread

    def check(self, message: Message) -> None:
        """Check a message, in any thread. :raises CannotPublish: it can never be sent."""
        check(message, self._config)
        self._format.check(message)

    def publish(self, message: Message) -> Deferred[None]:
        """Send a message.

        :raises CannotPublish: it can never be sent. :raises Unavailable: there is no connection. The Deferred may fail
            with either.
        """
        try:
            check(message, self._config)
            made = self._format.write(message)
            place = place_of(self._config.publish or self._config.publish_channel or "", made.topic)
            sending = Sending(made, place, Deferred())
            self._append(sending)
        except (CannotPublish, Unavailable):
            self.failed += 1
            raise
        return sending.done

    def _append(self, sending: Sending) -> None:
        with self._changed:  # the link is unusable before lost() takes the lock: what is appended here is failed there
            if not self.link.usable:
                raise Unavailable(f"no connection to the server: {self.link.error}")
            self._waiting.append(sending)
            self._changed.notify()

    def _answered(self, outcomes: Sequence[tuple[Sending, HubError | None]]) -> None:
        for sending, error in outcomes:
            if error is None:
                self.published += 1
                sending.done.callback(None)
            else:
                self.failed += 1
                sending.done.errback(error)

    def status(self) -> dict[str, Any]:
        """Counters."""
        counts: dict[str, Any] = {"published": self.published, "publish_failed": self.failed}
        if self._config.publish is not None:
            counts |= {"found_again": self.found, "repeated": self.repeated}
        if self._config.publish_channel is not None:
            counts["unheard"] = self.unheard
        return counts

    # -- the link's thread

    def prepare(self, line: Line) -> None:
        """Learn anew how far streams are: another server may answer now."""
        self._tops.clear()
        self.refusal.clear()
        self.troubles.forget("publish")
        line.call("PING")

    def step(self, line: Line) -> None:
        """Send what waits, or wait for some."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stops, IDLE)
            self._unanswered = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
        if not self._unanswered:
            line.call("PING")
            return
        outcomes = self._added(line) if self._config.publish is not None else self._shouted(line)
        self._unanswered = []
        self._note_refusal(outcomes)
        self._reactor.callFromThread(self._answered, outcomes)
        for _, error in outcomes:
            refusal = None if error is None else error.__cause__
            if isinstance(refusal, ErrorReply) and wants_another(refusal):
                raise refusal

    def _note_refusal(self, outcomes: Sequence[tuple[Sending, HubError | None]]) -> None:
        for one, error in outcomes:
            if error is None:
                self.troubles.clear(one.place, "publish")
            elif isinstance(error, PlaceUnavailable) and isinstance(error.__cause__, ErrorReply):
                self.troubles.note(one.place, "publish", error.__cause__)
        errors = [error for _, error in outcomes]
        of_server = [one for one in errors if isinstance(one, Unavailable) and not isinstance(one, PlaceUnavailable)]
        if None in errors:
            self.refusal.clear()
        elif of_server:
            self.refusal.note(str(of_server[0]))

    @property
    def not_ready(self) -> str:
        """Why no message is published, or none to some place; empty: they are."""
        reason = self.refusal.reason
        if reason:
            return f"no message is published: {reason}"
        place = self.troubles.reason
        return f"no message is published to the {self._noun} {place}" if place else ""

    def finish(self, line: Line) -> None:
        """Do nothing: what waits is failed, and sent again later."""

    def lost(self, reason: str) -> None:
        """Fail what has no answer: it is sent again later. Whether its entry was added is looked for then."""
        with self._changed:
            lost, self._unanswered = [*self._unanswered, *self._waiting], []
            self._waiting.clear()
        if lost:
            outcomes = [(sending, Unavailable(reason)) for sending in lost]
            self._reactor.callFromThread(self._answered, outcomes)

    def wake(self) -> None:
        """End the wait."""
        with self._changed:
            self._stops = True
            self._changed.notify()

    # -- channels

    def _shouted(self, line: Line) -> list[tuple[Sending, HubError | None]]:
        """Send to channels. The answer is the number of those who heard it on this server."""
        replies = line.pipeline([("PUBLISH", one.place, one.message.body) for one in self._unanswered])
        self.unheard += sum(reply == 0 for reply in replies)
        return [(one, self._error_of(one, reply)) for one, reply in zip(self._unanswered, replies, strict=True)]

    # -- streams

    def _added(self, line: Line) -> list[tuple[Sending, HubError | None]]:
        refused: dict[str, ErrorReply] = {}
        there = self._looked_for(line, refused)
        outcomes: list[tuple[Sending, HubError | None]] = []
        missing = [one for one in self._unanswered if one.message.id not in there]
        if len(self._tops) > MOST_TOPS:
            self._tops.clear()
        for place in {one.place for one in missing} - self._tops.keys() - refused.keys():
            with _refusal_of(place, refused):
                self._tops[place] = _top(line, place)
        new = [one for one in missing if one.place not in refused]
        for one in new:
            self._doubts.add(one.message.id, self._tops[one.place])
        replies = line.pipeline([self._adding(one) for one in new])
        for one, reply in zip(new, replies, strict=True):
            error = self._error_of(one, reply)
            if error is None:
                self._tops[one.place] = reply
            else:
                self._doubts.remove(one.message.id)
            outcomes.append((one, error))
        # What could not be looked for stays in doubt.
        outcomes += [(one, self._error_of(one, refused[one.place])) for one in missing if one.place in refused]
        outcomes += [(one, None) for one in self._unanswered if one.message.id in there]
        return self._replicated(line, outcomes, bool(there))

    def _adding(self, one: Sending) -> Sequence[object]:
        most = self._config.publish_max_length
        bound = () if most is None else ("MAXLEN", "~", most)
        return ("XADD", one.place, *bound, "*", *fields_of(one.message))

    def _looked_for(self, line: Line, refused: dict[str, ErrorReply]) -> set[str]:
        """Ids of messages whose entries are there already. :param refused: streams that can't be looked through are
        added to it."""
        doubtful: dict[str, list[str]] = defaultdict(list)
        for one in self._unanswered:
            message = one.message
            if message.id not in self._doubts and message.received_at < self._began:
                self._doubts.add_of_earlier_run(message.id, message.received_at)
            if message.id in self._doubts:
                doubtful[one.place].append(message.id)
        there: set[str] = set()
        for place, ids in doubtful.items():
            found, complete = set[str](), True
            with _refusal_of(place, refused):
                found, complete = self._doubts.look(line, place, ids)
            there |= found
            if not complete:
                self.repeated += len(ids) - len(found)
                text = "stream %s grew too much to be looked through: %d messages may be in it twice"
                self._log.warning(text, shown(place), len(ids) - len(found), extra={"action": "publish"})
        self.found += len(there)
        return there

    def _replicated(
        self, line: Line, outcomes: list[tuple[Sending, HubError | None]], found: bool
    ) -> list[tuple[Sending, HubError | None]]:
        """Confirm what enough replicas have. The rest stays in doubt: it is there, and may go with this server."""
        short = self._replicas.shortage(line, found) if any(error is None for _, error in outcomes) else None
        if short is not None:
            return [(one, error or Unavailable(short)) for one, error in outcomes]
        for one, error in outcomes:
            if error is None:
                self._doubts.remove(one.message.id)
        return outcomes

    def _error_of(self, one: Sending, reply: object) -> HubError | None:
        if not isinstance(reply, ErrorReply):
            return None
        error = verdict_of(reply, f"{self._noun} {shown(one.place)}")
        error.__cause__ = reply
        return error


def _top(line: Line, stream: str) -> bytes:
    """Highest id of a stream."""
    found = line.call("XREVRANGE", stream, "+", "-", "COUNT", 1)
    return found[0][0] if found else b"0-0"


@contextmanager
def _refusal_of(place: str, refused: dict[str, ErrorReply]) -> Iterator[None]:
    """Note a refusal of this stream. :raises ErrorReply: the server refuses others, too."""
    try:
        yield
    except ErrorReply as error:
        if is_of_whole_server(error):
            raise
        refused[place] = error
