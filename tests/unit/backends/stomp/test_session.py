"""Sessions from CONNECT to DISCONNECT: versions, logins, receipts, errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.backends.stomp.login import Hash, Users
from tests.unit.backends.stomp.bench import Bench, Line, frame, send


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize(
    ("accept", "version"),
    [(None, "1.0"), ("1.0", "1.0"), ("1.0,1.1", "1.1"), ("1.1,1.2,2.0", "1.2"), ("1.2", "1.2")],
)
@pytest.mark.parametrize("command", ["CONNECT", "STOMP"])
def test_the_highest_common_version_is_agreed_on(bench: Bench, command: str, accept: str | None, version: str) -> None:
    line = Line(bench)
    line.write(frame(command, **({} if accept is None else {"accept_version": accept})))
    (answer,) = line.frames()
    assert (answer.command, answer.headers["version"], line.version) == ("CONNECTED", version, version)
    assert answer.headers["heart-beat"] == "0,0"
    assert answer.headers["server"].startswith("hubbub/")


def test_without_one_the_error_names_those_that_there_are(bench: Bench) -> None:
    line = Line(bench)
    answer = line.connect("2.0")
    assert (answer.command, answer.headers["version"], line.over) == ("ERROR", "1.0,1.1,1.2", True)


def test_heart_beats_are_negotiated_and_nonsense_is_refused(bench: Bench) -> None:
    line = Line(bench)
    assert line.connect(heart_beat="500,3000").headers["heart-beat"] == "3000,1000"
    line = Line(bench)
    assert "heart-beat" in line.connect(heart_beat="soon").headers["message"]


@pytest.mark.parametrize("command", ["SEND", "SUBSCRIBE", "DISCONNECT", "NOSUCH"])
def test_nothing_is_done_before_connect(bench: Bench, command: str) -> None:
    line = Line(bench)
    line.write(frame(command, destination="/queue/a", id="1"))
    assert "CONNECT" in line.error()


def test_nobody_connects_twice(bench: Bench) -> None:
    line = bench.line()
    line.write(frame("CONNECT"))
    assert "already" in line.error()


@pytest.mark.parametrize(("host", "accepted"), [(None, True), ("hub.example", True), ("other", False)])
def test_virtual_hosts_are_checked_where_there_are_some(host: str | None, accepted: bool) -> None:
    line = Line(Bench(virtual_hosts=["hub.example"]))
    answer = line.connect(**({} if host is None else {"host": host}))
    assert answer.command == ("CONNECTED" if accepted else "ERROR")
    assert Line(Bench()).connect(**({} if host is None else {"host": host})).command == "CONNECTED"


def test_a_passcode_is_checked_in_a_thread_and_later_frames_wait() -> None:
    bench = Bench(users=Users({"alice": Hash.of("one")}))
    line = Line(bench)
    line.write(frame("CONNECT", accept_version="1.2", login="alice", passcode="one"))
    assert (line.paused, line.logged_in) == (True, False)
    line.write(frame("SEND", b"x", destination="/queue/a", receipt="1"))
    bench.turn()
    answers = [one.command for one in line.frames()]
    assert (answers, line.paused, line.session.user) == (["CONNECTED", "RECEIPT"], False, "alice")
    again = Line(bench)
    again.write(frame("CONNECT", accept_version="1.2", login="alice", passcode="one"))
    assert not again.paused  # no second hash for what was right once
    assert again.frames()[0].command == "CONNECTED"


@pytest.mark.parametrize(
    "given", [{}, {"login": "alice"}, {"login": "alice", "passcode": "two"}, {"login": "bob", "passcode": "one"}]
)
def test_a_wrong_login_is_refused_counted_and_nothing_of_it_is_done(given: dict[str, str]) -> None:
    bench = Bench(users=Users({"alice": Hash.of("one")}))
    line = Line(bench)
    line.write(frame("CONNECT", accept_version="1.2", **given))
    if not line.over:
        line.write(frame("SEND", b"x", destination="/queue/a"))
    bench.turn()
    assert "login" in line.error()
    assert bench.broker.counters.refused_logins == 1
    assert bench.hall.declared.named("a") is None


def test_a_client_that_goes_while_it_is_checked_is_forgotten() -> None:
    bench = Bench(users=Users({"alice": Hash.of("one")}))
    line = Line(bench)
    line.write(frame("CONNECT", accept_version="1.2", login="alice", passcode="one"))
    line.hang_up()
    bench.turn()
    assert (line.frames(), bench.broker.sessions) == ([], {})


def test_who_comes_through_a_proxy_needs_a_login() -> None:
    bench = Bench()
    line = Line(bench)
    line.loopback = False
    line.write(frame("CONNECT", accept_version="1.2"))
    assert line.error() == "clients behind a proxy need a login, and this server has no users_file"
    assert line.over


def test_a_certificate_is_a_login() -> None:
    bench = Bench()
    bench.authentication._certificates = True
    line = Line(bench, certificate="carol")
    line.connect()
    assert line.session.user == "carol"
    line = Line(bench)
    assert "certificate" in line.connect().headers["message"]


def test_rights_are_those_of_the_user() -> None:
    rights = {"alice": {"read": ["/topic/a.#"], "write": ["/queue/*"]}, "*": {}}
    users = Users({"alice": Hash.of("one")})
    users.remember("alice", "one")
    for command, destination, allowed in (
        ("SEND", "/queue/x", True),
        ("SEND", "/topic/a.b", False),
        ("SUBSCRIBE", "/topic/a.*", True),
        ("SUBSCRIBE", "/topic/#", False),
        ("SUBSCRIBE", "/queue/x", False),
        ("SUBSCRIBE", "/temp-queue/x", True),
    ):
        bench = Bench(users=users, rights=rights)
        line = bench.line(login="alice", passcode="one")
        line.do(command, destination=destination, id="1", receipt="r")
        if allowed:
            assert line.receipts() == ["r"]
        else:
            assert (
                f"user 'alice' may not {'send' if command == 'SEND' else 'subscribe'} to {destination}" in line.error()
            )


@pytest.mark.parametrize("command", ["NOSUCH", "send", "MESSAGE"])
def test_an_unknown_command_is_an_error_that_names_those_that_there_are(bench: Bench, command: str) -> None:
    line = bench.line()
    line.do(command)
    assert "expected SEND" in line.error()


def test_version_1_0_has_no_nack(bench: Bench) -> None:
    line = bench.line(None)
    line.do("NACK")
    assert "NACK" in line.error()


@pytest.mark.parametrize(
    ("command", "header"),
    [
        ("SEND", "destination"),
        ("SUBSCRIBE", "destination"),
        ("UNSUBSCRIBE", "id"),
        ("ACK", "id"),
        ("NACK", "id"),
        ("BEGIN", "transaction"),
        ("COMMIT", "transaction"),
        ("ABORT", "transaction"),
    ],
)
def test_a_missing_header_is_named_with_the_receipt_of_its_frame(bench: Bench, command: str, header: str) -> None:
    line = bench.line()
    line.do(command, receipt="r7")
    (error,) = line.frames()
    assert f"{command} has no {header} header" in error.headers["message"]
    assert error.headers["receipt-id"] == "r7"


def test_every_frame_gets_its_receipt(bench: Bench) -> None:
    line = bench.line()
    line.write(
        frame("SUBSCRIBE", id="1", destination="/topic/a", receipt="subscribe"),
        frame("SEND", b"x", destination="/topic/a", receipt="send"),
        frame("BEGIN", transaction="t", receipt="begin"),
        frame("SEND", b"x", destination="/topic/a", transaction="t", receipt="in t"),
        frame("ABORT", transaction="t", receipt="abort"),
        frame("UNSUBSCRIBE", id="1", receipt="unsubscribe"),
    )
    assert sorted(line.receipts()) == sorted(["subscribe", "send", "begin", "in t", "abort", "unsubscribe"])
    line.do("DISCONNECT", receipt="disconnect")
    assert (line.receipts(), line.over) == (["disconnect"], True)


def test_a_receipt_for_a_queue_comes_after_the_commit_and_that_of_disconnect_after_all(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    line = bench.line()
    line.write(*send("/queue/a", "x", receipt="1"), *send("/topic/a", "x", receipt="2", persistent="true"))
    line.write(*send("/topic/a", "x", receipt="3"))
    line.write(*send("/queue/a", "y"), frame("DISCONNECT", receipt="4"))
    assert line.receipts() == ["3"]
    assert not line.over
    bench.commit()
    assert (line.receipts(), line.over) == (["1", "2", "4"], True)


def test_frames_after_disconnect_are_not_handled(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    line = bench.line()
    line.write(*send("/queue/a", "x"), frame("DISCONNECT", receipt="1"), *send("/queue/a", "y"))
    bench.commit()
    assert bench.backlog("a") == 1


def test_what_was_sent_before_the_connection_ended_counts(bench: Bench) -> None:
    line = bench.line()
    for one in send("/queue/a", "x", "y"):
        line.session.received(one)
    line.hang_up()
    assert bench.backlog("a") == 2


def test_what_was_sent_before_an_error_counts(bench: Bench) -> None:
    line = bench.line()
    line.write(*send("/queue/a", "x"), frame("NOSUCH"), *send("/queue/a", "y"))
    assert bench.backlog("a") == 1
    assert "NOSUCH" in line.error()


def test_a_segment_is_one_batch(bench: Bench) -> None:
    subscriber = bench.line()
    subscriber.do("SUBSCRIBE", id="1", destination="/topic/a.#")
    line = bench.line()
    writes = subscriber.writes
    line.write(*send("/topic/a.b", *range(50)), *send("/topic/a.c", *range(50, 100)))
    assert subscriber.bodies() == [str(number) for number in range(100)]
    assert subscriber.writes == writes + 1


def test_keys_are_without_what_clients_escape_wrongly(bench: Bench) -> None:
    keys = {bench.broker.new_key() for _ in range(10)}
    assert len(keys) == 10
    assert not any(set(key) & set(":\\ ") for key in keys)
