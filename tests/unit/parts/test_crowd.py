"""Queues that belong to single clients have one row of the status together, with all numbers, which never fall."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.errors import HubError
from hub.parts.crowd import MOST_ROWS
from hub.stats.headline import headline
from hub.status.rows import stable
from tests.unit.parts.halls import Hall

CROWD = "more of recording"
SUMS = "stomp subscriptions"


@pytest.fixture
def crowded(hall: Hall) -> Hall:
    for number in range(MOST_ROWS + 3):
        hall.declare(f"q{number}", durable=False)
    return hall


def sample(hall: Hall) -> None:
    hall.reactor.advance(1.0)
    hall.queues.sample(hall.reactor.seconds())


def test_rows_are_bounded_and_the_numbers_of_the_others_are_summed(crowded: Hall) -> None:
    for number in range(MOST_ROWS + 3):
        crowded.put(crowded.declared.all()[f"q{number}"], 1, 2)
    sample(crowded)
    rows = crowded.rows()
    assert len(rows) == MOST_ROWS + 1
    row = rows[CROWD]
    assert (row["received"], row["backlog"], row["drained_by"], row["state"]) == (6, 6, "several", "running")
    assert [one["word"] for one in row["conditions"]] == ["running"]
    crowded.put(crowded.declared.all()[f"q{MOST_ROWS}"], 3)
    sample(crowded)
    assert (crowded.rows()[CROWD]["received"], crowded.rows()[CROWD]["rate_in"]) == (7, 3.5)


def test_its_counters_do_not_fall_when_a_queue_is_deleted(crowded: Hall) -> None:
    queue = crowded.declared.all()[f"q{MOST_ROWS}"]
    crowded.put(queue, 1, 2, 3)
    reader = crowded.reader(queue)
    first, second, _ = reader.take(9)
    reader.finish([first])
    reader.bury(second, "no")
    sample(crowded)
    assert crowded.rows()[CROWD]["dead_letters"] == 1
    queue.delete()
    sample(crowded)
    row = crowded.rows()[CROWD]
    assert (row["received"], row["finished"], row["dead"], row["backlog"]) == (3, 1, 1, 0)
    assert (row["dropped_by"]["purged"], row["dead_letters"], row["dead_lost"]) == (1, 0, 1)


def test_a_queue_keeps_its_place_as_long_as_it_is_there(crowded: Hall) -> None:
    crowded.declared.all()["q0"].delete()
    assert len(crowded.rows()) == MOST_ROWS
    assert f"q{MOST_ROWS}" not in crowded.rows()
    crowded.declare("new", durable=False)
    assert "new" in crowded.rows()


def test_each_of_them_is_found_by_its_name(crowded: Hall) -> None:
    name = f"q{MOST_ROWS + 1}"
    crowded.put(crowded.declared.all()[name], 1)
    crowded.queues.entry(name).opened.pause()
    assert crowded.queues.entry(name).opened.purge() == 1
    crowded.queues.delete(name)
    assert crowded.deleted == [name]
    with pytest.raises(HubError):
        crowded.queues.entry(CROWD)


def test_durable_ones_always_have_a_row(crowded: Hall) -> None:
    crowded.declare("durable")
    assert "durable" in crowded.rows()


# -- queues that name their crowd


def subscribe(hall: Hall, name: str, durable: bool = False, **more: Any) -> Any:
    return hall.declare(name, durable=durable, kind="subscription", crowd=SUMS, **more)


def sums(hall: Hall) -> dict[str, Any]:
    sample(hall)
    return dict(hall.rows()[SUMS])


def test_exporters_are_shown_the_sums_and_people_the_queues_too(hall: Hall) -> None:
    hall.put(subscribe(hall, "one"), 1, 2, 3)
    hall.put(subscribe(hall, "two", durable=True), 4)
    hall.declare("jobs")
    hall.declare("plain", durable=False)
    row = sums(hall)
    told = [row[key] for key in ("received", "backlog", "queues", "largest_backlog", "declared", "summed_in")]
    assert told == [4, 4, 2, 3, True, None]
    rows = hall.rows()
    assert {name: one["summed_in"] for name, one in rows.items()} == {
        **dict.fromkeys(("jobs", "plain", SUMS), None),
        **dict.fromkeys(("one", "two"), SUMS),
    }
    assert set(stable(rows)) == {"jobs", "plain", SUMS}
    assert "queues" not in rows["jobs"]


def test_names_that_are_exported_stay_and_counters_grow_while_clients_come_and_go(hall: Hall) -> None:
    subscribe(hall, "first")
    names, before = set(stable(hall.rows())), sums(hall)
    for number in range(MOST_ROWS + 20):
        queue = subscribe(hall, f"subscriber-{number}")
        hall.put(queue, 1, 2, 3)
        reader = hall.reader(queue)
        first, second, _ = reader.take(3)
        reader.finish([first])
        reader.retry(second, 1.0)
        if number % 2:
            sample(hall)
        queue.delete()
        row = sums(hall)
        grown = {key: row[key] - before[key] for key in ("received", "finished", "retried", "dropped", "backlog")}
        assert grown == {"received": 3, "finished": 1, "retried": 1, "dropped": 2, "backlog": 0}
        assert set(stable(hall.rows())) == names
        before = row


def test_the_sums_of_one_queue_are_its_numbers_whatever_happens_to_it(hall: Hall) -> None:
    queue = subscribe(hall, "one")
    reader = hall.reader(queue)

    def agree(**expected: int) -> None:
        row, own = sums(hall), hall.rows()["one"]
        keys = ("backlog", "in_flight", "delayed", "oldest_age", "received", "retried", "dead", "dropped_by")
        assert {key: row[key] for key in keys} == {key: own[key] for key in keys}  # type: ignore[literal-required]
        assert {key: row[key] for key in expected} == expected

    agree(backlog=0)
    hall.put(queue, 1, 2, 3)
    agree(backlog=3, in_flight=0)
    taken = reader.take(2)
    for _ in range(2):
        agree(backlog=3, in_flight=2)
    reader.give_back(taken, delivered=False)
    agree(backlog=3, in_flight=0)
    first, second = reader.take(2)
    reader.retry(first, 60.0)
    agree(in_flight=1, retried=1)
    reader.bury(second, "no")
    agree(in_flight=0, dead=1, dead_letters=1)
    hall.queues.entry("one").opened.purge()
    agree(backlog=0, delayed=0)
    hall.put(queue, 4)
    reader.finish(reader.take(1))
    agree(backlog=0, delayed=0, finished=1)


def test_counters_begin_with_the_hub_and_what_waits_counts_as_received(open_hall: Callable[..., Hall]) -> None:
    first = open_hall()
    queue = subscribe(first, "mine", durable=True)
    first.put(queue, 1, 2, 3)
    first.commit()
    reader = first.reader(queue)
    reader.finish(reader.take(1))
    first.commit()
    first.kill()
    second = open_hall()
    row = sums(second)
    assert [row[key] for key in ("received", "finished", "backlog", "queues")] == [2, 0, 2, 1]
    assert second.rows()["mine"]["finished"] == 1


def test_a_queue_that_is_declared_for_another_crowd_changes_rows(hall: Hall) -> None:
    hall.put(hall.declare("one", kind="subscription"), 1, 2)
    assert SUMS not in hall.rows()
    subscribe(hall, "one", durable=True)
    assert [sums(hall)[key] for key in ("backlog", "queues")] == [2, 1]
    hall.declare("one")
    assert [sums(hall)[key] for key in ("received", "backlog", "queues")] == [2, 0, 0]
    assert hall.rows()["one"]["summed_in"] is None


def test_the_sums_are_no_queue(hall: Hall) -> None:
    subscribe(hall, "one")
    with pytest.raises(HubError, match="'stomp subscriptions' are the sums of several queues: name one of them"):
        hall.queues.entry(SUMS)


def test_a_slow_subscriber_is_a_warning_and_nothing_for_the_headline(hall: Hall) -> None:
    limits = {"max_backlog": 2, "overflow": "drop_oldest"}
    slow, shared = subscribe(hall, "slow", limits=limits), hall.declare("jobs", limits=limits)
    for queue in (slow, shared):
        hall.reader(queue)
        hall.put(queue, *range(20))
    for _ in range(6):
        sample(hall)
    found = {name: [(one["word"], one["level"]) for one in row["conditions"]] for name, row in hall.rows().items()}
    assert found == {"slow": [("losing", "warn")], SUMS: [("losing", "warn")], "jobs": [("losing", "bad")]}
    assert headline(hall.rows())["consumer"] == "jobs"
    shared.delete()
    assert headline(hall.rows())["kind"] == "clear"
