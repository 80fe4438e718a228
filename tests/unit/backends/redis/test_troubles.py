"""One stream that the server refuses: the others go on, and it is told which one it is."""

from __future__ import annotations

from typing import Any

import pytest

from hub.backends.recent_refusal import FORGET
from hub.backends.redis.line import ErrorReply
from hub.backends.redis.troubles import MOST, Troubles
from tests.unit.backends.redis.clients import connected, running
from tests.unit.backends.redis.double import Double
from tests.unit.backends.support import Lines, hub_context, turn_until

WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"


class Told(Troubles):
    """Troubles on a clock that is set."""

    def __init__(self) -> None:
        self.now, self.lines = 0.0, Lines()
        super().__init__(lambda: self.now, hub_context(None, self.lines).log)


def test_a_trouble_is_logged_once_until_nothing_is_in_the_way() -> None:
    troubles = Told()
    for job in ("read", "claim", "read"):
        troubles.note("a", job, ErrorReply(WRONG_TYPE))
    assert troubles.reason == f"a: {WRONG_TYPE}"
    assert troubles.lines.texts == [f"stream a: {WRONG_TYPE}; the others go on, trying on"]
    troubles.clear("a", "read")
    assert troubles.reason
    troubles.clear("a", "claim")
    assert not troubles.reason
    assert troubles.lines.texts[1:] == ["stream a: nothing is refused any more"]
    troubles.note("a", "read", ErrorReply(WRONG_TYPE))
    assert len(troubles.lines.texts) == 3


def test_a_new_connection_does_not_log_it_again() -> None:
    troubles = Told()
    troubles.note("a", "read", ErrorReply("NOPERM no"))
    troubles.forget("read")
    assert not troubles.reason
    troubles.note("a", "read", ErrorReply("NOPERM no"))
    assert (troubles.reason, len(troubles.lines.texts)) == ("a: NOPERM no", 1)


def test_names_are_short_and_safe_and_their_number_is_bounded() -> None:
    troubles = Told()
    for number in range(MOST + 50):
        troubles.note(f"{number}\n{'x' * 500}", "read", ErrorReply("NOPERM no"))
    assert len(troubles._found) == len(troubles._logged) == MOST
    assert "\n" not in troubles.reason
    assert len(troubles.reason) < 200
    assert troubles.reason.endswith(f"NOPERM no (and {MOST - 1} more)")
    assert max(map(len, troubles.lines.texts)) < 200


def test_what_nobody_has_tried_for_long_is_of_the_past() -> None:
    troubles = Told()
    troubles.note("a", "read", ErrorReply("NOPERM no"))
    troubles.now = FORGET + 1
    assert not troubles.reason


def refusing(text: str, key: bytes, *commands: bytes) -> Any:
    """Refuses commands that name the key: these, or all of them."""
    return lambda words: text if key in words and (not commands or words[0] in commands) else None


@pytest.mark.parametrize("text", [WRONG_TYPE, "NOPERM this user has no permissions to access one of the keys"])
@pytest.mark.parametrize("when", ["at the start", "later"])
def test_one_stream_that_can_not_be_read_holds_up_no_other(server: Double, text: str, when: str) -> None:
    lines = Lines()
    given: dict[str, Any] = {"streams": ["work", "bad"], "reconnect_interval_max": 0.1}
    if when == "at the start":
        server.refuse = refusing(text, b"bad")
    with running(server.port, lines, wait=False, **given) as (backend, intake):
        turn_until(lambda: "work" in backend.status()["subscriptions"], "the stream that can be read")
        server.refuse = refusing(text, b"bad")
        for number in range(3):
            server.do("XADD", "work", "*", "body", number)
            turn_until(lambda: len(intake.messages) == number + 1, "the message")  # noqa: B023
            turn_until(lambda: backend.status()["not_ready"], "the reason")
            backend.confirm(intake.tokens[number:])
        turn_until(lambda: backend.status()["unacknowledged"] == 0, "the acknowledgements")
        row = backend.status()
        assert (row["state"], row["subscriptions"], row["disconnects"]) == ("connecting", ["work"], 0)
        assert row["not_ready"] == f"redis://127.0.0.1:{server.port}: stream bad: {text}"
        assert [line for line in lines.texts if text in line] == [f"stream bad: {text}; the others go on, trying on"]
        server.refuse = lambda words: None
        connected(backend)
        assert backend.status()["subscriptions"] == ["work", "bad"]
        server.do("XADD", "bad", "*", "body", "mended")
        turn_until(lambda: b"mended" in intake.bodies, "the message of the other")
        assert "stream bad: nothing is refused any more" in lines.texts


def test_where_all_are_refused_each_is_named(server: Double) -> None:
    server.refuse = lambda words: f"NOPERM no {words[-2].decode()}" if words[0] == b"XREADGROUP" else None
    with running(server.port, wait=False, streams=["a", "b"], reconnect_interval_max=0.1) as (backend, _):
        turn_until(lambda: backend.status()["handshake_failures"] > 2, "some attempts")
        assert "stream a: NOPERM no a; stream b: NOPERM no b" in backend.status()["not_ready"]


def test_an_acknowledgement_that_is_refused_holds_up_no_other(server: Double) -> None:
    for stream in ("a", "b"):
        server.do("XADD", stream, "*", "body", stream)
    server.refuse = refusing("NOPERM no", b"a", b"XACK")
    with running(server.port, streams=["a", "b"]) as (backend, intake):
        turn_until(lambda: len(intake.messages) == 2, "the messages")
        backend.confirm(intake.tokens)
        turn_until(lambda: backend.status()["acked"] == 1, "one acknowledgement")
        turn_until(lambda: backend.status()["not_ready"], "the reason")
        row = backend.status()
        assert "stream a: NOPERM no" in row["not_ready"]
        assert (row["disconnects"], row["unacknowledged"]) == (0, 1)
        assert server.do("XPENDING", "b", "hubbub")[0] == 0
        server.refuse = lambda words: None
        turn_until(lambda: backend.status()["unacknowledged"] == 0, "the other acknowledgement")
        connected(backend)
    assert server.do("XPENDING", "a", "hubbub")[0] == 0


@pytest.mark.parametrize("command", [b"XINFO", b"XAUTOCLAIM", b"XTRIM"])
def test_what_is_refused_of_one_stream_is_done_for_the_others(server: Double, command: bytes) -> None:
    given: dict[str, Any] = {"streams": ["a", "b"], "claim_idle": 1.0, "trim": "always", "keep_length": 1}
    server.refuse = refusing("NOPERM no", b"a", command)
    with running(server.port, wait=False, **given) as (backend, intake):
        turn_until(
            lambda: backend.status()["not_ready"] and "stream a: NOPERM no" in backend.status()["not_ready"], "it"
        )
        done = [name for name in server.commands if name.encode() == command]
        turn_until(lambda: server.commands.count(command.decode()) > len(done) + 2, "further attempts", 30)
        server.do("XADD", "b", "*", "body", "1")
        turn_until(lambda: intake.messages, "the message")
        backend.confirm(intake.tokens)
        turn_until(lambda: backend.status()["unacknowledged"] == 0, "the acknowledgement")
        assert backend.status()["disconnects"] == 0
        server.refuse = lambda words: None
        connected(backend)


def test_a_refused_stream_of_another_type_holds_up_no_acknowledgement(server: Double) -> None:
    server.refuse = refusing("WRONGTYPE no", b"refused", b"TYPE")
    given: dict[str, Any] = {"streams": ["a", "b"], "refused_stream": "refused", "max_message_size": 1024}
    server.do("XADD", "a", "*", "body", "x" * 2000)
    with running(server.port, **given) as (backend, intake):
        turn_until(lambda: backend.status()["not_ready"], "the reason")
        for number in range(3):
            server.do("XADD", "a", "*", "body", number)
            turn_until(lambda: len(intake.messages) > number, "the message")  # noqa: B023
            backend.confirm(intake.tokens[number:])
            turn_until(lambda: backend.status()["unacknowledged"] == 1, "the acknowledgement")
        assert backend.status()["disconnects"] == backend.status()["buried"] == 0
        server.refuse = lambda words: None
        turn_until(lambda: backend.status()["buried"] == 1, "the move")
        connected(backend)
    assert len(server.streams.bodies("refused")) == 1


def test_a_group_that_is_there_is_read_where_the_server_is_full(server: Double) -> None:
    """It takes no XGROUP then."""
    server.do("XADD", "work", "*", "body", "1")
    server.do("XGROUP", "CREATE", "work", "hubbub", "0")
    server.refuse = lambda words: "OOM command not allowed" if words[0] in (b"XGROUP", b"XADD") else None
    with running(server.port) as (_, intake):
        turn_until(lambda: intake.bodies == [b"1"], "the message")
