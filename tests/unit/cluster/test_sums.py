"""Queues of all nodes, summed by name, with the time to catch up by the rule of a single queue."""

from __future__ import annotations

from hub.cluster.sums import QueueSums
from hub.stats.rates import Rates
from tests.unit.cluster.news import WALL, A, B, queue


def test_numbers_are_summed_by_name() -> None:
    sums = QueueSums()
    mine = [queue("mail", rate_in=2.0, oldest_age=4.0, dead_letters=1), queue("irc")]
    sums.sample(0.0, {A: mine, B: [queue("mail", 20, 5, rate_in=1.0, oldest_age=9.0, paused=True)]})
    rows = sums.rows(WALL)
    assert list(rows) == ["irc", "mail"]
    mail = rows["mail"]
    assert (mail["nodes"], mail["paused_nodes"], mail["backlog"], mail["rate_in"]) == (2, 1, 21, 3.0)
    assert (mail["oldest_age"], mail["dead_letters"], mail["paused"]) == (9.0, 1, False)


def test_the_forecast_is_that_of_one_queue_with_the_same_numbers() -> None:
    sums, whole = QueueSums(), Rates()
    for step in range(20):
        now, numbers = 3.0 * step, {"in_flight": 1, "busy": 3.0 * step, "threads": 1}
        parts = [queue("mail", 6000 + 3 * step, 30 * step, **numbers), queue("mail", 3000, 60 * step, **numbers)]
        sums.sample(now, {A: [parts[0]], B: [parts[1]]})
        together = queue("mail", 9000 + 3 * step, 90 * step, in_flight=2, busy=6.0 * step)
        whole.sample(now, together.stats(), together.busy)
    row, expected = sums.rows(WALL)["mail"], whole.catch_up(together.stats(), 2)
    assert expected.trend == "catching_up"
    assert (row["trend"], row["catch_up_seconds"]) == (expected.trend, expected.seconds)
    assert row["catch_up_at"] == WALL + (expected.seconds or 0.0)
    assert row["caught_up"].startswith("in ")


def test_a_node_that_goes_makes_no_false_rate() -> None:
    sums = QueueSums()
    for step in range(10):
        sums.sample(3.0 * step, {A: [queue("mail", 1000, step)], B: [queue("mail", 90_000, step)]})
    sums.sample(30.0, {A: [queue("mail", 1000, 10)]})
    row = sums.rows(WALL)["mail"]
    assert (row["backlog"], row["trend"], row["catch_up_seconds"]) == (990, "unknown", None)


def test_a_queue_that_all_share_is_counted_once() -> None:
    sums = QueueSums()
    sums.sample(0.0, {A: [queue("jobs", 100, 40, shared=True)], B: [queue("jobs", 90, 30, shared=True)]})
    row = sums.rows(WALL)["jobs"]
    assert (row["backlog"], row["nodes"], row["shared"]) == (60, 2, True)


def test_the_end_of_a_pause_is_not_known() -> None:
    sums = QueueSums()
    for step in range(10):
        sums.sample(3.0 * step, {A: [queue("mail", 1000, 10 * step, paused=True)]})
    row = sums.rows(WALL)["mail"]
    assert (row["paused"], row["catch_up_seconds"], row["caught_up"]) == (True, None, "paused")


def test_queues_that_are_gone_are_forgotten() -> None:
    sums = QueueSums()
    sums.sample(0.0, {A: [queue("mail")]})
    sums.sample(3.0, {A: []})
    assert sums.rows(WALL) == {}
