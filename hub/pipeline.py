"""The pipeline of stages before the intake: messages are checked in threads, and passed on in order."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

import msgspec
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from hub.backoff import Uniform, delay_after
from hub.errors import Unavailable
from hub.failure import told
from hub.interfaces import Answer, Bury, Drop, Intake, Receipt, Stage
from hub.message import Message
from hub.partlog import PartLog
from hub.text import counted

MOST_MESSAGES = 10_000
"""Messages in a pipeline; beyond that the bus is held back until half of them are passed on."""
MOST_BYTES = 64 << 20
"""Bytes of the bodies in a pipeline, likewise."""
MOST_REASONS = 100
"""Reasons that are counted singly; further ones are counted together."""
OTHER = "other reasons"

Verdict = Message | Drop | Bury
Run = Callable[[Callable[[], list[Verdict]]], "Deferred[list[Verdict]]"]
"""Runs a call in a thread, or in a thread pool."""


class Checks(msgspec.Struct, frozen=True):
    """The stages of a backend, in order, and the function that runs them off the reactor's thread."""

    stages: Sequence[Stage]
    run: Run


class Target(Intake, Protocol):
    """An intake that can bury messages too. The tokens that it is given beyond the messages of a batch belong to
    messages that were turned away."""

    def bury(self, message: Message, reason: str) -> None:
        """Make a message a dead letter of each matching queue."""


class _Batch(msgspec.Struct, eq=False):
    messages: list[Message]
    tokens: Sequence[Any]
    answer: Answer | None
    size: int
    failures: int = 0
    verdicts: list[Verdict] | None = None


class Pipeline:
    """The :class:`hub.interfaces.Intake` of a backend with stages. Belongs to the reactor's thread.

    Several batches may be checked at once. Each is passed on after all earlier ones, with its tokens, whatever the
    verdicts. A stage that is unavailable is called again, with backoff and jitter.

    :param hold: holds the bus back, with a reason. :param release: releases it.
    :ivar dropped: messages dropped, by reason. :ivar buried: messages buried. Both only grow.
    """

    def __init__(
        self,
        checks: Checks,
        target: Target,
        reactor: Any,
        hold: Callable[[str], None],
        release: Callable[[], None],
        log: PartLog,
        uniform: Uniform = random.uniform,
    ) -> None:
        self.dropped: Counter[str] = Counter()
        self.buried = 0
        self._checks = checks
        self._target = target
        self._reactor = reactor
        self._hold, self._release = hold, release
        self._log = log
        self._uniform = uniform
        self._waiting: deque[_Batch] = deque()
        self._count = self._size = 0
        self._held = False
        self._idle: list[Deferred[None]] = []

    def receive(self, messages: list[Message], tokens: Sequence[Any] = (), answer: Answer | None = None) -> None:
        """Check a batch, and pass it on in its turn."""
        batch = _Batch(messages, tokens, answer, sum([len(message.body) for message in messages]))
        self._waiting.append(batch)
        self._count += len(messages)
        self._size += batch.size
        if not self._held and (self._count >= MOST_MESSAGES or self._size >= MOST_BYTES):
            self._held = True
            self._hold("the checks do not keep up")
        self._check(batch)

    def refuse(self, message: Message, reason: str) -> None:
        """Pass on a refused message, unchecked."""
        self._target.refuse(message, reason)

    def idle(self) -> Deferred[None]:
        """Fires when all received messages are passed on."""
        idle: Deferred[None] = Deferred()
        self._idle.append(idle)
        self._tell_idle()
        return idle

    def status(self) -> dict[str, Any]:
        """Fields of the backend's status: messages being checked, dropped and buried."""
        return {"waiting": self._count, "dropped": dict(self.dropped), "buried": self.buried}

    def _check(self, batch: _Batch) -> None:
        checked = self._checks.run(partial(verdicts_of, self._checks.stages, batch.messages))
        checked.addCallbacks(self._checked, self._failed, callbackArgs=(batch,), errbackArgs=(batch,))

    def _checked(self, verdicts: list[Verdict], batch: _Batch) -> None:
        batch.verdicts = verdicts
        while self._waiting and self._waiting[0].verdicts is not None:
            self._pass_on(self._waiting.popleft())
        if self._held and self._count <= MOST_MESSAGES // 2 and self._size <= MOST_BYTES // 2:
            self._held = False
            self._release()
        self._tell_idle()

    def _failed(self, failure: Failure, batch: _Batch) -> None:
        if not batch.failures:
            self._log.warning("messages can't be checked now: %s", failure.value, extra={"action": "check"})
        batch.failures += 1
        self._reactor.callLater(delay_after(batch.failures, self._uniform), self._check, batch)

    def _pass_on(self, batch: _Batch) -> None:
        self._count -= len(batch.messages)
        self._size -= batch.size
        passed: list[Message] = []
        places: list[int] = []
        turned_away: dict[int, str] = {}
        for index, verdict in enumerate(batch.verdicts or ()):
            if isinstance(verdict, Message):
                passed.append(verdict)
                places.append(index)
                continue
            turned_away[index] = verdict.reason
            if isinstance(verdict, Drop):
                known = verdict.reason in self.dropped or len(self.dropped) < MOST_REASONS
                self.dropped[verdict.reason if known else OTHER] += 1
                self._target.refuse(batch.messages[index], verdict.reason)
            else:
                self.buried += 1
                self._target.bury(batch.messages[index], verdict.reason)

        def answer(receipt: Receipt) -> None:
            assert batch.answer is not None
            duplicates, full = ([places[index] for index in some] for some in (receipt.duplicates, receipt.full))
            batch.answer(Receipt(len(batch.messages), duplicates, full, turned_away))

        tokens = batch.tokens
        if turned_away and len(tokens) == len(
            batch.messages
        ):  # those of the messages that are passed on first, as these are
            tokens = [tokens[index] for index in (*places, *turned_away)]
        self._target.receive(passed, tokens, answer if batch.answer is not None else None)

    def _tell_idle(self) -> None:
        if not self._waiting:
            idle, self._idle = self._idle, []
            for one in idle:
                one.callback(None)


def verdicts_of(stages: Sequence[Stage], messages: Sequence[Message]) -> list[Verdict]:
    """Verdicts of all stages on each message; a stage sees only messages that earlier stages passed. In any thread.

    :raises Unavailable: a stage can't check now.
    """
    verdicts: list[Verdict] = [*messages]
    for stage in stages:
        left = [(index, verdict) for index, verdict in enumerate(verdicts) if isinstance(verdict, Message)]
        if not left:
            break
        for (index, _), verdict in zip(left, _checked_by(stage, [message for _, message in left]), strict=True):
            verdicts[index] = verdict
    return verdicts


def _checked_by(stage: Stage, messages: Sequence[Message]) -> Sequence[Verdict]:
    """Verdicts of one stage. If it fails on the batch, it is called with single messages; those that fail again are
    buried."""
    try:
        verdicts = stage.check(messages)
        if len(verdicts) != len(messages):
            raise ValueError(f"{len(verdicts)} verdicts for {counted(len(messages), 'message')}")
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - a plugin's code
        if len(messages) == 1:
            return [Bury(f"{stage.name} failed: {told(error)}")]
        return [verdict for message in messages for verdict in _checked_by(stage, [message])]
    return verdicts
