from typing import Any

import pytest

from hub.backends.memory import Memory
from hub.errors import CannotPublish, Unavailable
from hub.message import Message
from hub.settings import Settings
from tests.unit.backends.support import Recorder, hub_context


def started() -> tuple[Memory, Recorder]:
    memory, intake = Memory(hub_context(Settings())), Recorder()
    memory.start(intake)
    return memory, intake


def test_delivers_with_a_token_and_is_told_what_is_safe() -> None:
    memory, intake = started()
    token = memory.deliver("a.b", {"n": 1}, {"h": "v"}, id="x")
    assert intake.messages == [Message("x", "a.b", b'{"n":1}', {"h": "v"}, 1000.0, "bus")]
    assert intake.tokens == [token]
    memory.confirm([token])
    assert memory.confirmed == [token]


@pytest.mark.parametrize(("body", "expected"), [(b"\xff", b"\xff"), ("text", b"text"), ([1], b"[1]")])
def test_bodies(body: object, expected: bytes) -> None:
    memory, intake = started()
    memory.deliver("a", body)
    assert intake.bodies == [expected]


def test_what_comes_before_the_start_waits_for_it() -> None:
    memory, intake = Memory(hub_context(Settings())), Recorder()
    memory.deliver("a", b"1")
    memory.deliver("a", b"2")
    memory.start(intake)
    assert [len(batch) for batch in intake.batches] == [2]
    assert [message.id for message in intake.messages] == ["memory-1", "memory-2"]


def test_what_a_pause_held_stays_with_the_bus_at_a_stop() -> None:
    memory, intake = started()
    memory.pause()
    memory.deliver("a", b"1")
    memory.stop()
    assert intake.messages == []
    assert memory.status()["held"] == 1


def test_keeps_what_is_published_until_it_stops() -> None:
    memory, _ = started()
    message = Message("", "a", b"")
    memory.publish(message)
    assert memory.published == [message]
    memory.stop()
    with pytest.raises(Unavailable):
        memory.publish(message)


def test_the_bus_confirms_late_in_order_and_refuses_late_too() -> None:
    memory, _ = started()
    memory.confirms_late = True
    sent = [memory.publish(Message(str(number), f"t.{number}", b"")) for number in range(3)]
    memory.refuses = {"t.1"}
    told: list[object] = []
    for one in sent:
        assert one is not None
        one.addBoth(told.append)
    assert (told, memory.published) == ([], [])
    memory.confirm_published(1)
    assert told == [None]
    memory.confirm_published()
    assert [getattr(answer, "type", None) for answer in told] == [None, CannotPublish, None]
    assert [message.id for message in memory.published] == ["0", "2"]


def test_a_bus_that_goes_away_or_stops_fails_what_it_did_not_confirm() -> None:
    memory, _ = started()
    memory.confirms_late = True
    for end in (memory.lose_connection, memory.stop):
        memory.away = ""
        sent = memory.publish(Message("", "t", b""))
        assert sent is not None
        failures: list[Any] = []
        sent.addErrback(failures.append)
        end()
        assert [failure.type for failure in failures] == [Unavailable]
        with pytest.raises(Unavailable):
            memory.publish(Message("", "t", b""))
    assert memory.published == []


def test_keeps_the_patterns() -> None:
    memory, _ = started()
    memory.subscribe({"b", "a"})
    assert memory.patterns == ["a", "b"]
