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
