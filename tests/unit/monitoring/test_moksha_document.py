"""The document in moksha's words; its keys and types were taken from moksha.hub 1.5.17's own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.monitoring.moksha_document import MOST_TIMES, Publications
from hub.stats.histogram import Histogram, fine
from tests.unit.monitoring.snapshots import consumer, snapshot

KEYS = ["name", "module", "topic", "initialized", "exceptions", "jsonify", "backlog"]
KEYS += ["headcount_out", "headcount_in", "times"]
PRODUCER_KEYS = ["name", "module", "initialized", "exceptions", "frequency", "now", "last_ran"]


def published(*rows: dict[str, Any]) -> dict[str, Any]:
    """What the last of these says."""
    publications = Publications(5.0)
    documents = [publications.document(snapshot(slow=row)) for row in rows]
    said: dict[str, Any] = json.loads(json.dumps(documents[-1]))["consumers"][0]
    return said


def test_the_keys_are_mokshas_and_545_behind_of_which_one_is_in_hand_are_544() -> None:
    document = Publications(5.0).document(snapshot())
    (said,) = document["consumers"]
    assert list(said) == KEYS
    assert (said["name"], said["module"], said["topic"]) == ("slow", "hub.consumers.slow", "org.example.#")
    assert (said["backlog"], said["initialized"], said["jsonify"]) == (544, True, True)


def test_the_producer_that_the_checks_ask_for_is_there() -> None:
    (producer,) = Publications(5.0).document(snapshot())["producers"]
    assert list(producer) == PRODUCER_KEYS
    assert (producer["name"], producer["initialized"], producer["exceptions"]) == ("MonitoringProducer", True, 0)
    assert (producer["frequency"], producer["last_ran"]) == (5.0, 1_700_000_000.0)


def test_counts_are_since_the_last_document() -> None:
    first = consumer()
    second = consumer(received=640, finished=70, retried=3, dead=2, in_flight=2, failed=5)
    assert published(first, second)["headcount_in"] == 40
    assert published(first, second)["headcount_out"] == 20 + 1 + 1 + 1
    assert published(first, second)["exceptions"] == 2
    again = published(first, second, second)
    assert (again["headcount_in"], again["headcount_out"], again["exceptions"], again["times"]) == (0, 0, 0, [])


def test_nothing_is_new_in_the_first_document() -> None:
    said = published(consumer())
    assert (said["headcount_in"], said["headcount_out"], said["exceptions"], said["times"]) == (0, 0, 0, [])


def test_a_queue_that_began_anew_is_not_negative() -> None:
    fewer = consumer(received=1, finished=0, retried=0, dead=0, failed=0, consume_buckets=[])
    said = published(consumer(), fewer)
    assert (said["headcount_in"], said["headcount_out"], said["exceptions"], said["times"]) == (0, 0, 0, [])


def test_the_times_are_those_of_the_calls_since() -> None:
    before = consumer(consume_buckets=[[0.05, 1], [0.4, 5]])
    after = consumer(consume_buckets=[[0.05, 2], [0.2, 2], [0.4, 6]])
    assert published(before, after)["times"] == [0.05, 0.2, 0.2, 0.4]


def test_a_time_is_told_within_a_tenth() -> None:
    taken = Histogram()
    taken.add(0.02)
    after = consumer(consume_buckets=[*consumer()["consume_buckets"], *fine(taken.counts)])
    assert published(consumer(), after)["times"] == [pytest.approx(0.02, rel=0.1)]


def test_too_many_times_are_thinned_but_the_longest_is_kept() -> None:
    after = consumer(consume_buckets=[[0.05, 300_000], [0.2, 99_999], [0.4, 1]])
    times = published(consumer(consume_buckets=[]), after)["times"]
    assert MOST_TIMES <= len(times) <= MOST_TIMES + 3
    assert [times.count(middle) for middle in sorted(set(times))] == [0.75 * MOST_TIMES, 0.25 * MOST_TIMES, 1]


@pytest.mark.parametrize("kept", [None, []])
def test_where_no_times_are_known_none_are_told(kept: Any) -> None:
    assert published(consumer(), consumer(consume_buckets=kept))["times"] == []


@pytest.mark.parametrize(
    ("changes", "module"),
    [
        ({"class": "_hubbub_0123abc:Mine", "type": "/etc/hubbub/consumers/mine.py:Mine"}, "mine"),
        ({"class": None, "type": "slow"}, "slow"),
        ({"class": None, "type": None}, ""),
    ],
)
def test_a_consumer_whose_class_is_not_known_has_a_module_all_the_same(changes: dict[str, Any], module: str) -> None:
    assert published(consumer(**changes))["module"] == module


@pytest.mark.parametrize("state", ["starting", "failing to start", "orphan", "stopped"])
def test_the_backlog_of_one_that_does_not_run_is_told(state: str) -> None:
    said = published(consumer(state=state, topics=["a.#", "b"]))
    assert (said["initialized"], said["backlog"], said["topic"]) == (False, 544, ["a.#", "b"])
