"""The Redis backend on a real server, and on the double of the unit tests: what that does, it does."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from hub.message import HeaderValue, Message
from tests.support import bus_messages
from tests.system.redis import RedisServer, raw
from tests.unit.backends.redis.clients import connected, outcomes, published, running
from tests.unit.backends.redis.double import Double
from tests.unit.backends.support import Lines, Recorder, turn_for, turn_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

_names = itertools.count(1)


@dataclass
class Place:
    """A server, and a name for streams that no other test uses."""

    port: int
    do: Any
    name: str

    def running(self, lines: Lines | None = None, wait: bool = True, **given: Any) -> Any:
        return running(self.port, lines, wait, **{"streams": [self.name], "reconnect_interval_max": 0.2, **given})

    def fill(self, *numbers: int) -> None:
        for number in numbers:
            self.do("XADD", self.name, "*", "body", number)

    @property
    def pending(self) -> int:
        return int(self.do("XPENDING", self.name, "hubbub")[0])


@pytest.fixture(scope="module")
def redis_of_the_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis") / "server") as server:
        yield server


@pytest.fixture(params=["redis", "double"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    name = f"t{next(_names)}"
    if request.param == "double":
        with Double() as double:
            yield Place(double.port, double.do, name)
        return
    server: RedisServer = request.getfixturevalue("redis_of_the_module")
    yield Place(server.port, raw(server), name)


@pytest.fixture
def real(redis_of_the_module: RedisServer) -> Place:
    return Place(redis_of_the_module.port, raw(redis_of_the_module), f"t{next(_names)}")


def arrived(intake: Recorder, count: int) -> list[bytes]:
    turn_until(lambda: len(intake.messages) >= count, f"{count} messages", 30)
    return intake.bodies


def acknowledged(backend: Any) -> None:
    turn_until(lambda: backend.status()["unacknowledged"] == 0, "the acknowledgements", 30)


def test_what_is_published_arrives_as_it_was(place: Place) -> None:
    bodies = [b"", b"\0binary\r\n", "täxt".encode(), b"x" * 100_000, *(b"%d" % number for number in range(600))]
    with place.running(publish=place.name) as (backend, intake):
        sent = [Message(f"id-{n}", "a.b", body, {"foo": "b:a\r\nz", "n": 3}, 1000.0) for n, body in enumerate(bodies)]
        assert outcomes(backend, *sent) == [None] * len(bodies)
        assert arrived(intake, len(bodies)) == bodies
        first = intake.messages[0]
        assert (first.id, first.topic, first.headers) == ("id-0", "a.b", {"foo": "b:a\r\nz", "n": "3"})
        backend.confirm(intake.tokens)
        acknowledged(backend)
    assert place.pending == 0


def test_what_was_not_confirmed_comes_again(place: Place) -> None:
    place.fill(*range(10))
    with place.running() as (backend, intake):
        arrived(intake, 10)
        backend.confirm([*intake.tokens[:4], *intake.tokens[5:7]])
        turn_until(lambda: backend.status()["unacknowledged"] == 4, "the acknowledgements")
    with place.running() as (backend, intake):
        assert arrived(intake, 4) == [b"4", b"7", b"8", b"9"]
        assert {one.headers["redelivered"] for one in intake.messages} == {True}
        backend.confirm(intake.tokens)
        acknowledged(backend)
    assert place.pending == 0


def test_what_a_dead_hub_had_is_taken_over_and_a_slow_one_keeps_its_own(place: Place) -> None:
    place.fill(*range(6))
    place.do("XGROUP", "CREATE", place.name, "hubbub", "0")
    place.do("XREADGROUP", "GROUP", "hubbub", "dead", "COUNT", 3, "STREAMS", place.name, ">")
    with place.running(claim_idle=4.0, consumer="slow") as (slow, mine):
        arrived(mine, 6)
        turn_until(lambda: slow.status()["claimed"] == 3, "the count")
        with place.running(claim_idle=4.0, consumer="eager") as (eager, other):
            place.fill(9)
            turn_for(6.0)  # half as long again as a hub may be silent
            assert eager.status()["claimed"] == slow.status()["claimed"] - 3 == 0
            for backend, intake in ((slow, mine), (eager, other)):
                backend.confirm(intake.tokens)
                acknowledged(backend)
            assert sorted(mine.bodies + other.bodies) == [b"0", b"1", b"2", b"3", b"4", b"5", b"9"]
    assert place.pending == 0


def test_a_trimmed_entry_is_counted_whoever_had_it(place: Place) -> None:
    place.fill(*range(4))
    place.do("XGROUP", "CREATE", place.name, "hubbub", "0")
    for name in ("dead", "me"):
        place.do("XREADGROUP", "GROUP", "hubbub", name, "COUNT", 2, "STREAMS", place.name, ">")
    place.do("XTRIM", place.name, "MAXLEN", "0")
    with place.running(claim_idle=1.0, consumer="me") as (backend, intake):
        turn_until(lambda: backend.status()["malformed"] == {"trimmed": 4}, "the count", 30)
        assert intake.messages == []
        acknowledged(backend)
    assert place.pending == 0


def test_refused_entries_are_moved_with_their_reason(place: Place) -> None:
    place.do("XADD", place.name, "*", "body", "x" * 2000, "colour", "red")
    refused = f"{place.name}-refused"
    with place.running(max_message_size=1024, refused_stream=refused) as (backend, _):
        turn_until(lambda: backend.status()["buried"] == 1, "the move")
    ((_, fields),) = place.do("XRANGE", refused, "-", "+")
    found = dict(zip(fields[::2], fields[1::2], strict=True))
    assert (found[b"body"], found[b"colour"]) == (b"x" * 2000, b"red")
    assert b"max_message_size is 1024" in found[b"refused-reason"]
    assert place.pending == 0


@pytest.mark.parametrize("gone", ["group", "stream"])
def test_a_deleted_group_or_stream_is_made_again(real: Place, gone: str) -> None:
    lines = Lines()
    with real.running(lines) as (backend, intake):
        real.fill(1, 2)
        arrived(intake, 2)
        backend.confirm(intake.tokens)
        acknowledged(backend)
        if gone == "group":
            real.do("XGROUP", "DESTROY", real.name, "hubbub")
        else:
            real.do("DEL", real.name)
        real.fill(3)
        turn_until(lambda: b"3" in intake.bodies, "the message", 30)
        connected(backend, 30)
        backend.confirm(intake.tokens)
        acknowledged(backend)
    assert real.pending == 0


def test_the_backlog_is_right_where_lag_is_not(real: Place) -> None:
    real.fill(*range(300))
    with real.running(prefetch=10, count=10) as (backend, intake):
        arrived(intake, 10)
        turn_until(lambda: backend.status()["backlog_on_bus"] == 300, "the backlog")
        real.do("XTRIM", real.name, "MAXLEN", "50")
        turn_until(lambda: backend.status()["backlog_on_bus_by"] == {real.name: 60}, "what was trimmed", 30)
        backend.confirm(intake.tokens)
        given = 10

        def all_read() -> bool:
            nonlocal given
            backend.confirm(intake.tokens[given:])
            given = len(intake.tokens)
            return given == 60

        turn_until(all_read, "the others")
        turn_until(lambda: backend.status()["backlog_on_bus"] == 0, "the end of the backlog", 30)


def test_only_what_all_groups_have_acknowledged_is_trimmed(real: Place) -> None:
    """About: Redis frees whole nodes, of a hundred entries."""
    real.fill(*range(1000))
    real.do("XGROUP", "CREATE", real.name, "slow", "0")
    ((_, rows),) = real.do("XREADGROUP", "GROUP", "slow", "x", "COUNT", 450, "STREAMS", real.name, ">")
    real.do("XACK", real.name, "slow", *[row[0] for row in rows])
    with real.running(trim="acknowledged") as (backend, intake):
        arrived(intake, 1000)
        backend.confirm(intake.tokens)
        turn_until(lambda: backend.status()["trimmed"] == 400, "the trim", 30)
        assert backend.status()["streams"][real.name]["trim_held_by"] == "slow"
    assert int(real.do("XLEN", real.name)) == 600


def test_another_type_at_the_key_is_told_and_waited_for(real: Place) -> None:
    lines = Lines()
    real.do("SET", real.name, "text")
    with real.running(lines, wait=False, publish=real.name) as (backend, intake):
        turn_until(lambda: backend.status()["handshake_failures"] >= 3, "some attempts")
        assert "WRONGTYPE" in backend.status()["not_ready"]
        assert len([text for text in lines.texts if "WRONGTYPE" in text and "(subscribe)" in text]) == 1
        real.do("DEL", real.name)
        connected(backend, 30)
        published(backend, Message("x", "a", b"1", {}, 1000.0))
        arrived(intake, 1)
        backend.confirm(intake.tokens)
        acknowledged(backend)


def test_fedmsgs_envelopes_both_ways(real: Place) -> None:
    recorded = bus_messages()
    for body in (*recorded, b"no JSON"):
        real.do("XADD", real.name, "*", "body", body)
    with real.running(publish=real.name, format="fedmsg") as (backend, intake):
        assert arrived(intake, len(recorded)) == recorded
        assert all(one.topic == one.json()["topic"] for one in intake.messages)
        turn_until(lambda: backend.status()["malformed"] == {"not_json": 1}, "the refusal")
        assert outcomes(backend, Message("2026-x", "org.own", b'{"n":1}', {}, 1000.0)) == [None]
        arrived(intake, len(recorded) + 1)
        assert (intake.messages[-1].topic, intake.messages[-1].json()["msg"]) == ("org.own", {"n": 1})
        backend.confirm(intake.tokens)
        acknowledged(backend)


@pytest.mark.parametrize(
    "given",
    [
        {"format": "cloudevents", "cloudevents_mode": "binary"},
        {"format": "cloudevents", "cloudevents_mode": "structured"},
        {"format": "fedora-messaging"},
    ],
)
def test_formats_with_headers_both_ways(real: Place, given: dict[str, Any]) -> None:
    headers: dict[str, HeaderValue] = {
        "fedora_messaging_severity": 30,
        "fedora_messaging_user_ann": True,
        "ce-source": "/here",
    }
    if given["format"] == "cloudevents":
        headers = {"ce-source": "/here", "own": "1"}
    real.do("XADD", real.name, "*", "body", b"no JSON")
    with real.running(publish=real.name, **given) as (backend, intake):
        turn_until(lambda: backend.status()["malformed"] == {"not_json": 1}, "the refusal")
        assert outcomes(backend, Message("x", "org.a", b'{"n":1}', headers, 1000.0)) == [None]
        arrived(intake, 1)
        (message,) = intake.messages
        assert (message.id, message.topic, message.body) == ("x", "org.a", b'{"n":1}')
        assert headers.items() <= message.headers.items()
        backend.confirm(intake.tokens)
        acknowledged(backend)


def test_channels_by_name_and_by_pattern(place: Place) -> None:
    channels = [f"{place.name}.a", f"{place.name}.b.*"]
    given: dict[str, Any] = {"streams": [], "channels": channels, "publish_channel": "{topic}"}
    with place.running(**given) as (backend, intake):
        topics = [f"{place.name}.{rest}" for rest in ("a", "b.c", "c")]
        sent = [Message(f"id-{topic}", topic, b"x", {}, 1000.0) for topic in topics]
        assert outcomes(backend, *sent) == [None] * 3
        arrived(intake, 2)
        assert [one.topic for one in intake.messages] == topics[:2]
        assert intake.tokens == []
        assert backend.status()["unheard"] == 1
