"""How many refusals of one kind are written down."""

from __future__ import annotations

from twisted.internet.task import Clock

from hub.control.refusals import LONGEST_WHY, MOST_KINDS, PER, Refusal, Refusals

ONE = Refusal("192.0.2.7", "pause", "no token")


def test_the_first_of_a_kind_is_written_and_the_others_are_counted_until_its_time_is_over() -> None:
    clock = Clock()
    refusals = Refusals(clock.seconds)
    assert [refusals.met(ONE) for _ in range(3)] == [True, False, False]
    clock.advance(PER / 2)
    assert refusals.met(ONE._replace(action="drain"))
    assert refusals.over() == []
    clock.advance(PER / 2)
    assert refusals.over() == [(ONE, 2)]
    assert refusals.met(ONE)
    clock.advance(PER)
    assert refusals.over() == []


def test_reasons_that_begin_alike_are_one_kind_and_the_last_is_told() -> None:
    refusals = Refusals(Clock().seconds)
    first, last = (ONE._replace(why="x" * LONGEST_WHY + end) for end in "ab")
    assert (refusals.met(first), refusals.met(last)) == (True, False)
    assert refusals.over(final=True) == [(last, 1)]


def test_beyond_so_many_kinds_all_are_one() -> None:
    refusals = Refusals(Clock().seconds)
    many = [ONE._replace(who=str(number)) for number in range(1000)]
    assert sum(refusals.met(one) for one in many) == MOST_KINDS + 1
    assert not refusals.met(many[0])
    assert refusals.over(final=True) == [
        (many[0], 1),
        (Refusal("others", "pause", "no token"), 1000 - MOST_KINDS - 1),
    ]
    assert refusals.met(many[-1])
