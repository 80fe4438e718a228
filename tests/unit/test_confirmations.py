"""Backends that are told after the work; tests/contracts/test_confirmation_contract.py has what they are told."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from hub.confirmations import Confirmations
from hub.enqueuer import Enqueuer
from hub.interfaces import BackendContext, Receipt
from hub.queue.queue import Queue
from hub.router import Router
from hub.store.memory import MemoryStore
from tests.unit.doubles import FakeReactor, RecordingBackend, RecordingLog, make_queue, message, messages

ASK = BackendContext("bus", None, None, RecordingLog(), lambda: 0.0, None, None)  # type: ignore[arg-type]


class Failing(RecordingBackend):
    def confirm(self, tokens: Any) -> None:
        raise RuntimeError("the connection is lost")


class LateReactor(FakeReactor):
    """Makes calls from other threads in its next turn."""

    def __init__(self) -> None:
        super().__init__()
        self.later: list[Callable[[], object]] = []

    def callFromThread(self, call: Callable[..., Any], *arguments: Any) -> None:
        self.later.append(partial(call, *arguments))

    def turn(self) -> None:
        calls, self.later = self.later, []
        for call in calls:
            call()


class Desk:
    """Two backends, and a queue in memory for all that they bring."""

    def __init__(self, first: type[RecordingBackend] = RecordingBackend, reactor: FakeReactor | None = None) -> None:
        self.queue = make_queue(lambda: 0.0)
        router: Router[Queue] = Router([(["a.#"], self.queue)])
        self.enqueuer = Enqueuer(router, MemoryStore(), lambda: 0.0, lambda: None)
        self.confirmations = Confirmations(self.enqueuer, reactor or FakeReactor())
        self.backends = [first(ASK), RecordingBackend(ASK)]
        self.intakes = [self.confirmations.intake(backend) for backend in self.backends]

    def finish(self) -> None:
        delivery = self.queue.take(100, timeout=0)
        assert delivery is not None
        self.queue.finish(delivery, len(delivery.messages))

    def told(self, number: int) -> list[Any]:
        return [token for name, tokens in self.backends[number].calls for token in tokens if name == "confirm"]  # type: ignore[attr-defined]


def test_each_backend_is_told_of_its_own_messages() -> None:
    desk = Desk()
    desk.intakes[0].receive(messages(2), ["a", "b"])
    desk.intakes[1].receive(messages(1), ["a"])
    assert [desk.confirmations.count(one) for one in desk.backends] == [2, 1]
    desk.finish()
    assert (desk.told(0), desk.told(1)) == (["a", "b"], ["a"])
    assert desk.queue.acks.noted is None


def test_a_backend_that_fails_keeps_nothing_from_the_others(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(Failing)
    for intake in desk.intakes:
        intake.receive(messages(1), ["a"])
    desk.finish()
    assert desk.told(1) == ["a"]
    records = [one for one in caplog.records if one.getMessage() == "messages could not be confirmed"]
    assert [one.name for one in records] == ["hubbub.hub.backends"]


def test_a_backend_that_has_stopped_is_told_nothing_and_what_it_still_passes_on_is_handled() -> None:
    desk = Desk()
    desk.intakes[0].receive(messages(1), ["a"])
    desk.intakes[1].receive(messages(1), ["b"])
    for _ in range(2):
        desk.confirmations.close(desk.backends[0])
    desk.intakes[0].receive([message(1), message(2, "nobody's")], ["c", "d"])
    desk.finish()
    assert (desk.told(0), desk.told(1)) == ([], ["b"])
    assert desk.queue.stats().counters.finished == 3


def test_nobody_is_told_of_messages_without_tokens() -> None:
    desk = Desk()
    receipts: list[Receipt] = []
    desk.intakes[0].receive(messages(2), answer=receipts.append)
    assert receipts == [Receipt(2)]
    assert desk.queue.acks.noted is None
    desk.finish()
    assert desk.told(0) == []


def test_each_message_must_have_its_own_token() -> None:
    desk = Desk()
    with pytest.raises(ValueError, match="1 token for 2 messages"):
        desk.intakes[0].receive(messages(2), ["a"])
    assert desk.queue.stats().counters.received == 0


def test_backends_are_told_in_the_turns_of_the_reactor_whoever_settles() -> None:
    reactor = LateReactor()
    desk = Desk(reactor=reactor)
    desk.intakes[0].receive([message(1), message(2, "nobody's")], ["a", "b"])
    assert desk.told(0) == []
    reactor.turn()
    assert desk.told(0) == ["b"]
    desk.finish()
    assert desk.told(0) == ["b"]
    reactor.turn()
    assert desk.told(0) == ["b", "a"]


def test_a_queue_with_messages_of_a_backend_that_has_stopped_is_watched_no_longer() -> None:
    desk = Desk()
    desk.intakes[0].receive(messages(1), ["a"])
    assert desk.queue.acks.noted == []
    desk.confirmations.close(desk.backends[0])
    assert desk.queue.acks.noted is None


def test_messages_that_were_settled_before_they_were_watched_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, paces = Desk(), list[bool]()
    desk.intakes[0].receive(messages(3), ["a", "b", "c"])
    monkeypatch.setattr(desk.queue.announcer, "watch", lambda start, stop, told: [(start + 1, start + 2)])
    when_stored = desk.enqueuer.when_stored

    def noted(call: Callable[[], object], at_once: bool = True) -> None:
        paces.append(at_once)
        when_stored(call, at_once)

    monkeypatch.setattr(desk.enqueuer, "when_stored", noted)
    desk.intakes[0].receive(messages(4), ["d", "e", "f", "g"])
    assert (desk.told(0), desk.confirmations.count(desk.backends[0])) == (["d", "f", "g"], 4)
    assert paces == [False]
    desk.finish()
    assert desk.told(0) == ["d", "f", "g", "a", "b", "c", "e"]
