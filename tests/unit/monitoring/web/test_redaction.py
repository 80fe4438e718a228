"""What of the status is for anybody."""

from __future__ import annotations

import copy
from typing import Any, Literal, NotRequired

import msgspec
import pytest

from hub.failure import Failure, told
from hub.message import Message
from hub.monitoring.web.redaction import redacted, redactor_of
from hub.snapshot import not_ready
from hub.status.consumers import ConsumerStatus
from tests.unit.monitoring.snapshots import consumer, snapshot

SECRET = "hunter2"
STATEMENT = f'cannot insert [parameters: {{"password": "{SECRET}"}}]'
MESSAGE = Message(f"id-{SECRET}", f"org.example.{SECRET}", b"{}", received_at=1.0)


def unhappy() -> dict[str, Any]:
    """Of a hub in which everything has failed, and every error has the secret in it."""
    error = ValueError(STATEMENT)
    failure = msgspec.to_builtins(Failure.of(error, 7.0, MESSAGE, 2))
    busy = {"name": "slow-1", "state": "busy", "topic": MESSAGE.topic, "message_id": MESSAGE.id, "seconds": 1.5}
    row = consumer(
        state="failing to start", error=told(error), tick_error=told(error), last_error=failure, workers=[busy]
    )
    row["own"] = {"statement": STATEMENT}
    found = snapshot(slow=row)
    found["hub"]["store"] |= {"state": "failed", "reason": STATEMENT}
    found["hub"]["not_ready"] = list(not_ready("running", found["consumers"], found["hub"]["store"], True, {}))
    found["exporters"]["collectd"]["last_error"] = told(error)
    found["backends"]["bus"] |= {"error": told(error), "reason": STATEMENT, "notes": [{"peer": STATEMENT}]}
    history = {"state": "not kept", "error": told(error)}
    found["servers"] = {"web": {"type": "web", "state": "listening", "address": "127.0.0.1:9941", "history": history}}
    return found


def test_no_text_of_an_error_or_a_message_is_in_it() -> None:
    whole = unhappy()
    assert msgspec.json.encode(whole).decode().count(SECRET) > 10
    assert SECRET not in msgspec.json.encode(redacted(whole)).decode()


def test_kind_time_and_attempt_are() -> None:
    row = redacted(unhappy())["consumers"]["slow"]
    nothing = {"text": None, "topic": None, "message_id": None}
    assert row["last_error"] == {"time": 7.0, "error": "ValueError", "attempt": 2, **nothing}
    assert row["error"] == "ValueError"
    (worker,) = row["workers"]
    assert worker == {"name": "slow-1", "state": "busy", "topic": None, "message_id": None, "seconds": 1.5}


def test_reasons_say_what_but_not_why() -> None:
    assert redacted(unhappy())["hub"]["not_ready"] == [
        "the hub is drained",
        "the store is failed",
        "consumer slow is failing to start",
    ]


def test_what_parts_say_of_themselves_is_numbers_and_known_words() -> None:
    found = redacted(unhappy())
    assert found["exporters"]["collectd"] == {"exported": 5, "failed": 1, "skipped": 0, "last_error": "ValueError"}
    assert found["servers"]["web"]["history"] == {"state": "not kept", "error": "ValueError"}
    assert found["servers"]["web"]["address"] == "127.0.0.1:9941"
    bus = found["backends"]["bus"]
    assert (bus["type"], bus["state"], bus["received"], bus["malformed"]) == (
        "zeromq",
        "connected",
        600,
        {"not JSON": 2},
    )
    assert (bus["error"], bus["reason"], bus["notes"]) == ("ValueError", None, [{"peer": None}])


@pytest.mark.parametrize(
    ("endpoint", "shown"),
    [
        ("tcp://127.0.0.1:9940", "tcp://127.0.0.1:9940"),
        ("ipc://@abstract", "ipc://@abstract"),
        (f"amqps://ann:{SECRET}@bus.example.org/v", "amqps://***@bus.example.org/v"),
        (f"amqps://ann:x/{SECRET}@@bus.example.org/v", "amqps://***@bus.example.org/v"),
    ],
)
def test_addresses_are_shown_without_their_passwords(endpoint: str, shown: str) -> None:
    found = snapshot()
    row = {"endpoint": endpoint, "role": "subscribe", "state": "connected", "peers": 1}
    found["backends"]["bus"] |= {"endpoints": [row], "address": endpoint}
    bus = redacted(found)["backends"]["bus"]
    assert bus["address"] == shown
    assert bus["endpoints"] == [{**row, "endpoint": shown}]


@pytest.mark.parametrize("error", [STATEMENT, SECRET, {"text": SECRET}, 7])
def test_an_error_of_no_kind_is_an_error(error: object) -> None:
    found = snapshot()
    found["exporters"]["collectd"]["last_error"] = error
    assert SECRET not in str(redacted(found))
    assert redacted(found)["exporters"]["collectd"]["last_error"] in ("error", {"text": None})


def test_what_the_hub_says_of_a_backends_outbox_is_public_but_for_the_text_of_its_error() -> None:
    found = snapshot()
    found["backends"]["bus"] |= {"outbox_state": "away", "outbox_error": f"OSError: {SECRET}", "outbox_waiting": 3}
    bus = redacted(found)["backends"]["bus"]
    assert (bus["outbox_state"], bus["outbox_error"], bus["outbox_waiting"]) == ("away", "OSError", 3)


class Talkative(ConsumerStatus):
    """A consumer's row with fields that nobody said anything of."""

    remark: str
    remarks: list[str]
    word: Literal["yes", "no"]
    others: NotRequired[dict[str, str | None]]


def test_a_text_that_is_not_marked_as_public_is_withheld() -> None:
    redact = redactor_of(Talkative)
    assert redact is not None
    row = consumer(remark=SECRET, remarks=[SECRET], word="yes", others={"a": SECRET, "b": None}, later=SECRET, number=7)
    found = redact(row)
    assert (found["remark"], found["remarks"], found["word"]) == (None, [None], "yes")
    assert found["others"] == {"a": None, "b": None}
    assert (found["later"], found["number"], found["backlog"]) == (None, 7, 545)


def test_where_nothing_is_wrong_nothing_is_withheld_and_the_whole_is_left_as_it_is() -> None:
    whole = snapshot(slow=consumer(error=None, last_error=None, workers=[]))
    whole["hub"]["not_ready"] = []
    before = copy.deepcopy(whole)
    assert redacted(whole) == before
    redacted(unhappy())
    assert whole == before
