"""Headers of jobs, in SEND and in MESSAGE."""

from __future__ import annotations

import pytest

from hub.backends.stomp.frame import ProtocolError
from hub.backends.stomp.job_headers import check, message_of, options_of
from hub.message import HeaderValue, Message


def test_the_options_of_a_job_are_headers() -> None:
    said = {
        "priority": "12",
        "AMQ_SCHEDULED_DELAY": "1500",
        "max-retries": "0",
        "tags": "red, blue",
        "key": "k",
        "unique": "waiting",
        "conflict": "debounce",
        "max-wait": "1m",
        "coalesce": "example.org",
        "lock": "a",
        "content-type": "text/plain",
    }
    check(said)
    assert options_of(Message("1", "/queue/work", b"", said, 0.0, "bus")) == {
        "priority": 9,
        "run_after": 1.5,
        "max_retries": 0,
        "tags": ["red", "blue"],
        "key": "k",
        "unique": "waiting",
        "conflict": "debounce",
        "max_wait": "1m",
        "coalesce": "example.org",
        "lock": "a",
    }
    assert options_of(Message("1", "/queue/work", b"", {"AMQ_SCHEDULED_DELAY": "0"}, 0.0, "bus")) == {}


@pytest.mark.parametrize("name", ["reply-to", "expires", "expiration"])
def test_what_jobs_have_not_is_refused(name: str) -> None:
    with pytest.raises(ProtocolError, match=f"{name} is not supported for jobs"):
        check({name: "1"})


def test_what_never_expires_may_say_so() -> None:
    check({"expires": "0", "expiration": "0"})


def test_retries_are_a_number() -> None:
    with pytest.raises(ProtocolError, match="max-retries is 'many': expected a number, 0 or more"):
        check({"max-retries": "many"})


def test_a_message_tells_what_is_known_of_its_job() -> None:
    told: dict[str, HeaderValue] = {
        "attempt": 2,
        "max_retries": 25,
        "priority": 4,
        "key": "k",
        "tags.json": '["red", "blue"]',
    }
    found = message_of(Message("17", "work", b"a", told, 1000.5, "main"), "work")
    assert (found.topic, found.body) == ("/queue/work", b"a")
    assert found.headers == {
        "job-id": "17",
        "attempt": 2,
        "max-retries": 25,
        "priority": 4,
        "timestamp": 1000500,
        "key": "k",
        "tags": "red,blue",
    }


def test_a_trace_goes_on_with_the_job_and_comes_with_its_message() -> None:
    trace: dict[str, HeaderValue] = {
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate": "a=1",
    }
    assert options_of(Message("1", "/queue/work", b"", trace, 0.0, "bus")) == {"trace": trace}
    assert options_of(Message("1", "/queue/work", b"", {"traceparent": "nonsense"}, 0.0, "bus")) == {}
    told: dict[str, HeaderValue] = {"attempt": 1, "max_retries": 25, "priority": 4, **trace}
    headers = message_of(Message("7", "work", b"", told, 1.0, "main"), "work").headers
    assert {name: headers.get(name) for name in trace} == trace
