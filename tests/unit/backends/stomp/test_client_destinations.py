"""Destinations and topics."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hub.backends.stomp.client_destinations import destination_for, is_shared, template_of, topic_of


@pytest.mark.parametrize(
    ("destination", "topic"),
    [
        ("/topic/a.b", "a.b"),
        ("/exchange/amq.topic/a.b", "a.b"),
        ("/exchange//a.b", "a.b"),
        ("/queue/x", "x"),
        ("/amq/queue/x", "x"),
        ("/temp-queue/x", "x"),
        ("/queue//exchange/nope/x", "/exchange/nope/x"),  # ActiveMQ knows no exchanges
        ("/topic/a%2Fb%25", "a/b%"),
        ("/topic/a%20b", "a%20b"),
        ("/a/b.c", "a.b.c"),
        ("jms.topic.a", "jms.topic.a"),
        ("/topic/", "topic"),
        ("/", ""),
        ("", ""),
    ],
)
def test_the_topic_is_the_last_part(destination: str, topic: str) -> None:
    assert topic_of(destination) == topic


@pytest.mark.parametrize("template", ["/topic/{topic}", "/queue/{topic}", "/exchange/amq.topic/{topic}"])
@given(topic=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_topic_comes_back_as_it_was(template: str, topic: str) -> None:
    assume(not re.search("%2[5Ff]", topic))  # RabbitMQ decodes one of these, and encodes all
    destination = destination_for(template, topic)
    assert topic_of(destination) == topic
    assert destination.count("/") == template.count("/")  # RabbitMQ refuses another


def test_a_template_without_the_placeholder_is_one_destination() -> None:
    assert destination_for("/queue/work", "a.b") == "/queue/work"


@pytest.mark.parametrize(
    ("destination", "shared", "template"),
    [
        ("/topic/a.#", False, "/topic/{topic}"),
        ("/topic/a.>", False, "/topic/{topic}"),
        ("/topic/a.*.c", False, "/topic/{topic}"),
        ("/exchange/amq.topic/#", False, "/exchange/amq.topic/{topic}"),
        ("/topic/a.b", False, "/topic/a.b"),
        ("/queue/a.#", True, "/queue/a.#"),
        ("/amq/queue/a", True, "/amq/queue/a"),
    ],
)
def test_what_a_publisher_would_send_to(destination: str, shared: bool, template: str) -> None:
    assert is_shared(destination) is shared
    assert template_of(destination) == template
