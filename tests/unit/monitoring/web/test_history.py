"""All queues' numbers over time, and their spikes, in the tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.monitoring.web import history
from hub.monitoring.web.history import (
    MOST_QUEUES,
    MOST_SPIKES,
    TIERS,
    Growth,
    Tier,
    add_samples,
    lasting_spikes,
    names,
    put_spikes,
    spikes_of,
    view,
)
from hub.monitoring.web.history_file import in_memory
from hub.monitoring.web.spikes import Spike

SMALL = (Tier(1, 10), Tier(5, 6), Tier(20, 4))
START = 1_000_000.0


def row(backlog: int, received: int = 0) -> dict[str, int]:
    return {"backlog": backlog, "received": max(backlog, received)}


class Bench:
    """A history in memory, of small tiers, that is written once a second."""

    def __init__(self) -> None:
        self.life = ExitStack()
        self.tables = self.life.enter_context(in_memory())
        self.growth = Growth()
        self.time = START

    def sample(self, time: float, moment: float, consumers: dict[str, dict[str, int]]) -> None:
        self.time = time
        add_samples(self.tables, self.growth.samples(time, moment, consumers), SMALL)

    def view(self, span: int, name: str | None = None) -> Any:
        document = view(self.tables, span, self.time, name, SMALL)
        assert document is not None
        return msgspec.json.decode(document)

    def column(self, span: int, key: str = "backlog", name: str = "c") -> list[Any]:
        found: list[Any] = self.view(span, name)["consumers"][name][key]
        return found

    def names(self) -> list[str]:
        return names(self.tables)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    with made.life:
        yield made


def test_the_last_seconds_are_kept_one_by_one(bench: Bench) -> None:
    for second in range(15):
        bench.sample(START + second + 0.5, float(second), {"c": row(second)})
    shown = bench.view(10, "c")
    assert (shown["step"], shown["start"]) == (1, START + 5)
    assert shown["consumers"]["c"]["backlog"] == list(range(5, 15))
    assert bench.column(3) == [12, 13, 14]


def test_longer_spans_have_the_mean_and_the_highest(bench: Bench) -> None:
    for second in range(20):
        bench.sample(START + second + 0.5, float(second), {"c": row(second)})
    shown = bench.view(30, "c")
    assert (shown["step"], shown["start"]) == (5, START - 10)
    assert shown["consumers"]["c"]["backlog"] == [None, None, 2, 7, 12, 17]
    assert shown["consumers"]["c"]["backlog_max"] == [None, None, 4, 9, 14, 19]


def test_a_bucket_holds_mean_highest_and_rates(bench: Bench) -> None:
    for second, (backlog, received) in enumerate([(10, 10), (20, 40), (0, 42), (0, 44), (1, 45)]):
        bench.sample(START + second, float(second), {"c": row(backlog, received)})
    assert bench.view(11, "c")["consumers"]["c"] == {
        "backlog": [None, None, 6.2],
        "backlog_max": [None, None, 20],
        "rate_in": [None, None, 8.75],
        "rate_out": [None, None, 11],
    }


def test_a_span_that_is_longer_than_all_gets_what_there_is(bench: Bench) -> None:
    bench.sample(START, 0.0, {"c": row(5)})
    assert bench.view(10**9, "c")["step"] == 20
    assert len(bench.column(10**9)) == 4


def test_rates_are_of_the_counters_and_differ_by_the_backlogs_slope(bench: Bench) -> None:
    for second, (received, backlog) in enumerate([(0, 0), (10, 8), (30, 23), (30, 18)]):
        bench.sample(START + second, 100.0 + second, {"c": row(backlog, received)})
    assert bench.column(4, "rate_in") == [None, 10, 20, 0]
    assert bench.column(4, "rate_out") == [None, 2, 5, 5]


def test_rates_go_by_the_clock_that_does_not_jump(bench: Bench) -> None:
    bench.sample(START, 10.0, {"c": row(0, 0)})
    bench.sample(START + 1, 14.0, {"c": row(0, 40)})
    assert bench.column(1, "rate_in") == [10]


def test_counters_that_fell_give_no_rate(bench: Bench) -> None:
    bench.sample(START, 0.0, {"c": row(0, 100)})
    bench.sample(START + 1, 1.0, {"c": row(0, 5)})
    assert bench.column(2, "rate_in") == [None, None]


def test_a_queue_that_was_gone_for_a_while_gives_no_rate_of_that(bench: Bench) -> None:
    for second, consumers in enumerate([{"c": row(0, 5)}, {}, {"c": row(0, 9)}, {"c": row(0, 12)}]):
        bench.sample(START + second, float(second), consumers)
    assert bench.column(4, "rate_in") == [None, None, None, 3]


def test_seconds_without_a_sample_are_a_gap(bench: Bench) -> None:
    for second in (0, 1, 5):
        bench.sample(START + second, float(second), {"c": row(second)})
    assert bench.column(6) == [0, 1, None, None, None, 5]


def test_a_clock_that_is_set_back_and_forward_again_harms_only_what_it_comes_by(bench: Bench) -> None:
    for moment, second in enumerate([0, 1, 2, 3, 500, 501, 4, 5]):
        bench.sample(START + second, float(moment), {"c": row(moment + 1)})
    # The slots of the seconds 500 and 501 are those of 0 and 1.
    assert bench.column(6) == [None, None, 3, 4, 7, 8]
    for moment, second in enumerate([-3, -2]):
        bench.sample(START + second, 8.0 + moment, {"c": row(70)})
    assert bench.column(2) == [70, 70]


def test_samples_that_waited_are_the_same_as_if_each_had_been_written_at_once(bench: Bench) -> None:
    """Over a jump of the clock, too."""
    at_once, growth, waiting = bench, Growth(), list[history.Sample]()
    late = Bench()
    for moment, second in enumerate([*range(25), 500, 501, 7, *range(25, 40)]):
        consumers = {"c": row(second * second, 7 * moment * moment), "d": row(moment)}
        at_once.sample(START + second, float(moment), consumers)
        waiting += growth.samples(START + second, float(moment), consumers)
    add_samples(late.tables, waiting, SMALL)
    late.time = at_once.time
    with late.life:
        for span in (10, 30, 80):
            assert late.view(span) == at_once.view(span)


def test_a_queue_that_is_gone_ages_out(bench: Bench) -> None:
    bench.sample(START, 0.0, {"old": row(1), "c": row(1)})
    for second in range(20, 121, 20):
        bench.sample(START + second, float(second), {"c": row(1)})
        assert ("old" in bench.names()) == (second <= 80)


def test_queues_are_bounded_and_one_that_is_gone_makes_room(bench: Bench) -> None:
    live = {str(number): row(1) for number in range(MOST_QUEUES + 5)}
    bench.sample(START, 0.0, live)
    bench.sample(START + 1, 1.0, live)
    assert bench.names() == [str(number) for number in range(MOST_QUEUES)]
    bench.sample(START + 5, 5.0, {"new": row(1)})
    assert len(bench.names()) == MOST_QUEUES
    assert "new" in bench.names()


def test_a_queue_that_comes_again_has_nothing_of_one_that_was_forgotten(bench: Bench) -> None:
    bench.sample(START, 0.0, {"c": row(7)})
    bench.sample(START + 100, 100.0, {})
    bench.sample(START + 100, 100.0, {"d": row(1)})
    assert bench.names() == ["d"]
    bench.sample(START + 1, 101.0, {"c": row(8)})
    assert bench.column(2) == [None, 8]


def test_the_tables_are_bounded(bench: Bench) -> None:
    for second in range(300):
        bench.sample(START + second, float(second), {"c": row(1), "d": row(2)})
    (count,) = bench.tables.execute("SELECT count(*) FROM history").fetchone()
    assert count == 2 * sum(tier.length for tier in SMALL)


def test_before_the_first_sample_there_is_nothing(bench: Bench) -> None:
    assert bench.view(600)["consumers"] == {}
    assert view(bench.tables, 600, START, "c") is None


def test_any_name_will_do(bench: Bench) -> None:
    odd = ["a/é", "<b>", 'qu"ote', "back\\slash", "a'b", "\U0001f600", "%", "line\nbreak"]
    for number in range(2):
        bench.sample(START + number, 0.0, {name: row(5) for name in odd})
    assert bench.names() == odd
    assert [bench.column(2, name=name) for name in odd] == [[5, 5]] * len(odd)


@given(st.lists(st.tuples(st.integers(-30, 60), st.integers(0, 9)), min_size=1, max_size=60), st.integers(1, 10))
def test_whatever_the_clock_does_a_bucket_is_what_was_seen_in_it_last_or_a_gap(
    samples: list[tuple[int, int]], portion: int
) -> None:
    bench, made = Bench(), list[history.Sample]()
    places: dict[int, tuple[int, list[int]]] = {}
    for moment, (second, backlog) in enumerate(samples):
        made += bench.growth.samples(START + second, float(moment), {"c": row(backlog)})
        found, seen = places.get(second % 10, (second, []))
        places[second % 10] = (second, [*seen, backlog] if found == second else [backlog])
    for start in range(0, len(made), portion):
        add_samples(bench.tables, made[start : start + portion], SMALL)
    bench.time = START + samples[-1][0]
    expected = [
        sum(places[second % 10][1]) / len(places[second % 10][1])
        if places.get(second % 10, (None,))[0] == second
        else None
        for second in range(samples[-1][0] - 9, samples[-1][0] + 1)
    ]
    with bench.life:
        assert bench.column(10) == pytest.approx(expected, abs=0.001)


def test_the_tiers_reach_from_seconds_to_a_month() -> None:
    assert [tier.span for tier in TIERS] == [600, 6 * 3600, 2 * 86400, 30 * 86400]


def test_a_spike_that_is_put_again_takes_its_own_place(bench: Bench) -> None:
    for spike in (Spike(1.0, 100, 2.0), Spike(1.0, 200, 2.0, 9.0)):
        put_spikes(bench.tables, [("c", spike)])
    assert spikes_of(bench.tables, "c") == [Spike(1.0, 200, 2.0, 9.0)]
    assert spikes_of(bench.tables, "unknown") == []


def test_the_newest_spike_comes_first_and_the_oldest_goes(bench: Bench) -> None:
    put_spikes(bench.tables, [("c", Spike(float(number), 100, 1.0)) for number in range(MOST_SPIKES + 20)])
    put_spikes(bench.tables, [("d", Spike(0.0, 100, 1.0))])
    newest = [float(number) for number in range(MOST_SPIKES + 19, 19, -1)]
    assert [spike.started_at for spike in spikes_of(bench.tables, "c")] == newest
    assert len(spikes_of(bench.tables, "d")) == 1


def test_spikes_of_all_are_bounded_and_a_lasting_one_is_not_given_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "MOST_SPIKES_OF_ALL", 5)
    put_spikes(bench.tables, [("lasting", Spike(0.0, 100, 1.0))])
    for number in range(20):
        put_spikes(bench.tables, [(str(number), Spike(float(number), 100, 1.0, 2.0))])
    assert bench.tables.execute("SELECT count(*) FROM spikes").fetchone() == (6,)
    assert len(spikes_of(bench.tables, "19")) == 1
    assert lasting_spikes(bench.tables) == {"lasting": Spike(0.0, 100, 1.0)}
