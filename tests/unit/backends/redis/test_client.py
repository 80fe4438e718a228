"""The backend as a whole, on a double of a server: what goes wrong, and what becomes of it."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

import pytest

from hub.backends.redis.client import Redis
from hub.backends.redis.group import Found
from hub.errors import ConfigError, Unavailable
from hub.message import Message
from tests.support import PATIENCE
from tests.unit.backends.redis.clients import connected, make, running, settings
from tests.unit.backends.redis.double import Double
from tests.unit.backends.support import Lines, Recorder, hub_context, stop, turn_until

CERTIFICATE = {"tls_certificate_file": Path("/nowhere/a.pem"), "tls_key": "file:/etc/hostname"}


def fill(server: Double, *numbers: int, stream: str = "work") -> None:
    for number in numbers:
        server.do("XADD", stream, "*", "body", number)


def arrived(intake: Recorder, count: int) -> list[bytes]:
    turn_until(lambda: len(intake.messages) >= count, f"{count} messages")
    return intake.bodies


def acknowledged(backend: Redis) -> None:
    turn_until(lambda: backend.status()["unacknowledged"] == 0, "the acknowledgements")


def test_what_is_confirmed_is_acknowledged_and_the_rest_comes_again(server: Double) -> None:
    fill(server, *range(5))
    with running(server.port) as (backend, intake):
        arrived(intake, 5)
        backend.confirm([intake.tokens[1], intake.tokens[3]])
        turn_until(lambda: backend.status()["unacknowledged"] == 3, "the acknowledgements")
    with running(server.port) as (backend, intake):
        assert arrived(intake, 3) == [b"0", b"2", b"4"]
        assert all(one.headers["redelivered"] is True for one in intake.messages)
        assert backend.status()["redelivered"] == 3
        backend.confirm(intake.tokens)
        acknowledged(backend)
    assert server.do("XPENDING", "work", "hubbub")[0] == 0


def test_what_was_settled_before_a_stop_is_acknowledged_whatever_the_keeper_does(server: Double) -> None:
    counts, stops = threading.Event(), threading.Event()

    def refuse(command: list[bytes]) -> None:
        if command[0] == b"XINFO":
            counts.set()
            assert stops.wait(10 * PATIENCE)

    server.refuse = refuse
    fill(server, 1, 2)
    with running(server.port) as (backend, intake):
        arrived(intake, 2)
        turn_until(counts.is_set, "the keeper to count")
        backend.confirm(intake.tokens)
        ended = backend.stop()
        stops.set()
        turn_until(lambda: ended.called, "the stop")
    assert server.do("XPENDING", "work", "hubbub")[0] == 0


def test_after_a_lost_connection_nothing_in_hand_comes_twice(server: Double) -> None:
    fill(server, 1, 2)
    with running(server.port, reconnect_interval_max=0.1) as (backend, intake):
        arrived(intake, 2)
        server.drop()
        turn_until(lambda: backend.status()["disconnects"] >= 2, "the end of the connections")
        connected(backend)
        fill(server, 3)
        assert arrived(intake, 3) == [b"1", b"2", b"3"]
        backend.confirm(intake.tokens)
        acknowledged(backend)


def test_an_answer_that_was_lost_is_read_again(server: Double) -> None:
    lost: list[object] = []

    def swallow(command: list[bytes]) -> bool:
        if command[0] == b"XREADGROUP" and command[-1] == b">" and not lost and server.streams.all[b"work"].entries:
            lost.append(command)
            return True
        return False

    with running(server.port, reconnect_interval_max=0.1) as (backend, intake):
        server.swallow = swallow
        fill(server, 1, 2)
        assert arrived(intake, 2) == [b"1", b"2"]
        assert len(lost) == 1
        backend.confirm(intake.tokens)
        acknowledged(backend)


def test_what_an_answer_brings_while_the_hub_is_held_back_is_told(server: Double) -> None:
    with running(server.port) as (backend, intake):
        backend.pause()
        backend._deliveries.deliver("work", [Found(b"1-0", [b"body", b"x" * 1000])])  # as the read under way does
        turn_until(lambda: backend.status()["held_bytes"] == 1004, "the answer")
        assert intake.messages == []
        backend.resume()
        assert (intake.bodies, backend.status()["held_bytes"]) == ([b"x" * 1000], 0)


def test_reading_stops_at_the_prefetch(server: Double) -> None:
    fill(server, *range(50))
    with running(server.port, prefetch=20, count=7) as (backend, intake):
        arrived(intake, 20)
        assert backend.status()["unacknowledged"] == 20
        backend.confirm(intake.tokens[:10])
        arrived(intake, 30)
        assert backend.status()["unacknowledged"] <= 20
        given = 10

        def all_there() -> bool:
            nonlocal given
            backend.confirm(intake.tokens[given:])
            given = len(intake.tokens)
            return given == 50

        turn_until(all_there, "the others")
        assert intake.bodies == [b"%d" % number for number in range(50)]


def test_what_a_dead_hub_had_is_taken_over(server: Double) -> None:
    fill(server, 1, 2, 3)
    server.do("XGROUP", "CREATE", "work", "hubbub", "0")
    server.do("XREADGROUP", "GROUP", "hubbub", "dead", "COUNT", 2, "STREAMS", "work", ">")
    with running(server.port, claim_idle=1.0) as (backend, intake):
        arrived(intake, 3)
        assert sorted(intake.bodies) == [b"1", b"2", b"3"]
        turn_until(lambda: backend.status()["claimed"] == 2, "the count")
        backend.confirm(intake.tokens)
        acknowledged(backend)


def test_a_slow_hub_keeps_its_own(server: Double) -> None:
    fill(server, 1, 2)
    with running(server.port, claim_idle=4.0, consumer="slow") as (slow, intake):
        arrived(intake, 2)
        with running(server.port, claim_idle=4.0, consumer="eager") as (eager, other):
            claims = len([one for one in server.commands if one == "XAUTOCLAIM"])
            turn_until(lambda: server.commands.count("XAUTOCLAIM") > claims + 3, "four looks for what is left", 30)
            assert other.messages == []
            assert eager.status()["claimed"] == 0
        slow.confirm(intake.tokens)
        acknowledged(slow)


@pytest.mark.parametrize("bus", [{"refused_stream": "refused"}, {"streams": [], "channels": ["work"]}])
def test_an_unexpected_error_of_the_format_costs_one_message(server: Double, bus: dict[str, Any]) -> None:
    lines = Lines()
    with running(server.port, lines, **bus) as (backend, intake):
        reads = backend._deliveries._format.read

        def read(message: Message) -> Message:
            if message.body == b"bad":
                1 / 0  # noqa: B018
            return reads(message)

        backend._deliveries._format.read = backend._listener._format.read = read  # type: ignore[method-assign]
        for body in ("1", "bad", "2"):
            server.do(*(["PUBLISH", "work", body] if "channels" in bus else ["XADD", "work", "*", "body", body]))
        turn_until(lambda: intake.bodies == [b"1", b"2"] and intake.refused, "the messages")
        ((message, reason),) = intake.refused
        assert (message.topic, message.body) == ("work", b"bad")
        assert reason == "the hub failed on it: ZeroDivisionError: division by zero"
        assert (backend.status()["malformed"], backend.status()["disconnects"]) == ({"internal_error": 1}, 0)
        assert any("internal error, a message is refused" in text for text in lines.texts)
        if "refused_stream" in bus:
            turn_until(lambda: server.streams.bodies("refused") == [b"bad"], "the move")


def test_what_was_trimmed_before_it_was_worked_is_counted(server: Double) -> None:
    fill(server, 1, 2)
    server.do("XGROUP", "CREATE", "work", "hubbub", "0")
    server.do("XREADGROUP", "GROUP", "hubbub", "me", "COUNT", 2, "STREAMS", "work", ">")
    server.do("XTRIM", "work", "MAXLEN", "1")
    with running(server.port, consumer="me") as (backend, intake):
        assert arrived(intake, 1) == [b"2"]
        turn_until(lambda: backend.status()["malformed"] == {"trimmed": 1}, "the count")
        backend.confirm(intake.tokens)
        acknowledged(backend)


def test_one_that_was_delivered_too_often_is_moved(server: Double) -> None:
    fill(server, 1, 2)
    for _ in range(3):
        with running(server.port) as (_, intake):
            arrived(intake, 2)
    with running(server.port, max_deliveries=3, refused_stream="refused") as (backend, intake):
        turn_until(lambda: backend.status()["buried"] == 2, "the moves")
        assert intake.messages == []
        assert [reason for _, reason in intake.refused] == ["it was delivered 4 times, and never acknowledged"] * 2
        assert backend.status()["malformed"] == {"deliveries": 2}
    fields = [row[1] for row in server.do("XRANGE", "refused", "-", "+")]
    assert [one[:2] for one in fields] == [[b"body", b"1"], [b"body", b"2"]]
    assert {b"refused-reason", b"refused-from"} <= set(fields[0])


def test_a_move_whose_answer_was_lost_moves_nothing_twice(server: Double) -> None:
    lost: list[object] = []

    def swallow(command: list[bytes]) -> bool:
        if command[0] == b"EXEC" and not lost:
            lost.append(command)
            return True
        return False

    server.swallow = swallow
    server.do("XADD", "work", "*", "body", "x" * 2000)
    with running(server.port, max_message_size=1024, refused_stream="refused", reconnect_interval_max=0.1) as (
        backend,
        _,
    ):
        turn_until(lambda: backend.status()["buried"] == 1, "the move")
        assert backend.status()["malformed"] == {"oversize": 1}
    assert len(server.streams.bodies("refused")) == 1


@pytest.mark.parametrize("gone", ["group", "stream"])
def test_a_deleted_group_or_stream_is_made_again_and_loses_nothing(server: Double, gone: str) -> None:
    lines = Lines()
    fill(server, 1, 2)
    with running(server.port, lines, reconnect_interval_max=0.1) as (backend, intake):
        arrived(intake, 2)
        backend.confirm(intake.tokens)
        acknowledged(backend)
        turn_until(lambda: backend.status()["pending_on_bus"] == 0, "the numbers")
        if gone == "stream":
            del server.streams.all[b"work"]
        else:
            server.streams.all[b"work"].groups.clear()
        fill(server, 3)
        turn_until(lambda: b"3" in intake.bodies, "the message")
        connected(backend)
        backend.confirm(intake.tokens)
        acknowledged(backend)
    assert sum("NOGROUP" in text for text in lines.texts) <= 2  # of the reader, and of the keeper


def test_a_refusal_is_told_once_and_keeps_it_red(server: Double) -> None:
    lines = Lines()
    server.refuse = lambda command: "NOPERM no permissions" if command[0] == b"XREADGROUP" else None
    with running(server.port, lines, wait=False, reconnect_interval_max=0.1) as (backend, _):
        turn_until(lambda: backend.status()["handshake_failures"] > 3, "some attempts")
        status = backend.status()
        assert status["state"] == "connecting"
        assert "NOPERM no permissions" in status["not_ready"]
        assert status["subscriptions"] == []
        assert len([text for text in lines.texts if "NOPERM" in text]) == 1
        server.refuse = lambda command: None
        connected(backend)
        assert backend.status()["not_ready"] is None
        assert backend.status()["subscriptions"] == ["work"]


def test_the_backlog_is_that_of_the_group(server: Double) -> None:
    fill(server, *range(30))
    with running(server.port, prefetch=10) as (backend, intake):
        arrived(intake, 10)
        turn_until(lambda: backend.status()["pending_on_bus"] == 10, "the numbers", 30)
        row = backend.status()
        assert row["streams"] == {"work": {"exact": True, "trim_held_by": None}}
        assert (row["backlog_on_bus"], row["backlog_on_bus_by"], row["pending_on_bus_by"]) == (
            30,
            {"work": 30},
            {"work": 10},
        )
        stop(backend)
        row = backend.status()
        assert (row["backlog_on_bus"], row["pending_on_bus"], row["backlog_on_bus_by"]) == (None, None, {})


def test_it_says_that_others_can_read(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret\n")
    lines = Lines()
    backend = make(1, lines, connect="redis://192.0.2.1:1", password=f"file:{tmp_path}/password")
    backend.start(Recorder())
    assert any("sent unencrypted" in text for text in lines.texts)
    assert "secret" not in str(lines.texts) + str(backend.status())
    stop(backend)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"password": "file:/nowhere/password"}, "can't be read"),
        ({"connect": "rediss://localhost", "tls_ca_file": Path("/nowhere/ca.pem")}, "tls_ca_file"),
        ({"connect": "rediss://localhost", **CERTIFICATE}, "tls_certificate_file and tls_key"),
    ],
)
def test_what_can_not_be_read_is_told_at_the_start(given: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        make(1, **given).start(Recorder())


def test_one_that_does_not_run_takes_nothing(server: Double) -> None:
    with pytest.raises(Unavailable, match="does not run"):
        make(server.port, publish="out").publish(Message("x", "a", b""))


def test_an_unexpected_error_ends_no_thread(server: Double, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        backend = Redis(hub_context(settings(server.port)), uniform=lambda least, most: 0.01)
        keeper: Any = backend._keeper
        keeper._freshen = lambda line, group: 1 / 0
        backend.start(Recorder())
        turn_until(lambda: backend.status()["handshake_failures"] >= 2, "two attempts")
        del keeper._freshen
        connected(backend)
        stop(backend)
