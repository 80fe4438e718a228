"""What can't be inserted is refused by name."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.jobs.checks import (
    check_key,
    coalescing,
    encoded,
    filled,
    progress_text,
    queue_limits,
    result_text,
    step_name,
    template,
)
from hub.jobs.errors import BadJob
from hub.jobs.job import ClaimLimits, Coalescing, JobState, NewJob, Unique

GOOD: dict[str, Any] = {
    "queues": None,
    "conflict": "keep",
    "run_after": None,
    "priority": 4,
    "max_retries": 25,
    "tags": [],
}


def made(queue: Any = "q", body: object = None, key: Any = None, **changed: Any) -> NewJob:
    return filled(template(queue, **(GOOD | changed)), body, key, 100)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"queue": ""}, "a queue's name is a text"),
        ({"queue": 3}, "a queue's name is a text"),
        ({"queue": "q" * 201}, "201 characters"),
        ({"queue": "a\0b"}, "can't be printed"),
        ({"queue": "\ud800"}, "can't be printed"),
        ({"body": object()}, "queue 'q': the body can't be encoded"),
        ({"body": float("nan")}, "can't be encoded"),
        ({"body": "\ud800"}, "can't be encoded"),
        ({"body": b"x" * 101}, "queue 'q': the body has 101 bytes, more than 100"),
        ({"key": ""}, "a key is a text"),
        ({"key": "k" * 501}, "501 characters"),
        ({"lock": ""}, "a lock is a text"),
        ({"coalesce": ""}, "coalesce is a text"),
        ({"coalesce": "c" * 501}, "501 characters"),
        (
            {"unique": "forever"},
            "unique is one of waiting, unfinished, kept, unfinished-or-dead, kept-or-dead, not 'forever'",
        ),
        ({"conflict": "fail"}, "conflict is one of keep, replace, debounce, not 'fail'"),
        ({"unique": ["waiting", "running"]}, "not running, waiting"),
        ({"unique": []}, "not none"),
        ({"unique": ["waiting", "delayed", "finished"]}, "not delayed, finished, waiting"),
        ({"unique": ["for ever"]}, "a state of unique is one of"),
        ({"unique": 3}, "unique is one of"),
        ({"conflict": "debounce", "max_wait": 5}, "needs run_after"),
        ({"conflict": "debounce", "run_after": 5}, "needs run_after"),
        ({"conflict": "debounce", "run_after": 5, "max_wait": 4}, "max_wait is shorter"),
        ({"conflict": "debounce", "run_after": 5, "max_wait": "soon"}, "max_wait: expected a duration"),
        ({"conflict": "debounce", "run_after": datetime(2027, 1, 1, tzinfo=UTC), "max_wait": 5}, "needs run_after"),
        ({"max_wait": 5}, "max_wait is for conflict='debounce' alone"),
        ({"priority": 10}, "priority is a whole number from 0 to 9, not 10"),
        ({"priority": True}, "priority is a whole number"),
        ({"max_retries": -1}, "max_retries is a whole number from 0"),
        ({"run_after": "soon"}, "run_after: expected a duration"),
        ({"run_after": -1}, "run_after: expected a duration"),
        ({"run_after": datetime(2027, 1, 1)}, "run_after has no zone"),
        ({"run_after": 1e12}, "more than ten years"),
        ({"run_after": datetime.max.replace(tzinfo=UTC)}, "queue 'q': run_after is not before the year 3000"),
        ({"run_afer": 5}, "queue 'q': there is no option 'run_afer'; did you mean 'run_after'?"),
        ({"Shoe": 5}, "there is no option 'Shoe'"),
        ({"tags": "abc"}, "tags are a list"),
        ({"tags": ["a", ""]}, "a tag is a text"),
        ({"tags": [str(number) for number in range(21)]}, "21 tags"),
    ],
)
def test_bad_values_are_refused(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadJob) as refused:
        made(**changed)
    assert reason in str(refused.value)


def test_an_unknown_queue_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(BadJob, match="there is no queue 'thumbnail'; did you mean 'thumbnails'"):
        made("thumbnail", queues={"thumbnails", "mails"})
    assert made("mails", queues={"mails"}).queue == "mails"


def test_a_body_nested_too_deeply_is_refused() -> None:
    body: list[Any] = []
    for _ in range(100_000):
        body = [body]
    with pytest.raises(BadJob, match="can't be encoded"):
        encoded(body, 1 << 20)


def test_a_moment_long_ago_is_one_that_is_past() -> None:
    assert made("q", run_after=datetime.min.replace(tzinfo=UTC)).due == 0


def test_what_is_good_is_kept() -> None:
    job = made("q", {"ä": [1, None]}, "k", unique="kept", run_after="1h30m", tags=["b", "a", "b"])
    assert job.body == '{"ä":[1,null]}'.encode()
    assert (job.key, job.unique, job.delay, job.tags, job.later) == ("k", Unique.KEPT, 5400.0, ("b", "a"), True)
    assert made(body=bytearray(b"\0")).body == b"\0"
    moment = datetime(2027, 1, 1, tzinfo=UTC)
    assert made(run_after=moment).due == moment.timestamp()
    assert not made().later


def test_what_is_claimed_together_is_one_value_or_one_beginning() -> None:
    assert coalescing(None, None) is None
    assert coalescing("a", None) == Coalescing("a")
    assert coalescing(None, "a") == Coalescing("a", prefix=True)
    for wrong in (("a", "b"), ("", None), (None, ""), (3, None)):
        with pytest.raises(BadJob, match="coalesce"):
            coalescing(*wrong)


def test_a_key_is_held_by_name_or_by_states() -> None:
    assert made().unique is Unique.UNFINISHED
    assert made(unique=["waiting", "delayed"]).unique is Unique.WAITING
    assert made(unique=(state for state in JobState if state is not JobState.CANCELLED)).unique is Unique.KEPT_OR_DEAD
    assert made(unique={"waiting", "delayed", "running", "dead"}).unique is Unique.UNFINISHED_OR_DEAD
    assert made(conflict="debounce", run_after=1, max_wait=9).unique is Unique.WAITING
    assert made(conflict="debounce", run_after=1, max_wait="9s", unique="kept").max_wait == 9.0


def test_options_of_a_key_without_one_are_refused() -> None:
    check_key("q", "k", {"unique": "kept"})
    check_key("q", None, {"priority": 4, "unique": "unfinished", "conflict": "keep"})
    with pytest.raises(BadJob, match="queue 'q': unique, conflict without a key"):
        check_key("q", None, {"unique": "kept", "conflict": "replace"})


def test_limits_of_a_queue_are_checked() -> None:
    assert queue_limits(1, None, None) == ClaimLimits()
    assert queue_limits(2, "120/m", None) == ClaimLimits(2, 2.0, 2.0)
    assert queue_limits(1, "1/h", 7).burst == 7.0
    assert queue_limits(1, 0.1, None).burst == 1.0
    wrong: list[tuple[Any, Any, Any]] = [
        (0, None, None),
        (1, 0, None),
        (1, "5/w", None),
        (1, "x/s", None),
        (1, -1, None),
    ]
    wrong += [(1, True, None), (1, float("nan"), None), (1, [], None), (1, 1, 0), (1, None, 3), (1.5, None, None)]
    for values in wrong:
        with pytest.raises(BadJob):
            queue_limits(*values)


def test_what_is_recorded_of_a_job_is_checked() -> None:
    assert result_text({"a": (1,)}, "it") == '{"a":[1]}'
    assert json.loads(progress_text(1, "")) == [1.0, ""]
    assert step_name("one") == "one"
    with pytest.raises(BadJob):
        result_text(float("nan"), "it")
    with pytest.raises(BadJob):
        progress_text(2, "")
    with pytest.raises(BadJob):
        step_name("")
    with pytest.raises(BadJob, match="the text of progress"):
        progress_text(0.5, "a\0")
