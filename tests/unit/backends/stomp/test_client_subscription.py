"""What a SUBSCRIBE frame says."""

from __future__ import annotations

from tests.unit.backends.stomp.broker import Broker
from tests.unit.backends.stomp.clients import running


def test_a_subscription_says_what_is_configured() -> None:
    with Broker() as broker, running(
        broker.port, prefetch=7, subscribe_headers={"selector": "a > 1"}, destinations=["/queue/x", "/topic/y"]
    ):  # fmt: skip
        first, second = broker.of("SUBSCRIBE")
        assert first.headers == {
            "id": "0",
            "destination": "/queue/x",
            "ack": "client",
            "receipt": "subscribed 0",
            "prefetch-count": "7",
            "activemq.prefetchSize": "7",
            "selector": "a > 1",
        }
        assert (second.headers["id"], second.headers["destination"]) == ("1", "/topic/y")


def test_a_durable_one_is_said_in_all_dialects_and_only_of_topics() -> None:
    destinations = ["/queue/x", "/topic/y.#"]
    with Broker() as broker, running(broker.port, durable_name="hub-1", destinations=destinations):
        assert broker.of("CONNECT")[0].headers["client-id"] == "hub-1"
        queue, topic = broker.of("SUBSCRIBE")
        assert "durable" not in queue.headers
        durable = {name: topic.headers[name] for name in ("durable", "auto-delete", "id")}
        assert durable == {"durable": "true", "auto-delete": "false", "id": "hub-1/topic/y.#"}
        assert topic.headers["activemq.subscriptionName"] == "hub-1/topic/y.#"
        assert topic.headers["durable-subscription-name"] == "hub-1/topic/y.#"
