"""What is relayed, to where, under which name and with which headers; on the bench."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from hub.configuration.loading import load
from hub.consumers.relay import Relay
from hub.errors import ConfigError
from hub.message import NO_HEADERS, Message
from hub.testing.bench import Bench, Benches


@pytest.fixture
def buses(hubbub: Benches) -> Benches:
    hubbub.buses = ("left", "right", "far")
    hubbub.format = "raw"
    return hubbub


def sent(bench: Bench[Relay]) -> list[tuple[str, str]]:
    return [(message.backend, message.topic) for message in bench.published]


def relayed(
    bench: Bench[Relay], body: object = b"x", topic: str = "a.b", headers: Mapping[str, object] = NO_HEADERS
) -> list[Message]:
    bench.deliver(topic, body, headers, id="the-id")
    bench.run()
    return bench.published


def test_all_of_a_message_goes_to_each_backend_but_the_one_it_came_from(buses: Benches) -> None:
    bench = buses(Relay, to=["left", "right", "far"])
    headers = {"n": 3, "f": 1.5, "yes": True, "text": "ä", "list": [1, 2]}
    for message in relayed(bench, b"\x00\xff", headers=headers):
        kept = {**headers, "list.json": "[1,2]", "hubbub.via": "left", "hubbub.id": "the-id"}
        del kept["list"]
        assert dict(message.headers) == kept
        assert type(message.headers["yes"]) is bool
        assert type(message.headers["n"]) is int
        assert (message.topic, message.body) == ("a.b", b"\x00\xff")
    assert sorted(sent(bench)) == [("far", "a.b"), ("right", "a.b")]
    assert bench.consumer.status() == {"relayed": 2, "loops_broken": 0}


def test_the_first_id_is_kept_over_many_buses(buses: Benches) -> None:
    (message,) = relayed(buses(Relay, to=["right"]), headers={"hubbub.id": "first", "hubbub.via": "start"})
    assert (message.headers["hubbub.id"], message.headers["hubbub.via"]) == ("first", "start left")


@pytest.mark.parametrize("via", ["right", "left", "x left y", "far right"])
def test_a_loop_is_broken_in_silence(buses: Benches, via: str) -> None:
    bench = buses(Relay, to=["right"])
    assert relayed(bench, headers={"hubbub.via": via}) == []
    assert (len(bench.finished), bench.dead_letters) == (1, [])
    assert bench.consumer.status() == {"relayed": 0, "loops_broken": 1}


def test_buses_may_have_other_names_for_other_hubs(buses: Benches) -> None:
    bench = buses(Relay, to=["right", "far"], bus_names={"left": "prod east", "right": "prod west"})
    found = relayed(bench, headers={"hubbub.via": "prod%20west"})
    assert [(message.backend, message.headers["hubbub.via"]) for message in found] == [
        ("far", "prod%20west prod%20east")
    ]


@pytest.mark.parametrize("via", [7, " ".join("abcdefghijklmnop")])
def test_a_way_that_is_none_or_too_long_is_a_dead_letter(buses: Benches, via: object) -> None:
    bench = buses(Relay, to=["right"])
    assert relayed(bench, headers={"hubbub.via": via}) == []
    assert "hubbub.via" in bench.dead_letters[0].reason


def test_topics_are_renamed_and_only_these_are_taken(buses: Benches) -> None:
    bench = buses(Relay, to=["right"], renamed={"org.a": "net.b"})
    for topic in ("org.a", "org.a.x", "org.ab"):
        bench.deliver(topic, b"x")
    bench.run()
    assert sent(bench) == [("right", "net.b"), ("right", "net.b.x")]
    assert bench.unrouted == 1


def test_only_the_named_backends_messages_are_relayed(buses: Benches) -> None:
    assert relayed(buses(Relay, to=["right"], only_from=["far"])) == []
    assert len(relayed(buses(Relay, to=["right"], only_from=["far", "left"]))) == 1


def test_an_envelopes_content_alone_may_be_published(buses: Benches) -> None:
    bench = buses(Relay, to=["right"], content="msg")
    assert relayed(bench, {"msg": {"a": 1}, "i": 2})[0].json() == {"a": 1}
    for body in (b"no JSON", b"[1]", b"{}", b'"x"', b"3"):
        bench.deliver("a", body)
    bench.run()
    assert {letter.reason for letter in bench.dead_letters} == {
        "it is not relayed: its body is no JSON object with a field 'msg'"
    }
    assert len(bench.dead_letters) == 5


@pytest.mark.parametrize(
    "content", ["hello", "7", "true", '{"a": 1}', '"x"', "", "ä\ud800", 7, None, False, [1], {"a": None}, 2**70]
)
@pytest.mark.parametrize("format_", ["raw", "fedmsg"])
def test_the_content_of_an_envelope_keeps_its_type(buses: Benches, content: object, format_: str) -> None:
    buses.format = format_
    bench = buses(Relay, to=["right"], content="msg")
    (message,) = relayed(bench, json.dumps({"msg": content}).encode())
    assert message.json() == content
    assert type(message.json()) is type(content)


def test_what_no_bus_could_take_is_a_dead_letter_and_nothing_of_it_is_sent(buses: Benches) -> None:
    buses.format = "fedmsg"
    bench = buses(Relay, to=["right", "far"])
    assert relayed(bench, b"no JSON") == []
    assert bench.dead_letters[0].reason.startswith("backend 'right' can't publish it: ")
    bench = buses(Relay, to=["right"], renamed={"": "x" * 500})
    assert relayed(bench, b"{}", "a" * 600) == []
    assert "expected a topic of at most 1024 printable characters" in bench.dead_letters[0].reason


def test_a_trace_goes_on(buses: Benches) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    (message,) = relayed(buses(Relay, to=["right"]), headers={"traceparent": parent, "tracestate": "a=1"})
    assert (message.headers["traceparent"], message.headers["tracestate"]) == (parent, "a=1")


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"to": []}, "expected a list of 1 or more"),
        ({"to": ["right", "right"]}, "to: a backend is named twice"),
        ({"to": ["right"], "only_from": ["right"]}, "never relayed to the backend that it came from"),
        ({"to": ["right"], "renamed": {"a.#": "b"}}, "expected beginnings of topics"),
        ({"to": ["right"], "bus_names": {"right": ""}}, "expected a name of 1 to 64 letters for the bus of 'right'"),
    ],
)
def test_what_can_not_be_is_told(buses: Benches, settings: dict[str, object], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        buses(Relay, **settings)


def test_a_backend_that_there_is_not_is_told_by_the_check(tmp_path: Path) -> None:
    file = tmp_path / "hub.conf"
    file.write_text(
        '[backends.bus]\ntype = "memory"\n[backends.off]\ntype = "memory"\nenabled = false\n'
        '[consumers.r]\ntype = "relay"\nto = ["bus", "buss"]\nonly_from = ["off"]\n'
    )
    with pytest.raises(ConfigError) as caught:
        load(file, (), {})
    assert caught.value.problems == [
        f"{file}:8: consumers.r.to: there is no [backends.buss]; there are: bus, off",
        f"{file}:9: consumers.r.only_from: [backends.off] is not enabled",
    ]
