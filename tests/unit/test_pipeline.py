"""Stages before the intake."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import pipeline
from hub.backoff import FIRST_DELAY, LONGEST_DELAY
from hub.interfaces import Answer, Receipt
from hub.message import Message
from hub.pipeline import OTHER, Checks, Pipeline, verdicts_of
from tests.unit.backends.support import Recorder
from tests.unit.doubles import FakeReactor, RecordingLog, message, most
from tests.unit.stages import MemoryStage, SteppedPool


class Target(Recorder):
    """The next intake: keeps what comes, and what is to be buried."""

    def __init__(self) -> None:
        super().__init__()
        self.buried: list[tuple[str, str]] = []
        self.receipt: Receipt | None = None

    def receive(self, messages: list[Message], tokens: Any = (), answer: Answer | None = None) -> None:
        super().receive(messages, tokens, None)
        if answer is not None:
            answer(self.receipt or Receipt(len(messages)))

    def bury(self, message: Message, reason: str) -> None:
        self.buried.append((message.id, reason))


class Rig:
    """A pipeline with its stages, its pool, and what is behind it."""

    def __init__(self, *stages: MemoryStage) -> None:
        self.stages = stages or (MemoryStage(),)
        self.pool, self.target, self.reactor, self.log = SteppedPool(), Target(), FakeReactor(), RecordingLog()
        self.flow: list[str] = []
        self.pipeline = Pipeline(
            Checks(self.stages, self.pool.run),
            self.target,
            self.reactor,
            self.flow.append,
            lambda: self.flow.append("released"),
            self.log,
            most,
        )

    def receive(self, *topics: str, tokens: list[int] | None = None, answer: Answer | None = None) -> None:
        batch = [message(number, topic) for number, topic in enumerate(topics)]
        self.pipeline.receive(batch, tokens or [], answer)


def test_nothing_goes_on_before_it_was_checked_and_its_tokens_go_with_it() -> None:
    rig = Rig()
    rig.receive("a", "b", tokens=[7, 8])
    assert (rig.target.batches, rig.target.tokens) == ([], [])
    rig.pool.step()
    assert ([one.topic for one in rig.target.messages], rig.target.tokens) == (["a", "b"], [7, 8])


@given(st.lists(st.integers(0, 5), min_size=1, max_size=8), st.randoms())
def test_batches_go_on_in_the_order_in_which_they_came(sizes: list[int], chance: Any) -> None:
    rig = Rig()
    for number, size in enumerate(sizes):
        rig.receive(*[f"t.{number}"] * size, tokens=[number])
    while rig.pool.waiting:
        rig.pool.step(chance.randrange(len(rig.pool.waiting)))
    assert [len(batch) for batch in rig.target.batches] == sizes
    assert rig.target.tokens == [*range(len(sizes))]


def test_each_verdict_is_carried_out_and_counted_and_no_token_is_lost() -> None:
    rig = Rig()
    rig.receive("a", "drop.x", "mark.x", "bury.x", "b", tokens=[1, 2, 3, 4, 5])
    rig.pool.step()
    assert [(one.topic, dict(one.headers)) for one in rig.target.messages] == [
        ("a", {}), ("mark.x", {"marked": "memory"}), ("b", {}),
    ]  # fmt: skip
    assert [(one.id, why) for one, why in rig.target.refused] == [("1", "dropped by memory")]
    assert rig.target.buried == [("3", "buried by memory")]
    assert rig.target.tokens == [1, 3, 5, 2, 4]  # first those of the messages that go on
    assert rig.pipeline.status() == {"waiting": 0, "dropped": {"dropped by memory": 1}, "buried": 1}


def test_a_batch_of_which_nothing_is_left_has_its_tokens_confirmed_too() -> None:
    rig = Rig()
    rig.receive("drop.x", tokens=[1])
    rig.pool.step()
    assert (rig.target.batches, rig.target.tokens) == ([[]], [1])


def test_stages_are_asked_in_order_and_not_for_what_another_one_turned_away() -> None:
    rig = Rig(MemoryStage("first"), MemoryStage("second"))
    rig.receive("a", "drop.x", "mark.x")
    rig.pool.step()
    assert [stage.seen for stage in rig.stages] == [[["0", "1", "2"]], [["0", "2"]]]
    assert rig.target.messages[1].headers == {"marked": "second"}


def test_the_answer_tells_what_became_of_each_by_its_place_in_the_batch() -> None:
    rig, answers = Rig(), list[Receipt]()
    rig.target.receipt = Receipt(2, duplicates=[0], full=[1])
    rig.receive("drop.x", "a", "bury.x", "b", answer=answers.append)
    assert answers == []
    rig.pool.step()
    (receipt,) = answers
    assert receipt == Receipt(4, [1], [3], {0: "dropped by memory", 2: "buried by memory"})
    assert receipt.accepted == 0


def test_one_that_a_stage_fails_on_is_buried_and_the_others_go_on() -> None:
    rig = Rig()
    rig.receive("a", "fail.x", "drop.x", "b")
    rig.pool.step()
    assert [one.topic for one in rig.target.messages] == ["a", "b"]
    assert rig.target.buried == [("1", "memory failed: KeyError: 'a bug'")]
    assert [why for _, why in rig.target.refused] == ["dropped by memory"]


def test_a_stage_that_has_no_verdict_for_each_is_at_fault() -> None:
    class Short(MemoryStage):
        def check(self, messages: Any) -> Any:
            return super().check(messages)[: len(messages) // 2 + 1]

    found = verdicts_of([Short()], [message(0, "a"), message(1, "b"), message(2, "c")])
    assert [one.topic for one in found if isinstance(one, Message)] == ["a", "b", "c"]  # one by one it has


def test_a_stage_that_is_away_is_asked_again_and_what_is_behind_waits_in_order() -> None:
    rig = Rig()
    rig.stages[0].away = "no keys"
    rig.receive("a", tokens=[1])
    rig.pool.step()
    rig.stages[0].away = ""
    rig.receive("b", tokens=[2])
    rig.pool.step()
    assert rig.target.batches == []
    rig.stages[0].away = "no keys"
    for power in range(9):
        rig.reactor.advance(min(LONGEST_DELAY, FIRST_DELAY * 2**power))
        rig.pool.step()
    rig.stages[0].away = ""
    rig.reactor.advance(LONGEST_DELAY)
    rig.pool.step()
    assert ([one.topic for one in rig.target.messages], rig.target.tokens) == (["a", "b"], [1, 2])
    assert rig.log.lines() == ["messages can't be checked now: no keys"]


@pytest.mark.parametrize(("limit", "value"), [("MOST_MESSAGES", 4), ("MOST_BYTES", 8)])
def test_the_bus_is_held_back_until_half_of_what_is_too_much_has_gone_on(
    limit: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, limit, value)
    rig = Rig()
    for _ in range(3):
        rig.receive("a")
    assert rig.flow == []
    for _ in range(2):
        rig.receive("a")
    assert rig.flow == ["the checks do not keep up"]
    rig.pool.step()
    rig.pool.step()
    assert rig.flow == ["the checks do not keep up"]
    rig.pool.step()
    assert rig.flow == ["the checks do not keep up", "released"]


def test_reasons_without_end_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "MOST_REASONS", 2)
    rig = Rig()
    for name in ("one", "two", "three", "two", "four"):
        rig.stages[0].name = name
        rig.receive("drop.x")
        rig.pool.step()
    assert rig.pipeline.dropped == {"dropped by one": 1, "dropped by two": 2, OTHER: 2}


def test_whoever_waits_is_told_when_all_has_gone_on() -> None:
    rig, told = Rig(), list[None]()
    rig.pipeline.idle().addCallback(told.append)
    assert told == [None]
    rig.receive("a")
    rig.receive("b")
    rig.pipeline.idle().addCallback(told.append)
    rig.pool.step()
    assert told == [None]
    rig.pool.step()
    assert told == [None, None]


def test_what_the_backend_itself_refuses_passes_by() -> None:
    rig = Rig()
    rig.pipeline.refuse(message(1), "no JSON")
    assert [why for _, why in rig.target.refused] == ["no JSON"]
