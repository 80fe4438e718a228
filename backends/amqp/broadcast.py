"""Broadcasts: whether a message of one hub reaches every hub that has such settings. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from hub.backends.amqp.settings import PLACEHOLDER, Config, ConsumedQueue
from hub.backends.fedora_messaging import with_prefix
from hub.topics import compile_pattern


def hindrance(config: Config, topic: str) -> str | None:
    """Why a message of that topic would not reach every hub; ``None``: it reaches them, as far as the settings tell."""
    if not config.publish or not config.queues:
        return "it needs an exchange to publish to, and a queue of this hub alone that is bound to it"
    key = config.routing_key.replace(PLACEHOLDER, with_prefix(topic, config.topic_prefix))
    if key != topic:
        return f"it publishes {topic} with the routing key {key[:80]!r}, which is another topic to those who receive it"
    shared = [name for name, queue in config.queues.items() if not queue.exclusive and _brings(queue, topic)]
    if shared:
        return (
            f"hubs that read one queue share its messages, and queue {shared[0][:80]!r} is bound to that topic: "
            "give each hub a queue of its own, with exclusive = true, and bind others without the topic"
        )
    return None


def _brings(queue: ConsumedQueue, topic: str) -> bool:
    return any(compile_pattern(key).fullmatch(f"{topic}.") for key in _keys(queue))


def _keys(queue: ConsumedQueue) -> Iterator[str]:
    for binding in queue.bindings:
        yield from filter(None, binding.keys)
