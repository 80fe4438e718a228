"""Replays of the log for clients of backends; see :mod:`hub.replays`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure

from hub.enqueuer import Enqueuer
from hub.message import Message
from hub.partlog import part_log
from hub.replays import ReplayedMessage, ReplayStart
from hub.store import PER_PAGE, LogPortion, LogReader, RoutedBatch, Store, Wanted
from hub.subscriptions import SinkSubscription
from hub.topics import compile_pattern

KNOWN_TOPICS = 100
"""Topics of which each replay remembers whether its pattern matches them: there is a replay for each subscription, so
it must be small."""


class LogReplays:
    """Makes replays of one log. :param log: of the store."""

    def __init__(self, store: Store, log: LogReader, enqueuer: Enqueuer, reactor: Any) -> None:
        self.store, self.log, self.enqueuer, self.reactor = store, log, enqueuer, reactor

    @classmethod
    def of(cls, store: Store, enqueuer: Enqueuer, reactor: Any) -> LogReplays | None:
        """Make it for a store; ``None``: that keeps no history."""
        return None if store.log_reader is None else cls(store, store.log_reader, enqueuer, reactor)

    def open(
        self,
        pattern: str,
        start: ReplayStart,
        on_ready: Callable[[], None],
        on_failed: Callable[[str], None],
        wanted: Wanted | None = None,
    ) -> LogReplay:
        """Begin a replay."""
        return LogReplay(self, pattern, start, on_ready, on_failed, wanted)


class LogReplay:
    """A replay: the log is its only source, so that nothing is missing or twice where the past ends.

    While it is at the end of the log, a subscription tells it of each message that it wants, which it reads when that
    is committed.
    """

    def __init__(
        self,
        replays: LogReplays,
        pattern: str,
        start: ReplayStart,
        on_ready: Callable[[], None],
        on_failed: Callable[[str], None],
        wanted: Wanted | None,
    ) -> None:
        self._store, self._log, self._reactor = replays.store, replays.log, replays.reactor
        self._on_ready, self._on_failed = on_ready, on_failed
        self._pattern = pattern
        self._wanted = wanted_of(pattern, wanted)
        self._taken: deque[ReplayedMessage] = deque()
        self._offset: int | None = None
        """Offset to read on from; ``None``: it is being looked for."""
        self._since: float | None = None
        """Epoch seconds before which messages are left out, until there is one that is not."""
        self._more = True
        """True if there may be more to read."""
        self._reading = self._waiting = self._again = self._closed = False
        self._subscription: SinkSubscription | None = replays.enqueuer.subscriptions.add([pattern], self._arrived)
        self._begin(start)

    def _begin(self, start: ReplayStart) -> None:
        """Find the offset at which to begin."""
        if start.place == "next":
            told = RoutedBatch([], [], mark=lambda page: self._reactor.callFromThread(self._go, page * PER_PAGE))
            self._store.append(told, _nothing)
        elif start.place == "offset":
            self._in_thread(self._log.end, partial(self._check, int(start.number)))
        elif start.place == "time":
            self._since = start.number
            self._in_thread(lambda: self._log.since(start.number), self._go)
        elif start.place == "last":
            self._in_thread(self._log.end, lambda end: self._look(end, end))
        else:
            self._go(0)

    def _check(self, asked: int, end: int) -> None:
        """Begin at the offset that was asked for, if the log reaches so far."""
        if asked // PER_PAGE > end // PER_PAGE:
            self._fail(f"offset {asked} is beyond the end of the log: the next message has {end} or more")
        else:
            self._go(asked)

    def _look(self, below: int, end: int) -> None:
        """Look for the last message, step by step. :param end: of the log: begin there if there is none."""

        def found(step: tuple[int | None, int]) -> None:
            offset, rest = step
            if offset is not None or not rest:
                self._go(end if offset is None else offset)
            elif not self._closed:
                self._look(rest, end)

        self._in_thread(lambda: self._log.last(self._wanted, below), found)

    def _go(self, offset: int) -> None:
        if not self._closed:
            self._offset = offset
            self._load()

    # -- reading

    def _in_thread(self, call: Callable[[], Any], then: Callable[[Any], None]) -> None:
        pool = self._reactor.getThreadPool()
        deferred = deferToThreadPool(self._reactor, pool, call)
        deferred.addCallbacks(then, self._unreadable).addErrback(self._broken)

    def _load(self) -> None:
        """Read further messages, if all that were read are taken."""
        offset = self._offset
        if self._reading or self._closed or self._taken or not self._more or offset is None:
            return
        self._reading, self._more = True, False
        self._in_thread(lambda: self._read(offset), self._loaded)

    def _read(self, offset: int) -> LogPortion:
        """Read, in a thread."""
        portion = self._log.read(offset, self._wanted)
        since = self._since
        if since is None:
            return portion
        messages = portion.messages
        first = next((at for at, (_, one) in enumerate(messages) if one.received_at >= since), None)
        if first is not None:
            self._since = None
        return LogPortion(messages[first:] if first is not None else (), portion.following, portion.complete, False)

    def _loaded(self, portion: LogPortion) -> None:
        self._reading = False
        if self._closed:
            return
        if portion.missing:
            text = "a replay of %s goes on with what there is: the log is no longer kept from offset %d on"
            part_log("hub", "replays").warning(text, self._pattern, self._offset, extra={"action": "replay"})
        self._offset = portion.following
        self._more = self._more or not portion.complete
        self._taken.extend([ReplayedMessage(message, offset) for offset, message in portion.messages])
        if self._taken:
            self._on_ready()
        else:
            self._load()

    def _unreadable(self, failure: Failure) -> None:
        if not self._closed:  # afterwards the store may be closed, too
            self._broken(failure, "the log can't be read")

    def _broken(self, failure: Failure, reason: str = "internal error; the hub's log has the details") -> None:
        part_log("hub", "replays").error("a replay failed", exc_info=failure.value, extra={"action": "replay"})
        self._fail(reason)

    def _fail(self, reason: str) -> None:
        tell = self._on_failed
        self.close()
        tell(reason)

    # -- what comes

    def _arrived(self, messages: Sequence[Message]) -> None:
        """Read on when these are committed."""
        if self._waiting:
            self._again = True
        else:
            self._waiting = True
            self._store.when_stored(lambda: self._reactor.callFromThread(self._committed), at_once=False)

    def _committed(self) -> None:
        self._waiting, self._more = False, True
        if self._again and not self._closed:
            self._again = False
            self._arrived(())
        self._load()

    # -- the backend's side

    def take(self, limit: int) -> Sequence[ReplayedMessage]:
        """Take the next messages."""
        found = [self._taken.popleft() for _ in range(min(limit, len(self._taken)))]
        self._load()
        return found

    def give_back(self, messages: Sequence[ReplayedMessage]) -> None:
        """Return the messages that were taken last."""
        if not self._closed:
            self._taken.extendleft(reversed(messages))

    def close(self) -> None:
        """End."""
        self._closed = True
        self._taken.clear()
        self._on_ready, self._on_failed = _nothing, _nobody
        if self._subscription is not None:
            self._subscription.cancel()
            self._subscription = None


def wanted_of(pattern: str, wanted: Wanted | None) -> Wanted:
    """Make a function that tells whether a message matches a topic pattern and is wanted."""
    compiled = compile_pattern(pattern)

    @lru_cache(KNOWN_TOPICS)
    def matches(topic: str) -> bool:
        return compiled.fullmatch(f"{topic}.") is not None

    if wanted is None:
        return lambda message: matches(message.topic)
    return lambda message: matches(message.topic) and wanted(message)


def _nothing() -> None:
    """Nobody waits."""


def _nobody(reason: str) -> None:
    """Nobody is told."""
