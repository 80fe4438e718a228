"""The trace of a job: what is kept of headers, and given back."""

from __future__ import annotations

import pytest

from hub.jobs import BadJob, Jobs
from hub.jobs.trace import trace_headers, trace_text
from hub.testing.memory_jobs import MemoryJobs

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-11111111111111111111111111111111-2222222222222222-01"


def test_trace_headers_come_back_and_no_others() -> None:
    kept = {"traceparent": PARENT, "tracestate": "a=1,b=2"}
    assert trace_headers(trace_text({**kept, "severity": 3})) == kept
    assert trace_text({"traceparent": "00-nonsense", "tracestate": "a=1"}) is None
    assert trace_text({"tracestate": "a=1"}) is None
    assert trace_headers(trace_text({"traceparent": PARENT, "tracestate": 5})) == {"traceparent": PARENT}


@pytest.mark.parametrize("text", [None, "", "{", "[]", "5", '{"traceparent": "x"}', '{"traceparent": 5}'])
def test_what_somebody_else_has_written_into_a_row_is_no_trace(text: str | None) -> None:
    assert trace_headers(text) == {}


@pytest.mark.parametrize("value", [None, PARENT, [PARENT], 5])
def test_a_trace_that_is_no_dictionary_is_an_error(hubbub_jobs: MemoryJobs, value: object) -> None:
    with pytest.raises(BadJob, match="queue 'q': trace is a dictionary of headers, such as traceparent, not"):
        hubbub_jobs.insert("q", 1, trace=value)  # type: ignore[arg-type]


def test_a_job_has_the_trace_of_whoever_inserts_it_unless_it_names_another() -> None:
    now = {"traceparent": PARENT}
    jobs: Jobs = MemoryJobs(trace=lambda: now)
    jobs.insert("q", 1)
    jobs.insert_many("q", [2, 3])
    jobs.insert("q", 4, trace={"traceparent": OTHER})
    now.clear()
    jobs.insert_jobs([jobs.new_job("q", 5)])
    found = [job.trace.get("traceparent") for job in jobs.claim(10)]
    assert found == [PARENT, PARENT, PARENT, OTHER, None]
