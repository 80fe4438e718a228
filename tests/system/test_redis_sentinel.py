"""Failover: a master, two replicas and three Sentinels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.message import Message
from tests.support import free_port
from tests.system.redis import Failing
from tests.unit.backends.redis.clients import connected, outcomes, published, running
from tests.unit.backends.support import Lines, turn_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Failing]:
    with Failing(tmp_path / "site") as made:
        yield made


@contextmanager
def at(site: Failing, lines: Lines | None = None, **given: Any) -> Iterator[Any]:
    quick = {"timeout": 1.0, "connect_timeout": 1.0, "reconnect_interval_max": 0.5}
    servers = {"sentinels": site.urls, "master": "mymaster", "publish": "work"}
    with running(0, lines, wait=False, **{**servers, **quick, **given}) as (backend, intake):
        connected(backend, 30)
        yield backend, intake


def confirmed(backend: Any, numbers: range) -> None:
    published(backend, *[Message(str(number), "a", b"%d" % number, {}, 1000.0) for number in numbers])


def all_arrived(intake: Any, count: int) -> Counter[bytes]:
    turn_until(lambda: len(set(intake.bodies)) >= count, lambda: f"{count} messages, not {len(set(intake.bodies))}", 60)
    return Counter(intake.bodies)


@pytest.mark.parametrize("how", ["killed", "standing still"])
def test_a_failover_loses_nothing_that_was_confirmed(site: Failing, how: str) -> None:
    lines = Lines()
    with at(site, lines) as (backend, intake):
        confirmed(backend, range(50))
        all_arrived(intake, 50)
        backend.confirm(intake.tokens)
        old = site.master
        if how == "killed":
            old.kill()
        else:
            old.stop_it()
        turn_until(lambda: backend.status()["state"] == "connecting", "the end of the connections", 30)
        assert backend.status()["not_ready"]
        confirmed(backend, range(50, 60))
        assert backend.status()["endpoints"][-1]["endpoint"] != old.url
        if how == "standing still":
            old.go_on()  # for some seconds it believes to be the master
            confirmed(backend, range(60, 80))
        else:
            confirmed(backend, range(60, 80))
        found = all_arrived(intake, 80)
        assert set(found) == {b"%d" % number for number in range(80)}
        backend.confirm(intake.tokens)
        turn_until(lambda: backend.status()["unacknowledged"] == 0, "the acknowledgements", 30)
        rows = site.master.client.xrange("work")
        assert sorted(int(fields[b"id"]) for _, fields in rows) == list(range(80))


def test_a_master_without_replicas_confirms_nothing(site: Failing) -> None:
    """An old master that does not know of the failover is such a one."""
    with at(site) as (backend, _):
        confirmed(backend, range(3))
        others = [server for server in site.servers if server is not site.master]
        for server in others:
            server.stop_it()
        (found,) = outcomes(backend, Message("3", "a", b"3", {}, 1000.0))
        assert "of 1 replicas have it" in str(found)
        for server in others:
            server.go_on()
        confirmed(backend, range(3, 5))
        rows = site.master.client.xrange("work")
        assert sorted(int(fields[b"id"]) for _, fields in rows) == list(range(5))


def test_sentinels_that_are_few_are_believed_nothing(site: Failing) -> None:
    """One of three that can be reached may be cut off with an old master."""
    dead = [f"redis://127.0.0.1:{free_port()}" for _ in range(2)]
    given: dict[str, Any] = {"sentinels": [site.urls[0], *dead], "master": "mymaster"}
    with running(0, wait=False, **given) as (backend, _):
        turn_until(lambda: backend.status()["handshake_failures"] >= 2, "the refusals", 30)
        assert "of 3 Sentinels 2 must agree: 1 name redis://127.0.0.1:" in backend.status()["not_ready"]
    with running(0, wait=False, sentinels=site.urls, master="unknown") as (backend, _):
        turn_until(lambda: backend.status()["handshake_failures"] >= 2, "the refusals", 30)
        assert "it knows no master 'unknown'" in backend.status()["not_ready"]
