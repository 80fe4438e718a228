"""What became of the messages of one id, put together."""

from __future__ import annotations

from itertools import repeat

import pytest

from hub.deadletter import DeadLetter
from hub.message import Message
from hub.router import Router
from tests.unit.control.trace_rig import Rig
from tests.unit.doubles import ScriptedBatches, letter_of


def test_each_queue_has_its_own_answer(rig: Rig) -> None:
    for name in ("done", "waits", "again", "bad"):
        rig.add(name)
    rig.receive("0", "1")
    for name in ("done", "again", "bad"):
        taken = rig.take(name)
        queue = rig.consumers.members[name].queue
        if name == "done":
            queue.finish(taken, 1)
        elif name == "again":
            queue.retry(taken, 30.0, True, "KeyError: 'x'")
        else:
            queue.bury(taken, True, letter_of(taken, "no use"))
    rig.store.writer.step()
    rig.clock.advance(10)
    found = rig.fates("0")
    assert {name: fate.state for name, fate in found.items()} == {
        "done": "settled",
        "waits": "waiting",
        "again": "retry",
        "bad": "dead letter",
    }
    assert (found["again"].due, found["again"].reason, found["again"].attempts) == (1030.0, "KeyError: 'x'", 1)
    assert (found["bad"].number, found["bad"].reason, found["bad"].position) == (1, "no use", 0)
    assert rig.fates("1")["waits"].before == 1


def test_what_is_in_hand_says_whose_it_is_and_for_how_long(rig: Rig) -> None:
    rig.add("q")
    rig.receive("0", "1")
    rig.take("q", 2)
    rig.clock.advance(7)
    first, second = rig.fates("0")["q"], rig.fates("1")["q"]
    assert (first.state, first.thread, first.seconds) == ("in flight", "hubbub-q-1", 7.0)
    assert (second.state, second.thread, second.seconds) == ("in flight", "hubbub-q-1", None)


def test_of_a_batch_all_have_been_in_hand_as_long(rig: Rig) -> None:
    rig.add("q", cls=ScriptedBatches)
    rig.receive("0", "1")
    rig.take("q", 2)
    rig.clock.advance(7)
    assert [rig.fates(id_)["q"].seconds for id_ in ("0", "1")] == [7.0, 7.0]


def test_a_queue_in_memory_is_looked_through(rig: Rig) -> None:
    rig.add("fleeting", rig.memory)
    rig.receive("0", "1")
    assert rig.fates("1")["fleeting"].before == 1
    taken = rig.take("fleeting")
    rig.consumers.members["fleeting"].queue.bury(taken, True, letter_of(taken))
    assert rig.fates("0")["fleeting"].state == "dead letter"


def test_a_queue_that_was_done_before_it_was_stored_is_named(rig: Rig) -> None:
    queue = rig.add("quick")
    rig.add("slow")
    rig.receive("0")
    queue.finish(rig.take("quick"), 1)
    rig.store.writer.step()
    rig.clock.advance(1)
    rig.add("new")
    assert {name: fate.state for name, fate in rig.fates("0").items()} == {"quick": "settled", "slow": "waiting"}


def test_messages_of_one_id_are_told_apart_the_newest_first(rig: Rig) -> None:
    rig.add("q")
    for _ in range(3):
        rig.receive("0")
        rig.store.writer.step()
        rig.clock.advance(5)
    assert [sighting.received_at for sighting in rig.sightings("0")] == [1010.0, 1005.0, 1000.0]
    assert [sighting.queues[0].position for sighting in rig.sightings("0")] == [2, 1, 0]


def test_the_same_message_twice_in_a_queue_has_two_positions(rig: Rig) -> None:
    rig.add("q")
    rig.receive("0", "0")
    (sighting,) = rig.sightings("0")
    assert [(fate.queue, fate.position) for fate in sighting.queues] == [("q", 0), ("q", 1)]


def test_a_replayed_one_is_only_where_it_was_given_again(rig: Rig) -> None:
    queue = rig.add("q")
    rig.add("other")
    message = Message("0", "a.b", b"{}", {}, rig.clock.seconds(), "bus")
    rig.enqueuer.deliver([message], [(queue, None)], 2, None, routed=False, if_room=True)
    (sighting,) = rig.sightings("0")
    assert (sighting.copy, [fate.queue for fate in sighting.queues]) == (True, ["q"])


def test_what_was_refused_is_a_dead_letter_without_a_position(rig: Rig) -> None:
    rig.add("q").bury_unqueued(DeadLetter(Message("0", "a.b", b"", {}, 1000.0, "bus"), "no JSON", 0, 1000.0))
    rig.store.writer.step()
    assert (rig.fates("0")["q"].state, rig.fates("0")["q"].position) == ("dead letter", None)


def test_a_queue_that_belongs_to_nobody_any_more_is_told_of(rig: Rig) -> None:
    rig.add("gone")
    rig.receive("0")
    rig.consumers.orphans["gone"] = rig.consumers.members.pop("gone")
    rig.enqueuer.router = Router([])
    assert rig.fates("0")["gone"].state == "waiting"
    del rig.consumers.orphans["gone"]
    assert (rig.fates("0")["gone"].state, rig.fates("0")["gone"].before) == ("waiting", None)


def test_what_was_settled_in_a_queue_that_is_not_open_is_settled(rig: Rig) -> None:
    queue = rig.add("gone")
    rig.receive("0", "1")
    queue.finish(rig.take("gone"), 1)
    rig.store.writer.step()
    del rig.consumers.members["gone"]
    rig.enqueuer.router = Router([])
    assert [rig.fates(id_)["gone"].state for id_ in "01"] == ["settled", "waiting"]


def test_what_is_not_there_is_not_found(rig: Rig) -> None:
    rig.add("q")
    rig.receive("0")
    asked = rig.ask("none")
    assert (asked.messages(), asked.complete) == ([], True)


def test_a_search_that_ended_early_says_so_and_how_far_it_came(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.store.search.STEP_BYTES", 1)
    rig.add("q")
    for _ in range(3):
        rig.receive("0")
        rig.store.writer.step()
        rig.clock.advance(5)
    few = rig.ask("0", most=2)
    assert (len(few.messages()), few.complete, few.reached) == (2, False, 1005.0)
    assert not rig.ask("0", spent=repeat(1.0)).complete
    assert rig.ask("0").complete
    since = rig.ask("0", since=1007.0)
    assert (since.complete, [one.received_at for one in since.messages()]) == (True, [1010.0, 1005.0])
