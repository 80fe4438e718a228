"""Publishing: what is confirmed, what is refused, and what becomes of a message whose answer was lost."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from hub.backends import recent_refusal
from hub.backends.redis import doubts
from hub.backends.redis.publisher import Publisher
from hub.errors import CannotPublish, PlaceUnavailable, Unavailable
from hub.message import Message
from tests.unit.backends.redis.clients import outcomes, published, running, settings
from tests.unit.backends.redis.double import Double
from tests.unit.backends.support import Lines, hub_context, turn_until


def message(number: int, created: float = 1000.0) -> Message:
    """As a consumer publishes it, after the start (at 1000)."""
    return Message(f"id-{number}", "a.b", b"%d" % number, {}, created)


def publisher(server: Double, lines: Lines | None = None, **given: Any) -> Any:
    return running(server.port, lines, **{"streams": [], "publish": "out", "reconnect_interval_max": 0.1, **given})


def test_a_message_is_an_entry(server: Double) -> None:
    with publisher(server, publish="out.{topic}", publish_max_length=1000) as (backend, _):
        assert outcomes(backend, *map(message, range(20))) == [None] * 20
        assert server.streams.bodies("out.a.b") == [b"%d" % number for number in range(20)]
        status = backend.status()
        assert (status["published"], status["publish_failed"], status["found_again"]) == (20, 0, 0)


def test_a_lost_answer_makes_no_second_entry(server: Double) -> None:
    """The first XADD was executed, and the connection ended: the message is found, and confirmed."""
    with publisher(server) as (backend, _):
        lost: list[object] = []

        def swallow(command: list[bytes]) -> bool:
            if command[0] == b"XADD" and not lost:
                lost.append(command)
                return True
            return False

        server.swallow = swallow
        (found,) = outcomes(backend, message(1))
        assert isinstance(found, Unavailable)
        published(backend, message(1))
        assert server.streams.bodies("out") == [b"1"]
        assert backend.status()["found_again"] == 1
        published(backend, message(2))
        assert server.streams.bodies("out") == [b"1", b"2"]


def test_a_command_that_did_not_arrive_is_sent_again(server: Double) -> None:
    with publisher(server) as (backend, _):
        ended: list[object] = []

        def refuse(command: list[bytes]) -> str | None:
            if command[0] == b"XADD" and not ended:
                ended.append(command)
                server.drop()
                raise OSError("gone")
            return None

        server.refuse = refuse
        (found,) = outcomes(backend, message(1))
        assert isinstance(found, Unavailable)
        published(backend, message(1))
        assert server.streams.bodies("out") == [b"1"]
        assert backend.status()["found_again"] == 0


def test_what_an_earlier_run_may_have_sent_is_looked_for(server: Double) -> None:
    with publisher(server) as (backend, _):
        assert outcomes(backend, message(1)) == [None]
    with publisher(server) as (backend, _):
        assert outcomes(backend, message(1, 900.0), message(2, 900.0)) == [None, None]
        assert server.streams.bodies("out") == [b"1", b"2"]
        assert backend.status()["found_again"] == 1


def test_a_stream_that_is_too_long_to_look_through_is_told(server: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doubts, "PAGE", 2)
    monkeypatch.setattr(doubts, "MOST_PAGES", 2)
    lines = Lines()
    for number in range(10):
        server.do("XADD", "out", "*", "id", f"other-{number}")
    with publisher(server, lines) as (backend, _):
        assert outcomes(backend, message(1, 900.0)) == [None]
        assert backend.status()["repeated"] == 1
        assert any("1 messages may be in it twice" in text for text in lines.texts)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("OOM command not allowed when used memory > 'maxmemory'.", Unavailable),
        ("NOPERM this user has no permissions to run the 'xadd' command", PlaceUnavailable),
        ("WRONGTYPE Operation against a key holding the wrong kind of value", PlaceUnavailable),
        ("READONLY You can't write against a read only replica.", Unavailable),
        ("ERR string exceeds maximum allowed size (proto-max-bulk-len)", CannotPublish),
    ],
)
def test_a_refusal_is_for_now_or_for_ever(server: Double, text: str, error: type[Exception]) -> None:
    with publisher(server) as (backend, _):
        server.refuse = lambda command: text if command[0] == b"XADD" else None
        found = outcomes(backend, message(1), message(2))
        assert [type(one) for one in found] == [error, error]
        assert text.partition(" ")[2] in str(found[0])
        server.refuse = lambda command: None
        published(backend, message(3))
        assert server.streams.bodies("out") == [b"3"]


def test_a_server_that_takes_nothing_makes_the_hub_not_ready_until_it_does(server: Double) -> None:
    with publisher(server) as (backend, _):
        server.refuse = lambda command: "MISCONF errors writing to disk" if command[0] == b"XADD" else None
        outcomes(backend, message(1))
        assert backend.status()["state"] == "connecting"
        assert "no message is published" in backend.status()["not_ready"]
        assert "MISCONF errors writing to disk" in backend.status()["not_ready"]
        server.refuse = lambda command: "NOPERM no" if command[0] == b"XADD" else None
        outcomes(backend, message(1))
        assert "MISCONF" in backend.status()["not_ready"]  # this says nothing of the server
        server.refuse = lambda command: None
        published(backend, message(1))
        assert backend.status()["not_ready"] is None


WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"


@pytest.mark.parametrize("command", [b"XADD", b"XREVRANGE", b"XRANGE"])
def test_a_stream_that_is_refused_holds_up_no_other(server: Double, command: bytes) -> None:
    """Of one with the wrong type all commands are refused: the question for its highest id, and the look for a message
    of an earlier run."""
    created = 900.0 if command == b"XRANGE" else 1000.0
    with publisher(server, publish="out.{topic}") as (backend, _):
        server.refuse = lambda words: WRONG_TYPE if words[0] == command and words[1] == b"out.bad" else None
        messages = [Message(topic, topic, b"%d" % number, {}, created) for number, topic in enumerate(["bad", "good"])]
        found = dict(
            zip(["bad", "good"], sorted(outcomes(backend, *messages), key=lambda one: one is None), strict=True)
        )
        assert isinstance(found["bad"], PlaceUnavailable)
        assert str(found["bad"]) == f"the server refuses it now: stream out.bad: {WRONG_TYPE}"
        assert found["good"] is None
        assert server.streams.bodies("out.good") == [b"1"]
        row = backend.status()
        assert (row["state"], row["disconnects"]) == ("connecting", 0)
        told = f"redis://127.0.0.1:{server.port}: no message is published to the stream out.bad: {WRONG_TYPE}"
        assert row["not_ready"] == told
        server.refuse = lambda words: None
        published(backend, messages[0])
        assert server.streams.bodies("out.bad") == [b"0"]
        assert backend.status()["not_ready"] is None


def test_what_can_not_be_looked_for_is_not_added_twice(server: Double) -> None:
    """Its answer was lost, and nobody can tell whether it is there while the look is refused."""
    lost: list[object] = []

    def swallow(words: list[bytes]) -> bool:
        if words[0] == b"XADD" and not lost:
            lost.append(words)
            return True
        return False

    with publisher(server) as (backend, _):
        server.swallow = swallow
        server.refuse = lambda words: "NOPERM no" if words[0] == b"XRANGE" else None
        outcomes(backend, message(1))
        turn_until(lambda: backend.status()["state"] == "connected", "the connection")
        assert isinstance(outcomes(backend, message(1))[0], PlaceUnavailable)
        assert isinstance(outcomes(backend, message(1))[0], PlaceUnavailable)
        server.refuse = lambda words: None
        published(backend, message(1))
        assert server.streams.bodies("out") == [b"1"]


def test_a_channel_that_is_refused_is_named(server: Double) -> None:
    with publisher(server, publish=None, publish_channel="{topic}") as (backend, _):
        server.refuse = lambda words: "NOPERM no" if words[0] == b"PUBLISH" else None
        assert "channel a.b: NOPERM no" in str(outcomes(backend, message(1))[0])
        assert "published to the channel a.b: NOPERM no" in backend.status()["not_ready"]


def test_a_refusal_is_of_the_past_when_nobody_has_tried_for_long(
    server: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent_refusal, "FORGET", 0.5)
    with publisher(server) as (backend, _):
        server.refuse = lambda command: "OOM no" if command[0] == b"XADD" else None
        outcomes(backend, message(1))
        assert backend.status()["not_ready"]
        turn_until(lambda: backend.status()["not_ready"] is None, "readiness")


def test_a_server_that_is_no_master_is_left(server: Double) -> None:
    with publisher(server) as (backend, _):
        server.refuse = lambda command: "READONLY You can't write" if command[0] == b"XADD" else None
        outcomes(backend, message(1))
        turn_until(lambda: backend.status()["disconnects"] == 1, "another connection")


def test_without_enough_replicas_nothing_is_confirmed_and_nothing_is_doubled(server: Double) -> None:
    with publisher(server, wait_replicas=1, timeout=0.5) as (backend, _):
        for _ in range(2):
            (found,) = outcomes(backend, message(1))
            assert "0 of 1 replicas have it" in str(found)
        server.replicas = 1
        assert outcomes(backend, message(1)) == [None]
        assert server.streams.bodies("out") == [b"1"]


def test_without_a_connection_it_is_for_now(server: Double) -> None:
    with publisher(server) as (backend, _):
        server.__exit__()
        turn_until(lambda: backend.status()["state"] == "connecting", "the end of the connection")
        with pytest.raises(Unavailable, match="no connection to the server"):
            backend.publish(message(1))
        assert backend.status()["publish_failed"] == 1


def test_channels_are_told_and_those_that_nobody_hears_are_counted(server: Double) -> None:
    with publisher(server, publish=None, publish_channel="{topic}") as (backend, _):
        assert outcomes(backend, message(1)) == [None]
        assert backend.status()["unheard"] == 1
        with running(server.port, streams=[], channels=["a.b"]) as (_, intake):
            assert outcomes(backend, message(2)) == [None]
            turn_until(lambda: intake.bodies == [b"2"], "the message")
        assert backend.status()["unheard"] == 1


def test_a_connection_that_ends_meanwhile_leaves_no_message_without_an_answer() -> None:
    made = Publisher(hub_context(settings(1, streams=[], publish="out")))
    link: Any = SimpleNamespace(usable=True, error="it is gone")
    made.link = link

    class EndsFirst(threading.Condition):
        """A lock that is taken after the link's thread has had it."""

        def __enter__(self) -> bool:
            if link.usable:
                link.usable = False
                made.lost("it is gone")
            return super().__enter__()

    made._changed = EndsFirst()
    with pytest.raises(Unavailable, match="it is gone"):
        made.publish(message(1))
    assert made.status()["publish_failed"] == 1
