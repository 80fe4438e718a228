"""Jobs as messages."""

from __future__ import annotations

import json

from hub.job_database.messages import message_of
from hub.jobs import Job


def test_a_message_has_what_is_known_of_its_job() -> None:
    message = message_of(Job(7, "work", b"x", 9, 2, 3, 1000.5, "a key", ("a", "ü,")), "main")
    assert (message.id, message.topic, message.body, message.received_at) == ("7", "work", b"x", 1000.5)
    assert message.backend == "main"
    assert json.loads(str(message.headers["tags.json"])) == ["a", "ü,"]
    assert {name: message.headers[name] for name in ("attempt", "max_retries", "priority", "key")} == {
        "attempt": 2,
        "max_retries": 3,
        "priority": 9,
        "key": "a key",
    }
    assert set(message_of(Job(7, "work", b"x", 9, 2, 3, 1000.5), "main").headers) == {
        "attempt",
        "max_retries",
        "priority",
    }


def test_it_belongs_to_the_trace_of_its_job() -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    job = Job(7, "work", b"x", 9, 2, 3, 1000.5, traced=json.dumps({"traceparent": parent}))
    assert message_of(job, "main").headers["traceparent"] == parent
