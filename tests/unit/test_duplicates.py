"""What came before is not wanted twice."""

from __future__ import annotations

import time

import pytest
from twisted.internet.task import Clock

from hub.duplicates import Duplicates
from hub.message import Message
from hub.placements import Placements
from tests.unit.doubles import make_queue, message


def ids(found: list[Message]) -> list[str]:
    return [one.id for one in found]


def test_the_second_of_two_equal_ones_is_left_out_and_counted() -> None:
    duplicates = Duplicates(10.0, Clock().seconds)
    assert ids(duplicates.fresh([message(1), message(2), message(1)])) == ["1", "2"]
    assert ids(duplicates.fresh([message(2), message(3)])) == ["3"]
    assert (duplicates.duplicates, duplicates.collisions) == (2, 0)


def test_another_content_or_topic_under_the_same_id_is_let_through_and_counted() -> None:
    duplicates = Duplicates(10.0, Clock().seconds)
    found = duplicates.fresh([message(1), message(1, body=b"[]"), message(1, topic="c"), message(1, body=b"[]")])
    assert len(found) == 3
    assert (duplicates.duplicates, duplicates.collisions) == (1, 2)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'{"i":1,"msg":{"b":[1.0,null],"a":"\\u00e9"}}', b'{"msg": {"a": "\xc3\xa9", "b": [1.0, null]},\n "i": 1}'),
        (b'{"a":NaN,"b":"\\ud800"}', b'{"b": "\\ud800", "a": NaN}'),
        (b'{"a":1e16,"b":1e999}', b'{"b": Infinity, "a": 1e+16}'),
    ],
)
def test_a_copy_that_a_relay_has_written_anew_is_known_again(one: bytes, other: bytes) -> None:
    duplicates = Duplicates(10.0, Clock().seconds)
    assert len(duplicates.fresh([message(1, body=one), message(1, body=other)])) == 1
    assert (duplicates.duplicates, duplicates.collisions) == (1, 0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'{"a":1}', b'{"a":1.0}'),
        (b'{"a":1,"crypto":"x509"}', b'{"a":1}'),
        (b'{"a":" "}', b'{"a":""}'),
        (b"a b", b"a  b"),
        (b'{"a":[1,2]}', b'{"a":[2,1]}'),
    ],
)
def test_what_says_something_else_is_no_copy(one: bytes, other: bytes) -> None:
    duplicates = Duplicates(10.0, Clock().seconds)
    assert len(duplicates.fresh([message(1, body=one), message(1, body=other)])) == 2
    assert (duplicates.duplicates, duplicates.collisions) == (0, 1)


def test_after_the_window_it_is_new_again() -> None:
    clock = Clock()
    duplicates = Duplicates(10.0, clock.seconds)
    duplicates.fresh([message(1)])
    clock.advance(9.9)
    assert duplicates.fresh([message(1)]) == []
    clock.advance(0.1)
    assert ids(duplicates.fresh([message(1)])) == ["1"]
    assert duplicates.collisions == 0


def test_the_window_is_the_same_however_long_the_machine_runs() -> None:
    clock = Clock()
    clock.advance(1_000_000.0)
    duplicates = Duplicates(10.0, clock.seconds)
    duplicates.fresh([message(1)])
    clock.advance(9.9)
    assert duplicates.fresh([message(1)]) == []


def test_an_id_collides_until_its_last_content_is_forgotten() -> None:
    clock = Clock()
    duplicates = Duplicates(10.0, clock.seconds)
    for number in range(3):
        duplicates.fresh([message(1, body=b"%d" % number)])
        clock.advance(4.0)
    assert duplicates.collisions == 2
    duplicates.fresh([message(1, body=b"x")])  # two are left of the three
    assert duplicates.collisions == 3
    clock.advance(30.0)
    duplicates.fresh([message(1, body=b"y")])
    assert duplicates.collisions == 3


def test_a_topic_that_utf_8_can_not_write_is_taken() -> None:
    duplicates = Duplicates(10.0, Clock().seconds)
    assert len(duplicates.fresh([message(1, topic="a\ud800"), message(1, topic="a\ud800")])) == 1


def test_no_more_than_the_limit_is_remembered() -> None:
    duplicates = Duplicates(10.0, Clock().seconds, limit=3)
    duplicates.fresh([message(n) for n in range(5)])
    duplicates.fresh([])
    assert ids(duplicates.fresh([message(n) for n in range(5)])) == ["0", "1"]
    assert len(duplicates._seen) <= 5
    assert set(duplicates._contents) == {key[0] for key in duplicates._seen}


def test_to_forget_one_costs_the_same_however_many_were_forgotten_before() -> None:
    clock, count = Clock(), 100_000
    duplicates = Duplicates(float(count), clock.seconds)
    for number in range(count):
        duplicates.fresh([message(number)])
        clock.advance(1.0)
    costs = []
    for _ in range(50):
        began = time.thread_time()
        for _ in range(count // 50):
            clock.advance(1.0)
            duplicates.fresh([])
        costs.append(time.thread_time() - began)
    assert duplicates._seen == {}
    assert min(costs[-10:]) < 4 * min(costs[:10])


def test_topics_that_differ_only_far_behind_are_two() -> None:
    duplicates = Duplicates(10.0, Clock().seconds)
    assert len(duplicates.fresh([message(1, topic="a" * 100 + end) for end in "xy"])) == 2


def test_the_places_of_the_first_copy_are_known_once_it_has_some() -> None:
    duplicates, placements, queue = Duplicates(10.0, Clock().seconds), Placements(), make_queue(lambda: 0.0)
    assert ids(duplicates.fresh([message(1), message(2)], placements)) == ["1", "2"]
    assert ids(duplicates.fresh([message(2), message(3)], Placements())) == ["3"]
    assert duplicates.first_of(message(2)) == []
    placements.add(queue, 7, range(2))
    assert [duplicates.first_of(message(number)) for number in (1, 2, 3)] == [[(queue, 7)], [(queue, 8)], []]
    assert duplicates.first_of(message(4)) == []


def test_places_are_counted_among_the_fresh_ones_alone() -> None:
    duplicates, placements, queue = Duplicates(10.0, Clock().seconds), Placements(), make_queue(lambda: 0.0)
    duplicates.fresh([message(1)])
    duplicates.fresh([message(1), message(2)], placements)
    placements.add(queue, 7, range(1))
    assert duplicates.first_of(message(1)) == []
    assert duplicates.first_of(message(2)) == [(queue, 7)]


def test_the_first_copy_is_known_with_its_queues_and_positions() -> None:
    duplicates, placements, queue = Duplicates(10.0, Clock().seconds), Placements(), make_queue(Clock().seconds)
    duplicates.fresh([message(1), message(2)], placements)
    placements.add(queue, 7, [0, 1])
    assert duplicates.first_of(message(2)) == [(queue, 8)]
    duplicates.fresh([message(3)])
    assert (duplicates.first_of(message(3)), duplicates.first_of(message(4))) == ([], [])
