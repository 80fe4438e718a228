"""The part ``[jobs.NAME]``, without a hub: its settings, its states, its end."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from twisted.internet.task import Clock

from hub.errors import ConfigError, Unavailable
from hub.job_access import JobContext
from hub.job_database import database as module
from hub.job_database.database import JobDatabase
from hub.job_database.settings import DatabaseSettings
from hub.job_database.source import JobSource
from hub.jobs import BadDatabase, Jobs
from hub.partlog import part_log
from tests.support import wait_until


def made(directory: Path, **settings: Any) -> JobDatabase:
    config = DatabaseSettings(**settings)
    clocks = (time.monotonic, time.time)
    return JobDatabase(JobContext("main", config, part_log("jobs", "main"), directory, *clocks))


def source(queue: str = "work") -> JobSource:
    return JobSource("c", queue, None, time.monotonic, time.time)


def test_it_works_for_a_source_and_ends(tmp_path: Path) -> None:
    database, one = made(tmp_path), source()
    database.attach(one)
    database.start()
    with Jobs(f"sqlite:///{tmp_path}/jobs.db") as jobs:
        jobs.insert_many("work", range(3))
        delivery = one.take(3, timeout=20)
        assert delivery is not None
        one.finish(delivery, len(delivery.messages))
        wait_until(lambda: database.status()["queues"] != {} or not jobs.counts(), 20, "a look")
        one.close()
        database.stop(5)
        left = jobs.counts().get("work")
        assert (left.waiting if left else 0, left.running if left else 0) == (3 - len(delivery.messages), 0)
    assert database.status()["state"] == "stopped"


def test_one_that_is_away_says_so_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = made(tmp_path)
    assert database.status()["not_ready"] == "it has not answered yet"
    database._tell("beat", Unavailable("the server is not there"))
    found = database.status()
    assert (found["state"], found["not_ready"]) == ("connecting", "Unavailable: the server is not there")
    database.beat(1.0)
    found = database.status()
    assert (found["state"], "not_ready" in found, found["last_error"]) == (
        "connected",
        False,
        "Unavailable: the server is not there",
    )
    database._tell("beat", Unavailable("it restarts"))
    assert database.status()["state"] == "away"
    database.jobs.close()


def test_what_one_thread_is_refused_is_told_until_that_thread_is_answered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "hubbub.jobs")
    database = made(tmp_path)
    database.beat(1.0)
    for _ in range(3):
        database.dispatcher._away(BadDatabase("no right to write results"))
        database.beat(1.0)
        found = database.status()
        assert (found["state"], found["not_ready"]) == ("away", "BadDatabase: no right to write results")
    database._tell("beat", Unavailable("it restarts"))
    database._tell("jobs", Unavailable("it restarts"))
    assert database.status()["not_ready"] == "Unavailable: it restarts"
    database._tell("jobs", None)
    assert database.status()["state"] == "away"
    database.beat(1.0)
    assert "not_ready" not in database.status()
    assert [record.getMessage() for record in caplog.records] == [
        "the database answers",
        "no right to write results; it is tried again",
        "it restarts; it is tried again",
        "the database answers",
    ]
    database.jobs.close()


@pytest.mark.parametrize("name", ["heartbeat", "counts", "settle", "claim"])
def test_its_threads_outlive_what_nobody_expects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    database, one = made(tmp_path), source()
    call, calls = getattr(database.jobs, name), list[int]()

    def fail_once(*given: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise KeyError("a fault")
        return call(*given)

    monkeypatch.setattr(database.jobs, name, fail_once)
    monkeypatch.setattr(module, "PAUSE", 0.05)
    monkeypatch.setattr(module, "LOOK_EVERY", 0.05)
    database.attach(one)
    database.start()
    with Jobs(f"sqlite:///{tmp_path}/jobs.db") as jobs:
        jobs.insert_many("work", range(2))
        for _ in range(2):
            delivery = one.take(1, timeout=20)
            assert delivery is not None
            one.finish(delivery, 1)
            wait_until(lambda: database.dispatcher.idle, 20, "the result to be written")
        wait_until(lambda: len(calls) >= 2, 20, "another try")
        wait_until(lambda: database.status()["state"] == "connected", 20, "it to be connected")
    assert [thread.is_alive() for thread in database._threads] == [True] * 4
    assert "KeyError: 'a fault'" in caplog.text
    database.stop(5)


def test_its_end_waits_once_for_threads_in_a_statement_and_these_open_nothing_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, go_on = Clock(), threading.Event()
    database = made(tmp_path)
    database.jobs.counts()
    inside, maintain = threading.Event(), database.jobs.maintain

    def long() -> None:
        inside.set()
        go_on.wait(60)
        maintain()

    monkeypatch.setattr(database.jobs, "maintain", long)
    database.start()
    assert inside.wait(60)
    joined: list[float] = []
    wait = threading.Thread.join

    def join(self: threading.Thread, timeout: float | None = None) -> None:
        if timeout is None:  # what listens for jobs, and ends at once
            wait(self)
            return
        joined.append(timeout)
        clock.advance(timeout)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "join", join)
        patch.setattr(database, "_clock", clock.seconds)
        database.stop(5)
    assert joined == [5, 0, 0, 0]
    go_on.set()
    for thread in database._threads:
        thread.join(60)
    assert not [thread for thread in database._threads if thread.is_alive()]
    assert (database.jobs._process, database.jobs._waits._listening) == (None, None)
    assert database.status()["state"] == "stopped"
    with pytest.raises(BadDatabase, match="was closed"):
        database.jobs.counts()


def test_upkeep_that_waits_keeps_no_heartbeat_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database, go_on, inside = made(tmp_path, lease="1s"), threading.Event(), threading.Event()
    beats: list[int] = []
    heartbeat = database.jobs.heartbeat

    def held_up() -> None:
        inside.set()
        go_on.wait(60)

    def beat() -> list[Any]:
        beats.append(1)
        return list(heartbeat())

    monkeypatch.setattr(database.jobs, "maintain", held_up)
    monkeypatch.setattr(database.jobs, "heartbeat", beat)
    database.start()
    assert inside.wait(60)
    wait_until(lambda: len(beats) >= 3, 20, "heartbeats")
    assert database.dispatcher.alive
    go_on.set()
    database.stop(5)


def test_its_password_is_read_from_a_file_and_shown_nowhere(tmp_path: Path) -> None:
    pytest.importorskip("psycopg2")
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    database = made(tmp_path, database="postgresql://app@db/app", password=f"file:{secret}")
    assert database._url.password == "s3cret"
    assert "s3cret" not in str(database.status())
    with pytest.raises(ConfigError, match="the secret can't be read"):
        made(tmp_path, database="postgresql://app@db/app", password="file:/nowhere")


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("nonsense", "expected a URL such as"),
        ("mysql://a/b", "expected sqlite or postgresql, not mysql"),
        ("sqlite://", "not a database in memory"),
        ("sqlite:///:memory:", "not a database in memory"),
        ("sqlite:///file:x?mode=memory&uri=true", "not a database in memory"),
        ("postgresql+asyncpg://a/b", "expected postgresql://..., not postgresql\\+asyncpg"),
        ("postgresql://a/b?password=x", "must not contain the password"),
    ],
)
def test_a_url_that_can_not_be_used_is_refused(url: str, text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        DatabaseSettings(database=url)


def test_a_file_lies_in_the_state_directory(tmp_path: Path) -> None:
    assert DatabaseSettings().url(tmp_path).database == f"{tmp_path}/jobs.db"
    assert DatabaseSettings(database="sqlite:////x/y.db").url(tmp_path).database == "/x/y.db"


def test_one_whose_file_is_removed_is_not_ready_until_it_is_back(tmp_path: Path) -> None:
    database = made(tmp_path)
    database.beat(1.0)
    file = tmp_path / "jobs.db"
    file.rename(tmp_path / "old.db")
    with pytest.raises(BadDatabase, match="removed or moved"):
        database.keep()
    with pytest.raises(BadDatabase, match="removed or moved"):
        database.look()
    database.start()
    wait_until(lambda: "jobs.db was removed or moved" in database.status().get("not_ready", ""), 20, "it to say so")
    (tmp_path / "old.db").rename(file)
    wait_until(lambda: "not_ready" not in database.status(), 20, "it to go on")
    database.stop(5)


def test_the_status_tells_how_old_the_last_look_is(tmp_path: Path) -> None:
    clock = Clock()
    database = made(tmp_path)
    database._clock = clock.seconds
    assert database.status()["counted_age"] is None
    database.look()
    clock.advance(3)
    assert database.status()["counted_age"] == 3.0
    (tmp_path / "jobs.db").rename(tmp_path / "old.db")
    with pytest.raises(BadDatabase):
        database.look()
    assert database.status()["counted_age"] == 3.0
    database.jobs.close()
