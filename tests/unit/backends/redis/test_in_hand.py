"""What is in hand, and what is to be acknowledged."""

from __future__ import annotations

import threading

from hub.backends.redis.in_hand import Entry, InHand


def test_room_shrinks_and_grows() -> None:
    hand = InHand(3)
    hand.add("a", [b"1-0", b"2-0"])
    hand.add("b", [b"1-0", b"1-0"])
    assert (len(hand), hand.room) == (3, 0)
    hand.add("b", [b"9-0"])
    assert hand.room == 0
    hand.acknowledged([Entry("b", b"1-0"), Entry("b", b"1-0"), Entry("c", b"1-0")])
    assert (len(hand), set(hand.of("b")), set(hand.of("c"))) == (3, {b"9-0"}, set())


def test_what_is_known_is_told_from_what_is_new() -> None:
    hand = InHand(10)
    hand.add("a", [b"1-0"])
    assert hand.without("a", [b"1-0", b"2-0"]) == {b"2-0"}
    assert hand.without("b", [b"1-0"]) == {b"1-0"}


def test_settled_entries_are_taken_once_and_put_back_in_front() -> None:
    hand, first, second = InHand(10), Entry("a", b"1-0"), Entry("a", b"2-0")
    hand.settle([first])
    assert hand.take_settled(0) == [first]
    hand.settle([second])
    hand.put_back([first])
    assert hand.take_settled(0) == [first, second]
    assert hand.take_settled(0) == []


def test_waits_end_when_there_is_something_to_do() -> None:
    hand, ended = InHand(1), threading.Event()
    hand.add("a", [b"1-0"])

    def wait() -> None:
        hand.take_settled(60)
        hand.wait_for_room(60)
        hand.wait_for_wake(60)
        ended.set()

    thread = threading.Thread(target=wait)
    thread.start()
    hand.settle([Entry("a", b"1-0")])
    hand.acknowledged([Entry("a", b"1-0")])
    hand.wake()
    thread.join(30)
    assert ended.is_set()


def test_after_the_stop_nothing_waits() -> None:
    hand = InHand(1)
    hand.stop()
    hand.add("a", [b"1-0"])
    hand.wait_for_room(60)
    hand.wait_for_wake(60)
    assert hand.take_settled(60) == []
