"""A real Redis of which one key holds something else, or is another's: the other streams go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.errors import PlaceUnavailable
from hub.message import Message
from tests.system.redis import RedisServer, raw
from tests.system.test_redis_faults import RIGHTS, acknowledged, arrived, password
from tests.unit.backends.redis.clients import connected, outcomes, published, running
from tests.unit.backends.support import Lines, turn_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis") / "server") as made:
        yield made


def test_a_key_of_another_type_stops_neither_reading_nor_publishing(server: RedisServer) -> None:
    do, lines = raw(server), Lines()
    do("SET", "in.bad", "no stream")
    do("SET", "out.bad", "no stream")
    given: dict[str, Any] = {"streams": ["in.good", "in.bad"], "publish": "out.{topic}", "trim": "acknowledged"}
    with running(server.port, lines, wait=False, **given) as (backend, intake):
        turn_until(lambda: backend.status()["subscriptions"] == ["in.good"], "the stream that can be read")
        do("XADD", "in.good", "*", "body", "1")
        assert arrived(intake, 1) == [b"1"]
        backend.confirm(intake.tokens)
        acknowledged(backend)
        bad, good = Message("b", "bad", b"2", {}, 1000.0), Message("g", "good", b"3", {}, 1000.0)
        old = Message("o", "bad", b"4", {}, 900.0)  # an earlier run may have sent it
        found = outcomes(backend, bad, old, good)
        assert sorted(map(type, found), key=str) == sorted([PlaceUnavailable, PlaceUnavailable, type(None)], key=str)
        assert {str(one) for one in found} == {f"the server refuses it now: stream out.bad: {WRONG_TYPE}", "None"}
        row = backend.status()
        assert (row["state"], row["peers"], row["disconnects"]) == ("connecting", 3, 0)
        assert row["not_ready"] == f"{server.url}: stream in.bad: {WRONG_TYPE}"
        do("DEL", "in.bad")
        turn_until(lambda: "out.bad" in (backend.status()["not_ready"] or ""), "the other reason", 30)
        do("DEL", "out.bad")
        published(backend, bad, old)
        connected(backend)
        do("XADD", "in.bad", "*", "body", "5")
        assert arrived(intake, 2)[1] == b"5"
        assert [text for text in lines.texts if WRONG_TYPE in text] == [
            f"stream in.bad: {WRONG_TYPE}; the others go on, trying on"
        ]
    assert [row[1][5] for row in do("XRANGE", "out.bad", "-", "+")] == [b"2", b"4"]


def test_a_key_that_becomes_another_type_while_it_is_read(server: RedisServer) -> None:
    do = raw(server)
    with running(server.port, streams=["later", "steady"]) as (backend, intake):
        do("DEL", "later")
        do("SET", "later", "no stream")
        turn_until(lambda: backend.status()["not_ready"], "the reason", 30)
        assert f"stream later: {WRONG_TYPE}" in backend.status()["not_ready"]
        do("XADD", "steady", "*", "body", "1")
        assert arrived(intake, 1) == [b"1"]
        do("DEL", "later")
        do("XADD", "later", "*", "body", "2")
        assert arrived(intake, 2) == [b"1", b"2"]
        connected(backend)
        assert backend.status()["disconnects"] == 0


def test_a_key_that_the_user_may_not_use(server: RedisServer, tmp_path: Path) -> None:
    do = raw(server)
    mine = ("~mine", "~out.mine")
    do("ACL", "SETUSER", "hub", "on", ">right", "resetkeys", *mine, "resetchannels", *RIGHTS)
    given: dict[str, Any] = {"username": "hub", "password": password(tmp_path, "right"), "publish": "out.{topic}"}
    with running(server.port, wait=False, streams=["mine", "others"], **given) as (backend, intake):
        turn_until(lambda: backend.status()["subscriptions"] == ["mine"], "the stream that can be read")
        do("XADD", "mine", "*", "body", "1")
        assert arrived(intake, 1) == [b"1"]
        backend.confirm(intake.tokens)
        acknowledged(backend)
        found = outcomes(backend, Message("o", "others", b"", {}, 1000.0), Message("m", "mine", b"", {}, 1000.0))
        assert {type(one) for one in found} == {PlaceUnavailable, type(None)}
        assert any("stream out.others: NOPERM" in str(one) for one in found)
        assert "stream others: NOPERM" in backend.status()["not_ready"]
        assert backend.status()["disconnects"] == 0
        do("ACL", "SETUSER", "hub", "~others", "~out.others")
        published(backend, Message("o", "others", b"", {}, 1000.0))
        connected(backend)
        assert backend.status()["subscriptions"] == ["mine", "others"]


def test_refused_stream_of_another_type(server: RedisServer) -> None:
    do = raw(server)
    do("SET", "place", "no stream")
    given: dict[str, Any] = {"streams": ["sized"], "refused_stream": "place", "max_message_size": 1024}
    do("XADD", "sized", "*", "body", "x" * 2000)
    with running(server.port, **given) as (backend, intake):
        turn_until(lambda: backend.status()["not_ready"], "the reason", 30)
        assert "refused_stream: the key 'place' holds a string" in backend.status()["not_ready"]
        do("XADD", "sized", "*", "body", "1")
        arrived(intake, 1)
        backend.confirm(intake.tokens)
        turn_until(lambda: backend.status()["acked"] == 1, "the acknowledgement", 30)
        do("DEL", "place")
        acknowledged(backend)
        assert (backend.status()["buried"], backend.status()["disconnects"]) == (1, 0)
    assert do("XLEN", "place") == 1
