"""When a backlog stood out."""

from __future__ import annotations

from typing import Any

from hub.monitoring.web.spikes import MOST, MOST_QUEUES, Spike, Spikes


def at(backlog: int, name: str = "c") -> dict[str, dict[str, Any]]:
    return {name: {"backlog": backlog}}


def test_a_spike_has_a_start_a_peak_and_an_end() -> None:
    spikes = Spikes(100)
    for time, backlog in enumerate([0, 99, 100, 545, 300, 11, 10, 0]):
        spikes.sample(float(time), at(backlog))
    assert spikes.of("c") == [Spike(2.0, 545, 3.0, 6.0)]


def test_one_that_lasts_has_no_end_yet() -> None:
    spikes = Spikes(100)
    spikes.sample(1.0, at(150))
    assert spikes.of("c") == [Spike(1.0, 150, 1.0, None)]


def test_wavering_is_one_spike() -> None:
    spikes = Spikes(100)
    for time in range(50):
        spikes.sample(float(time), at(101 if time % 2 else 20))
    assert len(spikes.of("c")) == 1


def test_changes_are_told_once() -> None:
    spikes = Spikes(100)
    told = [len(spikes.sample(float(time), at(backlog))) for time, backlog in enumerate([0, 100, 100, 200, 150, 5, 5])]
    assert told == [0, 1, 0, 1, 0, 1, 0]


def test_the_newest_comes_first_and_the_oldest_goes() -> None:
    spikes = Spikes(1)
    for time in range(0, 2 * MOST + 20, 2):
        spikes.sample(float(time), at(5))
        spikes.sample(time + 1.0, at(0))
    found = spikes.of("c")
    assert len(found) == MOST
    assert found[0].started_at == 2 * MOST + 18
    assert found[-1].started_at == 20


def test_a_queue_that_is_gone_has_no_spike_any_more() -> None:
    spikes = Spikes(100)
    spikes.sample(1.0, at(150))
    assert [name for name, _ in spikes.sample(2.0, {})] == ["c"]
    assert spikes.of("c") == [Spike(1.0, 150, 1.0, 2.0)]
    assert spikes.sample(3.0, {}) == []


def test_a_clock_that_is_set_back_ends_none_before_it_began() -> None:
    spikes = Spikes(100)
    spikes.sample(1000.0, at(150))
    spikes.sample(10.0, at(200))
    spikes.sample(11.0, at(0))
    assert spikes.of("c") == [Spike(1000.0, 200, 1000.0, 1000.0)]


def test_one_that_lasted_over_a_restart_is_the_same_one() -> None:
    spikes = Spikes(100)
    spikes.restore([("c", Spike(1.0, 50, 2.0, 3.0)), ("c", Spike(5.0, 150, 6.0))])
    spikes.sample(10.0, at(160))
    spikes.sample(11.0, at(0))
    assert spikes.of("c") == [Spike(5.0, 160, 10.0, 11.0), Spike(1.0, 50, 2.0, 3.0)]


def test_queues_are_bounded_and_a_lasting_spike_is_not_given_up() -> None:
    spikes = Spikes(1)
    spikes.sample(0.0, at(5, "lasting"))
    for number in range(2 * MOST_QUEUES):
        spikes.sample(number + 1.0, {**at(5, "lasting"), **at(5, str(number))})
    assert len(spikes._spikes) == MOST_QUEUES
    assert len(spikes.of("lasting")) == 1
    assert len(spikes.of(str(2 * MOST_QUEUES - 1))) == 1
    assert spikes.of("unknown") == []
