"""Subscription of the STOMP client to one destination, and the SUBSCRIBE frame that asks for it. Pure."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from hub.backends.stomp.client_destinations import is_shared
from hub.backends.stomp.client_settings import Config


class Subscription(msgspec.Struct):
    """Subscription to one destination. :ivar confirmed: the broker has sent the RECEIPT."""

    id: str
    destination: str
    confirmed: bool = False

    @classmethod
    def all_of(cls, config: Config) -> list[Subscription]:
        """The subscriptions to all configured destinations, none of them confirmed."""
        return [cls(_id(config, number), text) for number, text in enumerate(config.destinations)]

    @property
    def receipt(self) -> str:
        """Receipt of its SUBSCRIBE frame."""
        return f"subscribed {self.id}"


def _id(config: Config, number: int) -> str:
    """Id of a subscription. That of a durable one is the same after a restart: RabbitMQ names its queue by it. No id
    has a character that STOMP escapes."""
    if config.durable_name is None:
        return str(number)
    return f"{config.durable_name}{quote(config.destinations[number], safe='/.*#>-_')}"


def subscribe_headers(subscription: Subscription, config: Config, ack: str) -> dict[str, str]:
    """Headers of the SUBSCRIBE frame. :param ack: the mode of acknowledgement."""
    prefetch = str(config.prefetch)
    headers = {
        **config.subscribe_headers,
        "id": subscription.id,
        "destination": subscription.destination,
        "ack": ack,
        "receipt": subscription.receipt,
        "prefetch-count": prefetch,
        "activemq.prefetchSize": prefetch,
    }
    if config.durable_name is not None and not is_shared(subscription.destination):
        # The dialects of RabbitMQ, of ActiveMQ Classic (with client-id in CONNECT) and of ActiveMQ Artemis.
        headers |= {"durable": "true", "auto-delete": "false"}
        headers |= {"activemq.subscriptionName": subscription.id, "durable-subscription-name": subscription.id}
    return headers
