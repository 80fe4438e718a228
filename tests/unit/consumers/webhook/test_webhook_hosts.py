"""Webhooks to many hosts: private ones, ones that are away, ones that stall, a thousand slow ones."""

from __future__ import annotations

import resource
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.consumers.webhook.client import LOOKUPS
from tests.certificates import Authority
from tests.support import PATIENCE, free_port
from tests.unit.consumers.webhook.conftest import Hook, run_out, run_until
from tests.unit.consumers.webhook.peer import OK, Peer, answer, peer

HOSTS = 1000


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "0x7f000001", "2130706433", "[::ffff:127.0.0.1]", "0.0.0.0"]
)
def test_a_private_address_is_not_connected_to(host: str, there: Peer, hook: Hook) -> None:
    for url in (there.url("/", host), "{body.url}"):
        bench = hook(url, allow_private=["10.0.0.0/8"], time_limit="2s")
        bench.deliver("a.b", {"url": there.url("/", host)})
        run_until(bench, lambda bench=bench: bench.dead_letters or bench.retries, 0.0)  # type: ignore[misc]
        assert bench.finished == []
    assert there.connections == 0


def test_the_error_names_the_address_and_the_setting(there: Peer, hook: Hook) -> None:
    bench = hook(there.url(), allow_private=[])
    bench.deliver("a.b", {})
    bench.run()
    assert "127.0.0.1, which is private: 'allow_private' does not name it" in bench.dead_letters[0].reason


def test_a_name_that_changes_to_a_private_address_is_not_followed(
    there: Peer, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is connected to is what was checked: there is no second look-up in between."""
    genuine, answers = socket.getaddrinfo, iter(["127.0.0.1", "127.0.0.2"])

    def changing(host: Any, *others: Any, **more: Any) -> Any:
        return genuine(next(answers) if host == "changing.example.org" else host, *others, **more)

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    there.behave = lambda request: [OK, None]
    monkeypatch.setattr("hub.consumers.webhook.client.LOOKUP_LASTS", 0)
    bench = hook(there.url("/", "changing.example.org"), allow_private=["127.0.0.1"])
    for _ in range(2):
        bench.deliver("a.b", {})
    bench.run()
    assert len(there.requests) == 1
    assert "changing.example.org has the address 127.0.0.2, which is private" in bench.dead_letters[0].reason


def test_a_name_server_that_stalls_holds_one_thread_and_nobody_else(
    there: Peer, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine, free, stalled = socket.getaddrinfo, threading.Event(), []

    def stalling(host: Any, *others: Any, **more: Any) -> Any:
        if host == "dead.example.org":
            stalled.append(host)
            free.wait(60)
            raise socket.gaierror(socket.EAI_AGAIN, "no answer")
        return genuine(host, *others, **more)

    monkeypatch.setattr(socket, "getaddrinfo", stalling)
    bench = hook("{body.url}", time_limit="100ms", breaker_failures=1000, host_requests=50)
    for number in range(20):
        bench.deliver("a.b", {"url": "http://dead.example.org/", "n": number})
    run_until(bench, lambda: bench.consumer.status()["temporary"] > 40, 1.0)  # type: ignore[index]
    for number in range(20):
        bench.deliver("a.b", {"url": there.url("/", "localhost"), "n": number})
    run_until(bench, lambda: len(bench.finished) == 20, 0.01)
    free.set()
    assert len(stalled) == 1
    assert bench.dead_letters == []


def test_a_name_that_waits_for_others_to_be_looked_up_is_no_fault_of_its_host(
    there: Peer, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine, free, stalled = socket.getaddrinfo, threading.Event(), []

    def stalling(host: Any, *others: Any, **more: Any) -> Any:
        if str(host).endswith(".example.org"):
            stalled.append(host)
            free.wait(60 * PATIENCE)
            raise socket.gaierror(socket.EAI_AGAIN, "no answer")
        return genuine(host, *others, **more)

    monkeypatch.setattr(socket, "getaddrinfo", stalling)
    monkeypatch.setattr("hub.consumers.webhook.client.LOOKUPS", 2)
    bench = hook("{body.url}", time_limit="1s", breaker_failures=1, breaker_pause="1h", breaker_pause_limit="1h")
    for number in range(2):
        bench.deliver("a.b", {"url": f"http://dead{number}.example.org/"})
    run_until(bench, lambda: len(stalled) == 2)
    bench.deliver("a.b", {"url": there.url("/", "localhost")})
    name = f"localhost:{there.port}"

    def numbers() -> Any:
        return bench.consumer.status()

    run_until(bench, lambda: numbers()["destinations"].get(name, {}).get("temporary"))
    assert numbers()["failing_hosts"] == 0
    assert any(f"{name}: its name was not looked up within 1 s" in retry.why for retry in bench.retries)
    free.set()
    run_until(bench, lambda: len(bench.finished) == 1, 1.0)


def test_a_redirect_is_not_followed(there: Peer, hook: Hook) -> None:
    with peer("127.0.0.2") as inside:
        there.behave = lambda request: [answer(307, Location=inside.url("/", "127.0.0.2"))]
        bench = hook(there.url())
        bench.deliver("a.b", {})
        bench.run()
        assert "redirects are not followed" in bench.dead_letters[0].reason
        assert inside.connections == 0


def test_messages_wait_for_a_host_that_is_away_and_others_go_on(there: Peer, hook: Hook) -> None:
    away = free_port()
    bench = hook("{body.url}", breaker_failures=3, breaker_pause="200ms", breaker_pause_limit="1s")
    for _ in range(20):
        bench.deliver("a.b", {"url": f"http://127.0.0.1:{away}/"})
        bench.deliver("a.b", {"url": there.url()})
    run_until(bench, lambda: len(there.requests) == 20)
    run_until(bench, lambda: bench.consumer.status()["failing_hosts"] == 1)  # type: ignore[index]
    status = bench.consumer.status()
    assert status["destinations"][f"127.0.0.1:{away}"]["temporary"] < 15  # type: ignore[index]
    assert (bench.backlog, bench.dead_letters) == (20, [])
    with peer(port=away) as back:
        run_out(bench, 0.5)
        assert len(back.requests) == 20
        assert len({request.headers["webhook-id"] for request in back.requests}) == 20
    assert bench.counters.failed == 0


def test_a_host_that_stalls_holds_up_nobody(there: Peer, hook: Hook) -> None:
    with peer() as stalling:
        stalling.behave = lambda request: [60.0]
        bench = hook("{body.url}", time_limit="60s", host_requests=2)
        for number in range(50):
            bench.deliver("a.b", {"url": stalling.url(), "n": number})
            bench.deliver("a.b", {"url": there.url(), "n": number})
        began = time.monotonic()
        run_until(bench, lambda: len(bench.finished) == 50)
        assert time.monotonic() - began < 10
        assert len(there.requests) == 50
        assert len(stalling.requests) == 2


@pytest.fixture
def many_files() -> Iterator[None]:
    """File descriptors for both ends of all connections, which are in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4 * HOSTS)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
def test_a_thousand_slow_hosts_need_few_threads(hook: Hook) -> None:
    """Each loopback address is a host of its own."""
    with peer("0.0.0.0") as slow:
        slow.behave = lambda request: [2.0, OK]
        bench = hook("{body.url}", max_requests=HOSTS, time_limit=f"{30 * PATIENCE}s")
        before = threading.active_count()
        for number in range(HOSTS):
            bench.deliver("a.b", {"url": f"http://127.1.{number // 250}.{number % 250 + 1}:{slow.port}/"})
        began, most = time.monotonic(), 0

        def done() -> bool:
            nonlocal most
            most = max(most, threading.active_count())
            return len(bench.finished) == HOSTS

        run_until(bench, done, 0.5)
        assert time.monotonic() - began < 60 * PATIENCE  # one after the other: 2000 s
        assert len(slow.requests) == HOSTS
        assert most - before <= 1 + LOOKUPS


def test_tls_trusts_the_authorities_that_it_is_told_and_no_others(hook: Hook, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    good, other = authority.sign("good", "127.0.0.1"), authority.sign("other", "127.0.0.9")
    for certificate, settings, arrives in (
        (good, {"ca_file": str(authority.file)}, 1),
        (good, {}, 0),
        (other, {"ca_file": str(authority.file)}, 0),
    ):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate.file, certificate.key)
        with peer(tls=tls) as secure:
            bench = hook(secure.url(scheme="https"), **settings)
            bench.deliver("a.b", {})
            bench.run()
            assert (len(secure.requests), len(bench.finished), bench.backlog) == (arrives, arrives, 1 - arrives)
            assert arrives or "certificate verify failed" in bench.retries[0].why


def test_a_name_that_has_no_address_is_temporary(hook: Hook) -> None:
    bench = hook("http://no-such-host.invalid/", time_limit="5s")
    bench.deliver("a.b", {})
    bench.run()
    assert (bench.backlog, bench.dead_letters) == (1, [])
    assert "no-such-host.invalid" in bench.retries[0].why
