"""Insertion of jobs for a backend: in batches, in order, and whatever the database does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from hub.errors import Unavailable
from hub.job_database import inserter as module
from hub.job_database.inserter import Inserter
from hub.jobs import BadDatabase
from hub.jobs.job import NewJob
from tests.unit.doubles import RecordingLog


class Database:
    """Takes jobs, or fails. :ivar batches: bodies, by transaction."""

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []
        self.errors: list[Exception] = []
        self.bad: set[bytes] = set()
        self.why: Exception = KeyError("a fault")

    def insert(self, jobs: Sequence[NewJob]) -> None:
        if self.errors:
            raise self.errors.pop(0)
        bodies = [job.body for job in jobs]
        if self.bad & set(bodies):
            raise self.why
        self.batches.append(bodies)


class Rig:
    """An inserter whose thread is the test. :ivar told: bodies, and the reason why each was not inserted."""

    def __init__(self) -> None:
        self.database: Any = Database()
        self.running = True
        self.told: list[tuple[bytes, str | None]] = []
        self.log = RecordingLog()
        find: Callable[[], Any] = lambda: self.database if self.running else None  # noqa: E731
        self.inserter = Inserter("main", find, lambda call: call(), self.log)

    def put(self, *bodies: bytes) -> None:
        jobs = [NewJob("work", body) for body in bodies]
        self.inserter.put(jobs, lambda reason: self.told.extend((body, reason) for body in bodies))


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_what_waits_is_inserted_together_and_each_is_told(rig: Rig) -> None:
    rig.put(b"1", b"2")
    rig.put(b"3")
    assert rig.inserter.waiting == 3
    assert rig.inserter.round() is None
    assert rig.database.batches == [[b"1", b"2", b"3"]]
    assert rig.told == [(b"1", None), (b"2", None), (b"3", None)]
    assert rig.inserter.waiting == 0


def test_a_transaction_is_bounded(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_AT_ONCE", 2)
    for body in (b"1", b"2", b"3"):
        rig.put(body)
    rig.inserter.round()
    assert rig.database.batches == [[b"1", b"2"], [b"3"]]


def test_while_the_database_is_away_jobs_wait_in_order(rig: Rig) -> None:
    rig.database.errors = [Unavailable("it restarts"), Unavailable("it restarts")]
    rig.put(b"1")
    rig.put(b"2")
    assert (rig.inserter.round(), rig.inserter.away) == (module.FIRST_PAUSE, "Unavailable: it restarts")
    rig.put(b"3")
    assert rig.inserter.round() == 2 * module.FIRST_PAUSE
    assert (rig.told, rig.inserter.waiting) == ([], 3)
    rig.inserter.round()
    assert rig.database.batches == [[b"1", b"2", b"3"]]
    assert (rig.inserter.away, rig.inserter.waiting) == ("", 0)
    assert rig.log.actions() == ["insert"]


def test_a_part_that_does_not_run_is_away(rig: Rig) -> None:
    rig.running = False
    rig.put(b"1")
    rig.inserter.round()
    assert "the database of jobs main does not run" in rig.inserter.away
    rig.running = True
    rig.inserter.round()
    assert rig.told == [(b"1", None)]


def test_one_that_never_can_be_inserted_does_not_hold_up_the_others(rig: Rig) -> None:
    rig.database.bad = {b"2"}
    for body in (b"1", b"2", b"3"):
        rig.put(body)
    rig.inserter.round()
    assert rig.database.batches == [[b"1"], [b"3"]]
    assert rig.told == [(b"1", None), (b"2", "it can't be inserted: KeyError: 'a fault'"), (b"3", None)]


def test_room_is_told_of_when_there_is_some_or_the_database_is_away(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 1)
    calls: list[str] = []
    rig.inserter.when_room(lambda: calls.append("at once"))
    assert calls == ["at once"]
    rig.put(b"1")
    assert rig.inserter.full
    rig.inserter.when_room(lambda: calls.append("inserted"))
    assert calls == ["at once"]
    rig.inserter.round()
    assert calls == ["at once", "inserted"]
    rig.put(b"2")
    rig.inserter.when_room(lambda: calls.append("away"))
    rig.inserter.when_idle(lambda: calls.append("in vain"))
    rig.database.errors = [Unavailable("it restarts")]
    rig.inserter.round()
    assert calls[2:] == ["away", "in vain"]


def test_the_thread_ends(rig: Rig) -> None:
    rig.inserter.end()
    rig.put(b"1")
    rig.inserter.run()
    assert rig.told == []


def test_while_the_database_is_away_what_comes_does_not_try_it_sooner(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 3600.0)
    inserter = rig.inserter = Inserter("main", lambda: rig.database, lambda call: call(), rig.log)
    tried = threading.Event()

    def away(_: Sequence[NewJob]) -> None:
        rig.database.batches.append([b"tried"])
        tried.set()
        raise Unavailable("it restarts")

    rig.database.insert = away
    rig.put(b"0")
    thread = threading.Thread(target=inserter.run, daemon=True)
    thread.start()
    assert tried.wait(60)
    for _ in range(100):
        rig.put(b"1")
        thread.join(0.001)
    inserter.end()
    thread.join(60)
    assert not thread.is_alive()
    assert rig.database.batches == [[b"tried"]]


def test_one_that_the_database_refuses_waits_until_it_takes_another(rig: Rig) -> None:
    rig.database.bad, rig.database.why = {b"2", b"3"}, BadDatabase("out of range")
    rig.put(b"2")
    assert rig.inserter.round() == module.FIRST_PAUSE
    assert (rig.told, rig.inserter.waiting, rig.inserter.away) == ([], 1, "BadDatabase: out of range")
    for body in (b"1", b"3"):
        rig.put(body)
    assert rig.inserter.round() == module.FIRST_PAUSE
    refused = "it can't be inserted: BadDatabase: out of range"
    assert rig.told == [(b"2", refused), (b"1", None)]
    rig.put(b"4")
    assert rig.inserter.round() is None
    assert rig.told[2:] == [(b"3", refused), (b"4", None)]
    assert (rig.database.batches, rig.inserter.waiting) == ([[b"1"], [b"4"]], 0)


def test_one_by_one_they_wait_in_order_when_the_database_goes_away(rig: Rig) -> None:
    rig.database.bad, rig.database.why = {b"2"}, BadDatabase("out of range")
    rig.put(b"2")
    rig.put(b"1")
    insert = rig.database.insert

    def away(jobs: Sequence[NewJob]) -> None:
        if [job.body for job in jobs] == [b"1"]:
            raise Unavailable("it restarts")
        insert(jobs)

    rig.database.insert = away
    assert rig.inserter.round() == module.FIRST_PAUSE
    assert (rig.told, rig.inserter.waiting) == ([], 2)
    rig.database.insert = insert
    rig.inserter.round()
    assert [body for body, _ in rig.told] == [b"2", b"1"]
