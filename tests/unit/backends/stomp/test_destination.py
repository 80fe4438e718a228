"""Destinations: what their names stand for, and which are refused."""

from __future__ import annotations

import re

import pytest

from hub.backends.stomp.destination import Destination, Kind, parse, to_send, to_subscribe
from hub.backends.stomp.frame import ProtocolError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/topic/a.b", Destination(Kind.TOPIC, "a.b")),
        ("/topic/a/b", Destination(Kind.TOPIC, "a/b")),
        ("/queue/jobs", Destination(Kind.QUEUE, "jobs")),
        ("/queue/DLQ.jobs", Destination(Kind.DEAD, "jobs")),
        ("/temp-queue/x", Destination(Kind.TEMPORARY, "x")),
        ("/reply-queue/x", Destination(Kind.REPLY, "x")),
    ],
)
def test_kinds_are_told_by_their_prefix_and_the_text_comes_back(text: str, expected: Destination) -> None:
    assert parse(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "queue/a",
        " /queue/a",
        "/queue",
        "/queue/",
        "/topic/",
        "/exchange/a/b",
        "/queue/a b",
        "/queue/a\n",
        "/topic/\x00",
        "/queue/a/b",
        f"/queue/{'x' * 201}",
        f"/topic/{'x' * 256}",
        "/queue/\u200b",
        "/queue/DLQ.",
        "/amq/queue/x",
        "/TOPIC/a",
    ],
)
def test_all_else_is_refused_with_what_is_expected(text: str) -> None:
    with pytest.raises(ProtocolError, match="destination"):
        parse(text)


@pytest.mark.parametrize("text", ["/topic/a.*", "/topic/#", "/topic/a.>", "/topic/*.b", "/queue/DLQ.jobs"])
def test_nobody_sends_to_a_pattern_or_to_dead_letters(text: str) -> None:
    with pytest.raises(ProtocolError):
        to_send(text)


@pytest.mark.parametrize("character", "*#>?")
@pytest.mark.parametrize("form", ["/queue/{}", "/queue/a.{}", "/queue/work{}x=1", "/queue/DLQ.a{}"])
def test_a_queue_has_no_character_that_means_something_else(form: str, character: str) -> None:
    with pytest.raises(ProtocolError, match=f"the name of the queue has a '{re.escape(character)}'"):
        parse(form.format(character))


@pytest.mark.parametrize("text", ["/topic/>.b", "/reply-queue/x"])
def test_nobody_subscribes_to_any_rest_within_or_to_where_others_answer(text: str) -> None:
    with pytest.raises(ProtocolError):
        to_subscribe(text)


@pytest.mark.parametrize(
    ("name", "pattern"),
    [("a.b", "a.b"), ("a.*", "a.*"), ("a.#", "a.#"), ("a.>", "a.#"), (">", "#"), ("a.*.c", "a.*.c"), ("a>", "a>")],
)
def test_the_wildcards_of_both_brokers_become_those_of_the_hub(name: str, pattern: str) -> None:
    assert to_subscribe(f"/topic/{name}").pattern == pattern


def test_a_star_alone_is_one_word() -> None:
    assert to_subscribe("/topic/*").one_word
    assert not to_subscribe("/topic/a.*").one_word
