from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from hub.backends.stomp.frame import ProtocolError
from hub.backends.stomp.heartbeat import NONE, Beats, HeartBeat


@pytest.mark.parametrize(
    ("header", "beats"),
    [(None, NONE), ("", NONE), ("0,0", NONE), ("1500,700", Beats(1500, 700)), ("10000, 10000", Beats(10000, 10000))],
)
def test_a_header(header: str | None, beats: Beats) -> None:
    assert Beats.parse(header) == beats


@pytest.mark.parametrize("header", ["1", "a,b", "1,2,3", "-1,0", "1.5,2", ",", "1,", "9" * 19 + ",0", "\u0661,1"])
def test_a_header_that_is_no_two_numbers(header: str) -> None:
    with pytest.raises(ProtocolError, match="expected two numbers of milliseconds, such as '10000,10000'"):
        Beats.parse(header)


@pytest.mark.parametrize(
    ("ours", "theirs", "agreed"),
    [
        (Beats(1000, 1000), Beats(1500, 700), Beats(1000, 1500)),
        (Beats(1000, 1000), Beats(0, 5000), Beats(5000, 0)),
        (Beats(1000, 1000), Beats(5000, 0), Beats(0, 5000)),
        (Beats(0, 1000), Beats(5000, 5000), Beats(0, 5000)),
        (Beats(1000, 1000), NONE, NONE),
        (Beats(1000, 1000), Beats(10**17, 10**17), NONE),
    ],
)
def test_what_two_sides_agree_on(ours: Beats, theirs: Beats, agreed: Beats) -> None:
    assert ours.agree(theirs) == agreed


MILLISECONDS = st.integers(0, 10**9)
BEATS = st.builds(Beats, MILLISECONDS, MILLISECONDS)


@given(ours=BEATS, theirs=BEATS)
def test_the_other_side_finds_the_same_in_the_answer(ours: Beats, theirs: Beats) -> None:
    agreed = ours.agree(theirs)
    assert theirs.agree(Beats.parse(str(agreed))) == (agreed.expect, agreed.send)


class Bench:
    def __init__(self, send: int = 0, expect: int = 0) -> None:
        self.clock: Any = Clock()
        self.beats: list[float] = []
        self.silences: list[float] = []
        self.heart = HeartBeat(
            self.clock, Beats(send, expect), lambda: self.beats.append(self.clock.seconds()), self.silences.append
        )
        self.heart.start()

    def run(self, seconds: float) -> None:
        self.clock.pump([0.25] * int(seconds * 4))


def test_beats_come_by_the_clock_twice_an_interval() -> None:
    bench = Bench(send=4000)
    bench.run(7)
    assert bench.beats == [2.0, 4.0, 6.0]


def test_a_peer_that_sends_is_not_silent() -> None:
    bench = Bench(expect=2000)
    for _ in range(20):
        bench.run(3.75)
        bench.heart.heard()
    assert bench.silences == []


def test_a_peer_is_silent_after_two_intervals_and_that_is_told_once() -> None:
    bench = Bench(expect=2000)
    bench.run(1)
    bench.heart.heard()
    bench.run(3.75)
    assert bench.silences == []
    bench.run(20)
    assert bench.silences == [4.25]  # looked at each quarter of a second


def test_who_wants_no_beats_is_never_silent_and_gets_none() -> None:
    bench = Bench()
    bench.run(1000)
    assert bench.silences == bench.beats == []
    assert bench.clock.getDelayedCalls() == []


def test_what_came_while_the_reactor_stood_still_counts() -> None:
    bench = Bench(expect=2000)
    bench.clock.advance(60)  # the timers of a reactor run before it reads
    bench.heart.heard()
    bench.run(3.75)
    assert bench.silences == []


def test_the_time_in_which_nothing_is_read_does_not_count() -> None:
    bench = Bench(expect=2000)
    bench.heart.pause()
    bench.run(60)
    bench.heart.resume()
    bench.run(3.75)
    assert bench.silences == []
    bench.run(1)
    assert len(bench.silences) == 1


@pytest.mark.parametrize("seconds", [0, 1, 30])
def test_a_stop_leaves_no_timer(seconds: int) -> None:
    bench = Bench(send=1000, expect=2000)
    bench.run(seconds)
    bench.heart.stop()
    assert bench.clock.getDelayedCalls() == []
    bench.heart.resume()
    assert bench.clock.getDelayedCalls() == []
