"""Destinations of a broker, and the topics of the hub. Pure.

A destination is a text that the broker interprets. These forms are those of RabbitMQ's STOMP plugin and of ActiveMQ:
``/topic/NAME``, ``/queue/NAME``, ``/exchange/EXCHANGE/ROUTING-KEY``, ``/amq/queue/NAME``.
"""

from __future__ import annotations

import re

PLACEHOLDER = "{topic}"
"""Stands for the topic in a template of destinations."""

_KINDS = re.compile(r"/(?:topic|queue|temp-queue|temp-topic|reply-queue|amq/queue|exchange/[^/]*)/(.+)", re.DOTALL)
_ENCODED = re.compile(r"%(2[Ff]|25)")
_WILDCARD_WORDS = {"*", "#", ">"}


def topic_of(destination: str) -> str:
    """The topic of a message to a destination: its name without the kind. Empty: it has none.

    Words of other forms, such as ``/a/b``, are joined by dots. ``%2F`` and ``%25`` are decoded: see
    :func:`destination_for`.
    """
    found = _KINDS.fullmatch(destination)
    name = found[1] if found else destination.strip("/").replace("/", ".")
    return _ENCODED.sub(lambda match: "%" if match[1] == "25" else "/", name) if "%" in name else name


def destination_for(template: str, topic: str) -> str:
    """The destination that a template makes of a topic.

    ``/`` in the topic is encoded as ``%2F``: RabbitMQ refuses a destination with further slashes. It decodes that and
    nothing else; in what it delivers it encodes ``%``, too, as ``%25``.
    """
    return template.replace(PLACEHOLDER, topic.replace("/", "%2F"))


def is_shared(destination: str) -> bool:
    """True if each message to the destination goes to one of its readers only."""
    return not destination.startswith(("/topic/", "/exchange/", "/temp-topic/"))


def template_of(destination: str) -> str:
    """A template of destinations whose messages a subscription to this one receives, as far as its name can tell.

    ``/topic/a.#`` gives ``/topic/{topic}``; the name of a queue is kept, and so is a name without wildcards.
    """
    if is_shared(destination):
        return destination
    kind, _, name = destination.rpartition("/")
    wild = bool(_WILDCARD_WORDS & set(re.split(r"[./]", name)))
    return f"{kind}/{PLACEHOLDER}" if wild else destination
