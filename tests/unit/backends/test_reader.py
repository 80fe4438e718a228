"""The reader alone, on a socket that is filled by hand: what one bad message does to the others."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any
from unittest.mock import Mock

import pytest
import zmq
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.backends.zeromq.frames import Parser
from hub.backends.zeromq.reader import FRAMES, TRUST_AFTER, Reader
from hub.message import Message
from tests.unit.backends.support import Recorder

TOPIC = b"org.test.topic"


class Faulty(Recorder):
    """An intake that fails at what it can't bury."""

    def refuse(self, message: Message, reason: str) -> None:
        raise RuntimeError("no grave: \x1b" + "x" * 999)


class Bench:
    """A reader with both ends of its socket."""

    def __init__(self, budget: int = 200) -> None:
        self.context: Any = zmq.Context()
        self.bus, self.socket = self.context.socket(zmq.PAIR), self.context.socket(zmq.PAIR)
        self.bus.bind("inproc://bus")
        self.socket.connect("inproc://bus")
        self.intake = Faulty()
        self.notices: list[str] = []
        self.parser = Parser(
            "bus", "fedmsg", 1 << 20, self.intake.refuse, lambda *notice: self.notices.append(notice[2]), "o"
        )
        self.reader = Reader(self.socket, self.parser, self.intake, lambda: 5.0, budget)

    def send(self, *bodies: bytes) -> None:
        for body in bodies:
            self.bus.send_multipart([TOPIC, body])


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.context.destroy(linger=0)


def test_a_fault_at_one_message_costs_that_one_and_no_other(bench: Bench) -> None:
    bodies = [b'{"n":%d}' % number for number in range(150)]
    sent = list(bodies)
    for place in (150, 149, 64, 63, 7, 7, 0):
        sent.insert(place, b"no json")
    bench.send(*sent)
    assert bench.reader.drain() is False
    assert bench.intake.bodies == bodies
    assert len(bench.intake.batches) == 1
    assert (bench.reader.received, bench.reader.lost) == (150, 7)


def test_a_fault_is_told_with_its_place_short_and_escaped(bench: Bench) -> None:
    bench.send(b"no json")
    bench.reader.drain()
    (line,) = (line for line in bench.notices if "internal error" in line)
    assert "RuntimeError in refuse, line " in line
    assert line.isprintable()
    assert len(line) < 400


def test_a_parser_that_fails_at_everything_loses_all_and_ends(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.parser, "parse", Mock(side_effect=RecursionError))
    bench.send(*[b"{}"] * 100)
    assert bench.reader.drain() is False
    assert (bench.reader.received, bench.reader.lost) == (0, 100)
    monkeypatch.undo()
    bench.send(b"{}")
    bench.reader.drain()
    assert bench.intake.bodies == [b"{}"]


def drains(bench: Bench) -> int:
    """How many it takes until nothing is left."""
    count = 1
    while bench.reader.drain():
        count += 1
        assert count < 1000
    return count


def test_a_message_of_very_many_frames_is_skipped_in_many_turns_and_counted_once(bench: Bench) -> None:
    bench.send(b'{"n":1}')
    bench.bus.send_multipart([TOPIC] * (20 * FRAMES))
    bench.send(b'{"n":2}')
    assert bench.reader.drain() is True
    assert bench.reader.surplus > 0
    assert bench.intake.bodies == [b'{"n":1}']
    assert not bench.parser.malformed
    assert drains(bench) >= 4
    assert bench.reader.surplus == 0
    assert bench.intake.bodies == [b'{"n":1}', b'{"n":2}']
    assert bench.parser.malformed == {"frames": 1}
    assert f"a message of {20 * FRAMES} frames" in bench.notices[0]


@pytest.mark.parametrize("frames", [3, FRAMES + 1, FRAMES + 2, FRAMES + 3, 2 * FRAMES + 2])
def test_the_message_after_it_is_whole_whatever_the_number_of_frames(bench: Bench, frames: int) -> None:
    bench.bus.send_multipart([TOPIC] * frames)
    bench.send(b"{}")
    drains(bench)
    assert bench.intake.bodies == [b"{}"]
    assert bench.parser.malformed == {"frames": 1}
    assert f"of {frames} frames" in bench.notices[0]


def good(number: int, topic: bytes = TOPIC) -> list[bytes]:
    """A message whose body names its topic."""
    return [topic, b'{"n":%d,"topic":"%s"}' % (number, topic)]


def outcome(messages: list[list[bytes]], before: int) -> tuple[list[bytes], dict[str, int], int]:
    """What a reader makes of them after so many good ones: bodies, faults, bytes."""
    bench = Bench()
    try:
        for number in range(before):
            bench.bus.send_multipart(good(number))
            if number % 100 == 99:
                drains(bench)
        drains(bench)
        size = bench.reader.bytes
        for message in messages:
            bench.bus.send_multipart(message)
        drains(bench)
        return bench.intake.bodies[before:], dict(bench.parser.malformed), bench.reader.bytes - size
    finally:
        bench.context.destroy(linger=0)


NEW = b"org.test.new"
CASES = {
    "good ones": [good(1), good(2)],
    "a new topic": [good(1), good(2, NEW), good(3)],
    "a topic that was met, alone": [good(1), [TOPIC], good(2)],
    "and before a new topic": [good(1), [TOPIC], good(2, NEW), good(3)],
    "and at the end": [good(1), [TOPIC]],
    "a new topic, alone": [good(1), [NEW], good(2)],
    "two of them": [[NEW], [NEW], good(1)],
    "an empty frame": [[b""], good(1)],
    "three frames": [good(1), [*good(2), b"x"], good(3)],
    "four frames": [[*good(1), *good(2)], good(3)],
    "many frames": [[TOPIC] * (FRAMES + 7), good(1)],
    "a body that names another topic": [[TOPIC, good(1, NEW)[1]], good(2)],
    "a body without a topic": [[TOPIC, b'{"n":1}'], [TOPIC, b"{}"], good(2)],
}


@pytest.mark.parametrize("messages", CASES.values(), ids=CASES)
def test_topics_that_are_taken_as_copies_change_nothing(messages: list[list[bytes]]) -> None:
    assert outcome(messages, TRUST_AFTER + 100) == outcome(messages, 0)


def test_a_topic_alone_before_a_message_of_many_frames_is_counted_with_it() -> None:
    bodies, malformed, _ = outcome([[TOPIC], [TOPIC] * 5, good(1)], TRUST_AFTER + 100)
    assert bodies == [good(1)[1]]
    assert malformed == {"frames": 1}


PIECES = st.one_of(
    st.builds(good, st.integers(0, 9), st.sampled_from([TOPIC, NEW])).map(lambda frames: [frames]),
    st.just([[TOPIC], good(0)]),
    st.just([[TOPIC], good(0, NEW)]),
    st.just([[b"org.test.other"]]),
    st.integers(3, 9).map(lambda count: [[TOPIC] * count]),
    st.just([[TOPIC, b'{"topic":7}']]),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(PIECES, max_size=60))
def test_nor_do_any_of_them_together(pieces: list[list[list[bytes]]]) -> None:
    messages = list(chain.from_iterable(pieces))
    assert outcome(messages, TRUST_AFTER + 100) == outcome(messages, 0)


def test_copies_are_taken_while_all_is_well_and_no_longer(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = Mock(side_effect=bench.reader._take_trusted)
    monkeypatch.setattr(bench.reader, "_take_trusted", taken)
    for number in range(TRUST_AFTER):
        bench.bus.send_multipart(good(number))
        bench.reader.drain()
    assert not taken.called
    bench.bus.send_multipart(good(0))
    bench.reader.drain()
    assert taken.called
    taken.reset_mock()
    bench.send(b'{"n":1}')
    bench.reader.drain()
    bench.bus.send_multipart(good(0))
    bench.reader.drain()
    assert taken.call_count == 1
