"""How much is told of the messages of one id, and how long they are looked for."""

from __future__ import annotations

from itertools import repeat

import pytest

from tests.unit.control.trace_rig import Rig
from tests.unit.doubles import letter_of


def test_of_more_than_are_wanted_the_newest_are_told(rig: Rig) -> None:
    rig.add("fleeting", rig.memory)
    for time in (1005.0, 1020.0, 1010.0, 1015.0):
        rig.bury("fleeting", time)
    some, all_ = rig.ask("0", most=2), rig.ask("0", most=4)
    assert ([one.received_at for one in some.messages()], some.complete) == ([1020.0, 1015.0], False)
    assert (len(all_.messages()), all_.complete) == (4, True)


@pytest.mark.parametrize("durable", [True, False])
def test_of_one_message_only_so_many_fates_are_told(rig: Rig, monkeypatch: pytest.MonkeyPatch, durable: bool) -> None:
    monkeypatch.setattr("hub.control.message_trace.MOST_OUTCOMES", 3)
    rig.add("q", rig.store if durable else rig.memory)
    rig.add("other")
    rig.receive(*["0"] * 3)
    whole = rig.ask("0")
    assert ([one.cut for one in whole.messages()], whole.complete) == ([True], False)
    assert len(whole.messages()[0].queues) == 3
    rig.receive("1")
    assert (rig.ask("1").complete, len(rig.fates("1"))) == (True, 2)


def test_a_queue_of_which_too_much_is_there_to_tell_is_not_said_to_be_done(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.control.message_trace.MOST_OUTCOMES", 2)
    rig.add("q", rig.memory)
    rig.add("other")
    rig.receive("0", "0")
    rig.bury("q", 1000.0)
    (sighting,) = rig.ask("0").messages()
    assert ([fate.queue for fate in sighting.queues], sighting.cut) == (["q", "q"], True)


def test_of_dead_letters_only_so_many_are_told(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.control.message_trace.MOST_OUTCOMES", 2)
    rig.add("q", rig.memory)
    rig.bury("q", *[1000.0] * 5)
    asked = rig.ask("0")
    assert [(len(one.queues), one.cut) for one in asked.messages()] == [(2, True)]
    assert not asked.complete


def test_of_all_messages_together_only_so_many_fates_are_told(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.control.message_trace.MOST_TOLD", 4)
    rig.add("q")
    for _ in range(3):
        rig.receive("0", "0")
        rig.store.writer.step()
        rig.clock.advance(5)
    asked = rig.ask("0")
    assert [(len(one.queues), one.cut) for one in asked.messages()] == [(2, False), (2, False), (0, True)]
    assert not asked.complete


@pytest.mark.parametrize("where", ["memory", "letters"])
def test_the_search_of_memory_and_of_dead_letters_ends_in_time(rig: Rig, where: str) -> None:
    rig.add("fleeting", rig.memory)
    if where == "memory":
        rig.receive(*["0"] * 100)
    else:
        rig.bury("fleeting", *range(100))
    asked = rig.ask("0", spent=repeat(1.0))
    assert sum(len(one.queues) for one in asked.messages()) <= 1
    assert not asked.complete


def test_a_long_log_leaves_time_for_dead_letters(rig: Rig) -> None:
    rig.add("q")
    rig.receive("0")
    taken = rig.take("q")
    rig.consumers.members["q"].queue.bury(taken, True, letter_of(taken))
    rig.store.writer.step()
    asked = rig.ask("0", spent=repeat(0.9))
    assert ([one.queues[0].state for one in asked.messages()], asked.complete) == (["dead letter"], False)


def test_of_a_queue_that_was_not_searched_nothing_is_said(rig: Rig) -> None:
    """It has the message in its backlog, and is not done with it."""
    rig.add("fleeting", rig.memory)
    rig.add("q")
    rig.receive("0")
    rig.store.writer.step()
    (sighting,) = rig.sightings("0")
    assert [fate.queue for fate in sighting.queues] == ["fleeting", "q"]
    (sighting,) = rig.ask("0", spent=[0.0, 0.0, 0.9]).messages()
    assert [fate.queue for fate in sighting.queues] == ["fleeting"]
