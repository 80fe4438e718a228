"""Durable topic subscriptions: the queue behind the three dialects."""

from __future__ import annotations

import pytest

from hub.backends.stomp.durable_name import queue_name
from hub.backends.stomp.frame import ProtocolError

RABBITMQ = {"id": "news", "durable": "true", "auto-delete": "false"}
ACTIVEMQ = {"id": "1", "activemq.subscriptionName": "news"}
ARTEMIS = {"id": "1", "durable-subscription-name": "news"}


@pytest.mark.parametrize("headers", [RABBITMQ, ACTIVEMQ, ARTEMIS])
def test_each_dialect_names_a_queue_that_its_user_finds_again(headers: dict[str, str]) -> None:
    name = queue_name(headers, "alice", "reader")
    assert name == "subscription.alice.reader.news"
    assert queue_name(headers, "bob", "reader") != name
    assert queue_name(headers, None, "reader") != name


def test_without_such_headers_there_is_none() -> None:
    assert queue_name({"id": "1"}, "alice", "reader") is None
    assert queue_name({"id": "1", "durable": "false"}, "alice", "reader") is None


def test_names_that_differ_only_in_where_they_are_cut_are_different() -> None:
    names = {queue_name({"durable-subscription-name": name}, user, "c") for user, name in (("a.b", "x"), ("a", "b.x"))}
    assert len(names) == 2
    assert all("/" not in str(queue_name({"durable-subscription-name": "a/b c"}, "a", None)) for _ in "x")


@pytest.mark.parametrize(
    ("headers", "client_id"),
    [
        ({"activemq.subscriptionName": "news"}, None),
        ({"durable": "true", "auto-delete": "false"}, "reader"),
        ({"durable": "true", "auto-delete": "true", "id": "1"}, "reader"),
        ({"durable-subscription-name": ""}, "reader"),
        ({"durable-subscription-name": "x" * 200}, "reader"),
    ],
)
def test_what_lacks_a_name_is_refused(headers: dict[str, str], client_id: str | None) -> None:
    with pytest.raises(ProtocolError):
        queue_name(headers, "alice", client_id)
