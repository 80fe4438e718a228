"""What the hub may rely on, whatever the stage."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from hub.interfaces import Bury, Drop, Stage
from hub.message import Message
from tests.unit.doubles import message
from tests.unit.stages import MemoryStage

STAGES: dict[str, Callable[[], Stage]] = {"memory": MemoryStage}
"""A new stage joins by one more entry."""
TOPICS = ("a", "drop.x", "mark.x", "bury.x", "b")


@pytest.fixture(params=STAGES.values(), ids=[*STAGES])
def stage(request: pytest.FixtureRequest) -> Stage:
    made: Stage = request.param()
    return made


def batch() -> list[Message]:
    return [message(number, topic) for number, topic in enumerate(TOPICS)]


def test_it_has_a_name(stage: Stage) -> None:
    assert stage.name


def test_there_is_a_verdict_for_each_message_in_order(stage: Stage) -> None:
    verdicts = stage.check(batch())
    assert len(verdicts) == len(TOPICS)
    for given, verdict in zip(batch(), verdicts, strict=True):
        assert isinstance(verdict, Message | Drop | Bury)
        assert not isinstance(verdict, Message) or (verdict.id, verdict.body) == (given.id, given.body)
        assert isinstance(verdict, Message) or verdict.reason


def test_the_verdict_on_a_message_does_not_depend_on_the_others(stage: Stage) -> None:
    assert [*stage.check(batch())] == [verdict for one in batch() for verdict in stage.check([one])]


def test_no_messages_have_no_verdicts(stage: Stage) -> None:
    assert len(stage.check([])) == 0


def test_several_threads_may_ask_at_once(stage: Stage) -> None:
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append([*stage.check(batch())])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == [[*stage.check(batch())]] * 8
