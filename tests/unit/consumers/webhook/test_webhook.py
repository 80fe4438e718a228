"""Webhooks against a server that answers as it likes."""

from __future__ import annotations

import base64
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from hub.consumers.webhook.answer import Rules
from hub.consumers.webhook.signature import Signer
from hub.errors import ConfigError
from tests.support import PATIENCE, wait_until
from tests.unit.consumers.webhook.conftest import Hook, run_out, run_until
from tests.unit.consumers.webhook.peer import OK, Answer, Peer, Request, answer
from tests.unit.consumers.webhook.test_payload import HOSTILE


def test_a_message_arrives_signed_by_both_secrets(there: Peer, hook: Hook, tmp_path: Path) -> None:
    keys = [b"a" * 24, b"b" * 32]
    for name, key in zip("ab", keys, strict=True):
        (tmp_path / name).write_text(f"whsec_{base64.b64encode(key).decode()}\n")
    (tmp_path / "bearer").write_text("t0ken\n")
    secrets = [f"file:{tmp_path}/a", f"file:{tmp_path}/b"]
    bench = hook(there.url("/hook?x=%2F"), signing_secrets=secrets, bearer=f"file:{tmp_path}/bearer")
    bench.deliver("org.x", {"n": 1}, id="7")
    bench.run()
    (request,) = there.requests
    assert request.line == "POST /hook?x=%2F HTTP/1.1"
    assert (request.json["type"], request.json["data"]) == ("org.x", {"n": 1})
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == "Bearer t0ken"
    id, stamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    assert abs(int(stamp) - time.time()) < 60
    assert (
        request.headers["webhook-signature"] == Signer(keys).headers(id, int(stamp), request.body)["webhook-signature"]
    )
    status = bench.consumer.status()
    assert (status["sent"], list(status["destinations"])) == (1, [f"127.0.0.1:{there.port}"])  # type: ignore[index]
    assert len(bench.finished) == 1


def test_each_attempt_has_the_same_id(there: Peer, hook: Hook) -> None:
    answers = iter([answer(500), answer(503), answer(429, Retry_After="1")])
    there.behave = lambda request: [next(answers, OK)]
    bench = hook(there.url())
    bench.deliver("a.b", {}, id="7")
    run_out(bench, 1.0)
    assert len(there.requests) == 4
    assert len({request.headers["webhook-id"] for request in there.requests}) == 1
    bench.deliver("a.b", {}, id="8")
    bench.deliver("a.b", {}, id="7")
    run_out(bench)
    ids = [request.headers["webhook-id"] for request in there.requests]
    assert ids[5] == ids[0] != ids[4]
    assert bench.counters.failed == 0


def test_connections_are_used_again(there: Peer, hook: Hook) -> None:
    bench = hook(there.url())
    for _ in range(50):
        bench.deliver("a.b", {})
    run_out(bench)
    assert (len(there.requests), there.connections) == (50, 1)


@pytest.mark.parametrize("status", [400, 404, 410, 301, 307])
def test_what_is_refused_is_a_dead_letter_that_says_why(status: int, there: Peer, hook: Hook) -> None:
    there.behave = lambda request: [answer(status, "no\x1b[31m\nsuch hook", Location="http://127.0.0.1:1/")]
    bench = hook(there.url())
    bench.deliver("a.b", {})
    bench.run()
    (letter,) = bench.dead_letters
    assert letter.reason.startswith(f"127.0.0.1:{there.port} answered {status}: ")
    assert letter.reason.isprintable()
    assert (len(there.requests), bench.consumer.status()["for_good"]) == (1, 1)  # type: ignore[index]


def test_retry_after_is_for_all_messages_of_the_host(there: Peer, hook: Hook) -> None:
    there.behave = lambda request: [answer(503, Retry_After="10")]
    bench = hook(there.url())
    for _ in range(3):
        bench.deliver("a.b", {})
    bench.run()
    assert len(there.requests) == 1
    assert all(delayed.due_in > 5 for delayed in bench.retries)


@pytest.mark.parametrize(
    "lie",
    [
        [None],
        [b"HTTP/1.1 200 OK\r\nContent-Le", None],
        [b"SSH-2.0-OpenSSH_9.2\r\n", None],
        [b"HTTP/1.1 banana\r\n\r\n", None],
        [b"\x00" * 5000, None],
        [b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok", None],
        [b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, None],
        [30.0],
        [b"HTTP/1.1 200 OK\r\n", 30.0],
    ],
)
def test_an_answer_that_is_none_is_asked_for_again(lie: list[Answer], there: Peer, hook: Hook) -> None:
    there.behave = lambda request: lie if len(there.requests) < 3 else [OK]
    bench = hook(there.url(), time_limit="300ms")
    bench.deliver("a.b", {})
    run_out(bench, 1.0)
    assert (len(bench.finished), bench.dead_letters) == (1, [])
    assert len(there.requests) >= 3


@pytest.mark.parametrize(
    "body",
    [
        [b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbeginning", None],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbeginning", 30.0],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n" + b"x" * 300_000, 30.0],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 0.2, b"zz\r\n", None],
        [b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"],
    ],
)
def test_once_the_status_is_known_the_message_is_sent(body: list[Answer], there: Peer, hook: Hook) -> None:
    there.behave = lambda request: body
    bench = hook(there.url(), time_limit="5s")
    bench.deliver("a.b", {})
    began = time.monotonic()
    run_out(bench)
    assert time.monotonic() - began < 10
    assert (len(there.requests), len(bench.finished)) == (1, 1)


def test_any_content_arrives_as_it_was(there: Peer, hook: Hook) -> None:
    bench = hook(
        there.url("/{body.x}"),
        format="json",
        fields={"x": "{body.x}", "t": "{topic}"},
        headers={"X-Tag": "{body.x}"},
    )
    line = "y" * 1_000_000
    bench.deliver("a.b", {"x": HOSTILE})
    bench.deliver("a.c\r\nX-Evil: 1", {"x": "z"})
    run_out(bench)
    body_only = hook(there.url(), format="body")
    body_only.deliver("a.b", line)
    run_out(body_only)
    hostile, forged, long = there.requests
    assert hostile.json["x"] == HOSTILE
    assert hostile.path.startswith("/%00%01")
    assert "x-evil" not in hostile.headers | forged.headers
    assert forged.json["t"] == "a.c\r\nX-Evil: 1"
    assert long.body.decode() == line


def test_a_message_that_lacks_a_field_is_never_sent_by_half(there: Peer, hook: Hook) -> None:
    for settings in (
        {"format": "json", "fields": {"a": "{topic}", "b": "{body.x.y}"}},
        {"headers": {"X": "{body.x.y}"}},
    ):
        bench = hook(there.url(), **settings)
        bench.deliver("a.b", {"x": 1})
        bench.run()
        assert [letter.reason for letter in bench.dead_letters] == ["the message has no field 'body.x.y'"]
    assert there.requests == []


def test_the_filter_leaves_out(there: Peer, hook: Hook) -> None:
    bench = hook(there.url(), include={"body.user": ["a*"]}, exclude={"topic": ["test.#"]})
    for topic, user in (("a.b", "ann"), ("a.b", "bob"), ("test.x", "ann")):
        bench.deliver(topic, {"user": user})
    run_out(bench)
    assert [request.json["data"] for request in there.requests] == [{"user": "ann"}]
    assert (len(bench.finished), bench.consumer.status()["left_out"]) == (3, 2)  # type: ignore[index]


def test_a_message_that_is_too_old_is_given_up_and_a_young_one_is_not(there: Peer, hook: Hook) -> None:
    there.behave = lambda request: [answer(503)]
    bench = hook(there.url(), give_up_after="1h", breaker_failures=100)
    bench.deliver("a.b", {})
    bench.run()
    assert bench.dead_letters == []
    old = hook(there.url(), give_up_after="1us", breaker_failures=100)
    old.deliver("a.b", {})
    old.run()
    assert "answered 503; the message is older than" in old.dead_letters[0].reason


def test_a_rate_is_kept(there: Peer, hook: Hook) -> None:
    bench = hook(there.url(), rate="20/s")
    began = time.monotonic()
    for _ in range(11):
        bench.deliver("a.b", {})
    run_out(bench)
    assert time.monotonic() - began >= 0.5
    assert len(there.requests) == 11


@pytest.mark.parametrize("name", ["signing_secrets", "bearer", "url_secret"])
def test_an_empty_secret_is_an_error_at_the_start(name: str, hook: Hook, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    reference = f"file:{tmp_path}/empty"
    settings = {name: [reference] if name == "signing_secrets" else reference}
    bench = hook(None if name == "url_secret" else "https://example.org/", **settings)
    with pytest.raises(ConfigError, match="expected"):
        bench.start()


def test_a_secret_url_is_shown_nowhere(there: Peer, hook: Hook, tmp_path: Path) -> None:
    def echo(request: Request) -> list[Answer]:
        return [answer(400, f"you sent {request.path} {json.dumps(request.headers)}")]

    there.behave = echo
    (tmp_path / "url").write_text(there.url("/services/T0/B0/s3cr3t"))
    (tmp_path / "bearer").write_text("t0ken")
    bench = hook(None, url_secret=f"file:{tmp_path}/url", bearer=f"file:{tmp_path}/bearer", format="slack")
    bench.deliver("a.b", {})
    bench.run()
    assert there.requests[0].path == "/services/T0/B0/s3cr3t"
    shown = str([bench.dead_letters, bench.consumer.status()])
    assert "s3cr3t" not in shown
    assert "t0ken" not in shown


@pytest.mark.parametrize(
    "url", ["hooks.example.org/s3cr3t", "ftp://s3cr3t.org/", "https://s3cr3t:x", "https://s3cr3t%/", "http://h/s3cr3t{"]
)
def test_a_secret_url_that_is_none_is_not_shown(url: str, hook: Hook, tmp_path: Path) -> None:
    (tmp_path / "url").write_text(url)
    with pytest.raises(ConfigError, match="url_secret: expected a URL") as caught:
        hook(None, url_secret=f"file:{tmp_path}/url").start()
    assert "s3cr3t" not in str(caught.value)


def test_no_token_goes_to_a_host_that_a_message_names(hook: Hook, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("{body.url}")
    (tmp_path / "bearer").write_text("t0ken")
    with pytest.raises(ConfigError, match="url_secret: a token must not go to a host"):
        hook(None, url_secret=f"file:{tmp_path}/url", bearer=f"file:{tmp_path}/bearer").start()


def test_a_fault_of_our_own_is_forgotten_with_its_request(
    there: Peer, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine, faults = Rules.failure, iter([ValueError("ours"), TimeoutError("ours too")])

    def failing(*arguments: Any) -> Any:
        if (fault := next(faults, None)) is not None:
            raise fault
        return genuine(*arguments)

    monkeypatch.setattr(Rules, "failure", failing)
    bench = hook(there.url())
    bench.deliver("a.b", {})
    run_out(bench, 1.0)
    assert (len(there.requests), len(bench.finished), bench.dead_letters) == (3, 1, [])


def test_stopping_gives_up_what_is_under_way_at_once(there: Peer, hook: Hook) -> None:
    there.behave = lambda request: [60.0]
    bench = hook("{body.url}", time_limit="60s")
    bench.deliver("a.b", {"url": there.url()})
    run_until(bench, lambda: there.requests)
    began = time.monotonic()
    bench.stop()
    assert time.monotonic() - began < 5
    assert bench.backlog == 1


def test_what_is_in_hand_at_a_stop_has_its_answer_waited_for(there: Peer, hook: Hook) -> None:
    there.behave = lambda request: [0.5, OK]
    bench = hook("{body.url}", time_limit="60s")
    bench.deliver("a.b", {"url": there.url()})
    bench.start()
    bench.consumer.context.stopping.set()
    bench.run()
    assert (len(there.requests), len(bench.finished)) == (1, 1)


@pytest.mark.parametrize("whole", [True, False])
def test_that_wait_ends_with_the_stop(whole: bool, there: Peer, hook: Hook) -> None:
    there.behave = lambda request: [600.0]
    bench = hook("{body.url}" if whole else there.url(), time_limit="600s")
    bench.deliver("a.b", {"url": there.url()})
    bench.start()
    bench.consumer.context.stopping.set()
    running = threading.Thread(target=bench.run)
    running.start()
    wait_until(lambda: there.requests)
    bench.stop()
    running.join(30 * PATIENCE)
    assert not running.is_alive()
    assert (bench.backlog, bench.dead_letters) == (1, [])


def test_a_turn_is_not_waited_for_once_the_consumer_is_to_end(
    there: Peer, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.consumers.webhook.NAP", 60.0)
    bench = hook(there.url(), rate="1/h")
    for _ in range(2):
        bench.deliver("a.b", {})
    bench.start()
    bench.consumer.context.stopping.set()
    began = time.monotonic()
    bench.run()
    assert time.monotonic() - began < 15 * PATIENCE
    assert (len(there.requests), bench.backlog) == (1, 1)


def test_a_start_that_fails_leaves_no_thread(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = hook("https://example.org/")
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    before = set(threading.enumerate())
    with pytest.raises(ImportError):
        bench.start()
    assert set(threading.enumerate()) <= before
