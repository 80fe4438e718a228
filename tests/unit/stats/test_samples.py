"""What flowed between samples."""

from __future__ import annotations

import pytest

from hub.stats.samples import COARSE, Sample, flow, grown, longest


def samples(*counts: tuple[int, int], in_flight: int = 0, delayed: int = 0) -> list[Sample]:
    """One a second, with so many received and settled."""
    return [Sample(float(at), came, done, 0.0, in_flight, delayed) for at, (came, done) in enumerate(counts)]


def test_what_flowed_is_a_count_and_a_rate() -> None:
    found = flow(samples((0, 0), (4, 1), (8, 2)), "entered")
    assert found is not None
    assert (found.count, found.seconds, found.intervals, found.rate) == (8, 2.0, 2, 4.0)


def test_nothing_flows_between_fewer_than_two_samples() -> None:
    assert flow([], "entered") is None
    assert flow(samples((5, 5)), "worked") is None


def test_what_flows_evenly_is_known_to_a_message_and_what_comes_in_lumps_is_not() -> None:
    even, lumps = (
        flow(samples(*((n, 0) for n in range(11))), "entered"),
        flow(samples((0, 0), (8, 0), (8, 0)), "entered"),
    )
    assert even is not None
    assert lumps is not None
    assert even.variance == COARSE
    assert lumps.variance == pytest.approx(64.0)


def test_those_are_found_before_which_a_count_has_grown() -> None:
    taken = samples((0, 0), (1, 0), (1, 1), (2, 1))
    assert [sample.time for sample in grown(taken, "entered")] == [1.0, 3.0]
    assert [sample.time for sample in grown(taken, "worked")] == [2.0]


def test_the_longest_time_between_two() -> None:
    assert longest([1.0, 2.0, 5.0, 6.0]) == 3.0
    assert longest([1.0]) == 0.0


def test_what_is_in_hand_does_not_wait() -> None:
    assert not samples((2, 0), in_flight=2)[0].waits
    assert samples((3, 0), in_flight=2)[0].waits


def test_it_is_stalled_while_only_retries_wait() -> None:
    assert samples((3, 0), in_flight=2, delayed=1)[0].stalled
    assert not samples((4, 0), in_flight=2, delayed=1)[0].stalled
    assert not samples((2, 0), in_flight=2)[0].stalled
