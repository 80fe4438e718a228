"""The Redis backend and a server of its own: rights, TLS, full memory, and one that stands still."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from hub.errors import Unavailable
from hub.message import Message
from tests.certificates import Authority
from tests.system.redis import RedisServer, raw
from tests.unit.backends.redis.clients import outcomes, published, running
from tests.unit.backends.support import Lines, Recorder, turn_for, turn_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]


def arrived(intake: Recorder, count: int) -> list[bytes]:
    turn_until(lambda: len(intake.messages) >= count, f"{count} messages", 30)
    return intake.bodies


def acknowledged(backend: Any) -> None:
    turn_until(lambda: backend.status()["unacknowledged"] == 0, "the acknowledgements", 30)


def password(directory: Path, text: str) -> str:
    (directory / text).write_text(f"{text}\n")
    return f"file:{directory / text}"


RIGHTS = [
    "+ping",
    "+select",
    "+xgroup|create",
    "+xreadgroup",
    "+xread",
    "+xack",
    "+xpending",
    "+xclaim",
    "+xautoclaim",
    "+xinfo|stream",
    "+xinfo|groups",
    "+xrange",
    "+xrevrange",
    "+xadd",
    "+xtrim",
    "+time",
    "+type",
    "+multi",
    "+exec",
    "+role",
    "+wait",
]
"""As docs/redis.rst has them."""


def test_a_user_with_the_documented_rights_and_one_with_a_wrong_password(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "server") as server:
        do = raw(server)
        do("ACL", "SETUSER", "hub", "on", ">right", "resetkeys", "~work", "~done", "resetchannels", *RIGHTS)
        lines = Lines()
        given: dict[str, Any] = {"username": "hub", "publish": "done", "trim": "acknowledged", "claim_idle": 1.0}
        with running(server.port, lines, wait=False, password=password(tmp_path, "wrong"), **given) as (backend, _):
            turn_until(lambda: backend.status()["handshake_failures"] >= 4, "the refusals", 30)
            assert backend.status()["state"] == "connecting"
            assert "invalid username-password pair" in backend.status()["not_ready"]
            assert len([text for text in lines.texts if "(subscribe)" in text]) == 1
        with running(server.port, password=password(tmp_path, "right"), **given) as (backend, intake):
            do("XADD", "work", "*", "body", "1")
            assert arrived(intake, 1) == [b"1"]
            backend.confirm(intake.tokens)
            acknowledged(backend)
            assert outcomes(backend, Message("x", "a", b"1", {}, 900.0)) == [None]
            turn_until(lambda: backend.status()["streams"], "the numbers")
            turn_for(1.5)  # for a look for what a dead hub had
            assert backend.status()["state"] == "connected"
            assert backend.status()["disconnects"] == 0


def test_tls_with_names_and_certificates_on_both_sides(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    mine = authority.sign("hub")
    with RedisServer(tmp_path / "server", authority=authority) as server:
        known: dict[str, Any] = {"connect": f"rediss://localhost:{server.tls_port}", "tls_ca_file": authority.file}
        given = {**known, "tls_certificate_file": mine.file, "tls_key": f"file:{mine.key}"}
        with running(server.port, publish="work", **given) as (backend, intake):
            assert outcomes(backend, Message("x", "a", b"1", {}, 1000.0)) == [None]
            arrived(intake, 1)
            backend.confirm(intake.tokens)
            acknowledged(backend)
        for wrong in (known, {**given, "tls_server_name": "other.example"}):
            refused(server.port, wrong)


ENDED = datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC)


@pytest.mark.parametrize("whose", ["the server's certificate", "the hub's own certificate"])
def test_a_certificate_that_has_expired_is_named_with_its_date(tmp_path: Path, whose: str) -> None:
    own = whose == "the hub's own certificate"
    authority, lines = Authority(tmp_path / "authority"), Lines()
    mine = authority.sign("hub", ends=ENDED if own else None)
    ends = None if own else ENDED
    with RedisServer(tmp_path / "server", authority=authority, ends=ends) as server:
        given: dict[str, Any] = {
            "connect": f"rediss://localhost:{server.tls_port}",
            "tls_ca_file": authority.file,
            "tls_certificate_file": mine.file,
            "tls_key": f"file:{mine.key}",
        }
        with running(server.port, lines, wait=False, **given) as (backend, _):
            turn_until(lambda: backend.status()["handshake_failures"] >= 2, "the refusals", 30)
            assert f"{whose} expired on 2024-02-29" in backend.status()["not_ready"]
            assert "certificate" in lines.texts[0]
            assert any(f"{whose} expired on 2024-02-29" in text for text in lines.texts)


def refused(port: int, given: dict[str, Any]) -> None:
    with running(port, wait=False, **given) as (backend, _):
        turn_until(lambda: backend.status()["handshake_failures"] >= 2, "the refusals", 30)
        assert backend.status()["state"] == "connecting"


def test_memory_that_is_full_holds_messages_back(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "server", options="maxmemory-policy noeviction\n") as server:
        do = raw(server)
        with running(server.port, publish="work") as (backend, intake):
            do("CONFIG", "SET", "maxmemory", "1")
            (found,) = outcomes(backend, Message("x", "a", b"1", {}, 1000.0))
            assert isinstance(found, Unavailable)
            assert "OOM command not allowed" in str(found)
            do("CONFIG", "SET", "maxmemory", "0")
            published(backend, Message("x", "a", b"1", {}, 1000.0))
            arrived(intake, 1)
            backend.confirm(intake.tokens)
            acknowledged(backend)


def test_a_server_that_stands_still_makes_no_second_entry(tmp_path: Path) -> None:
    """It has the XADD in its socket, and executes it when it goes on."""
    with RedisServer(tmp_path / "server") as server:
        given: dict[str, Any] = {"streams": [], "publish": "work", "timeout": 2.0, "reconnect_interval_max": 0.2}
        with running(server.port, **given) as (backend, _):
            assert outcomes(backend, Message("0", "a", b"0", {}, 1000.0)) == [None]
            server.stop_it()
            messages = [Message(str(number), "a", b"%d" % number, {}, 1000.0) for number in range(1, 20)]
            found = outcomes(backend, *messages)
            assert {type(one) for one in found} == {Unavailable}
            assert "does not answer" in str(found[0])
            assert backend.status()["state"] == "connecting"
            server.go_on()
            published(backend, *messages)
        rows = raw(server)("XRANGE", "work", "-", "+")
        ids = [row[1][1] for row in rows]
        assert sorted(map(int, ids)) == list(range(20))
