"""When a backlog stood out."""

from __future__ import annotations

from typing import Any

from hub.monitoring.web.spikes import Spike, Spikes


def at(backlog: int, name: str = "c") -> dict[str, dict[str, Any]]:
    return {name: {"backlog": backlog}}


class Bench(Spikes):
    """Spikes, and what was told of each."""

    def __init__(self, begin: int) -> None:
        super().__init__(begin)
        self.told: dict[tuple[str, float], Spike] = {}

    def sample(self, *seen: Any) -> list[tuple[str, Spike]]:
        changed = super().sample(*seen)
        self.told.update({(name, spike.started_at): spike for name, spike in changed})
        return changed

    def of(self, name: str) -> list[Spike]:
        """The newest first."""
        return [spike for (queue, _), spike in sorted(self.told.items(), reverse=True) if queue == name]


def test_a_spike_has_a_start_a_peak_and_an_end() -> None:
    spikes = Bench(100)
    for time, backlog in enumerate([0, 99, 100, 545, 300, 11, 10, 0]):
        spikes.sample(float(time), at(backlog))
    assert spikes.of("c") == [Spike(2.0, 545, 3.0, 6.0)]


def test_one_that_lasts_has_no_end_yet() -> None:
    spikes = Bench(100)
    spikes.sample(1.0, at(150))
    assert spikes.of("c") == [Spike(1.0, 150, 1.0, None)]


def test_wavering_is_one_spike() -> None:
    spikes = Bench(100)
    for time in range(50):
        spikes.sample(float(time), at(101 if time % 2 else 20))
    assert len(spikes.of("c")) == 1


def test_changes_are_told_once() -> None:
    spikes = Bench(100)
    told = [len(spikes.sample(float(time), at(backlog))) for time, backlog in enumerate([0, 100, 100, 200, 150, 5, 5])]
    assert told == [0, 1, 0, 1, 0, 1, 0]


def test_a_queue_that_is_gone_has_no_spike_any_more() -> None:
    spikes = Bench(100)
    spikes.sample(1.0, at(150))
    assert [name for name, _ in spikes.sample(2.0, {})] == ["c"]
    assert spikes.of("c") == [Spike(1.0, 150, 1.0, 2.0)]
    assert spikes.sample(3.0, {}) == []


def test_a_clock_that_is_set_back_ends_none_before_it_began() -> None:
    spikes = Bench(100)
    spikes.sample(1000.0, at(150))
    spikes.sample(10.0, at(200))
    spikes.sample(11.0, at(0))
    assert spikes.of("c") == [Spike(1000.0, 200, 1000.0, 1000.0)]


def test_one_that_lasted_over_a_restart_is_the_same_one() -> None:
    spikes = Bench(100)
    spikes.restore({"c": Spike(5.0, 150, 6.0)})
    assert spikes.sample(9.0, at(150)) == []
    spikes.sample(10.0, at(160))
    spikes.sample(11.0, at(0))
    assert spikes.of("c") == [Spike(5.0, 160, 10.0, 11.0)]


def test_only_what_lasts_is_held() -> None:
    spikes = Bench(1)
    spikes.sample(0.0, at(5, "lasting"))
    for number in range(1000):
        spikes.sample(number + 1.0, {**at(5, "lasting"), **at(5, str(number))})
    assert spikes._lasting.keys() == {"lasting", "999"}
    assert len(spikes.of("999")) == 1
    assert spikes.of("lasting") == [Spike(0.0, 5, 0.0)]
