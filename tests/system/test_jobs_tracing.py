"""The trace of a job outlives all that may become of it, on PostgreSQL and on SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.jobs import Jobs, JobState
from hub.jobs.sqlite import database as sqlite_database
from tests.support import free_port, wait_until
from tests.system.hubs import RunningHub
from tests.system.job_stores import let_lease_pass

pytestmark = pytest.mark.system

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HEADERS = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "a=1"}
OTHER = {"traceparent": f"00-{TRACE[::-1]}-{PARENT}-01"}


@pytest.mark.parametrize("many", [1, 20])
def test_it_is_that_of_the_insertion(jobs: Jobs, many: int) -> None:
    """One by one, and by COPY."""
    jobs.insert_many("q", range(many), trace=HEADERS)
    jobs.insert_many("q", range(many))
    assert [job.trace for job in jobs.claim(100)] == [HEADERS] * many + [{}] * many


def test_it_outlives_attempts_and_the_process_that_had_it(jobs: Jobs, make: Callable[..., Jobs]) -> None:
    handle = jobs.insert("q", 1, run_after=3600, max_retries=2, trace=HEADERS)
    assert jobs.kick("q") == 1
    for failed in (True, False, True, True):
        jobs.maintain()
        (job,) = jobs.claim()
        assert (job.id, job.trace) == (handle.id, HEADERS)
        if failed:
            jobs.retry(job, "it fails")
        else:
            jobs.give_back(job)
    (dead,) = jobs.peek("q", "dead")
    assert dead.trace == HEADERS
    assert jobs.retry_dead("q") == 1
    (job,) = jobs.claim()
    assert job.trace == HEADERS
    jobs.snooze(job, 3600)
    assert [one.trace for one in jobs.peek("q", "delayed")] == [HEADERS]
    jobs.kick("q")
    jobs.maintain()
    assert jobs.claim()
    let_lease_pass(jobs)
    other = make(lease=60.0)

    def rescued() -> bool:
        other.maintain()
        return bool(other.peek("q"))

    wait_until(rescued, 20, "the job to be rescued")
    (job,) = other.claim()
    assert (job.id, job.trace) == (handle.id, HEADERS)
    assert other.read(handle).trace == HEADERS  # type: ignore[union-attr]


def test_it_waits_for_its_lock_with_it(jobs: Jobs) -> None:
    jobs.insert_many("q", range(3), lock="one", trace=HEADERS)
    for _ in range(3):
        (job,) = jobs.claim(10)
        assert job.trace == HEADERS
        jobs.complete(job)


def test_a_debounced_job_has_that_of_the_last_one(jobs: Jobs) -> None:
    for trace in (HEADERS, OTHER):
        handle = jobs.insert("q", 1, key="k", conflict="debounce", run_after=3600, max_wait=7200, trace=trace)
    assert [job.trace for job in jobs.peek("q", "delayed")] == [OTHER]
    assert jobs.find(handle).state is JobState.DELAYED  # type: ignore[union-attr]


def test_a_file_of_the_version_before_keeps_its_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written by what the library was before it knew of traces; the same for PostgreSQL is the migration's own test."""
    file = tmp_path / "jobs.db"
    connection = sqlite3.connect(file)
    before = sqlite_database.MIGRATIONS[:-1]
    for statements in before:
        connection.executescript(statements)
    connection.execute(f"PRAGMA application_id = {sqlite_database.APPLICATION}")
    connection.execute(f"PRAGMA user_version = {len(before)}")
    connection.execute(
        "INSERT INTO job (id, queue, priority, state, created, attempt, max_retries, tags, body)"
        " VALUES (1, 'q', 4, 'waiting', 1, 1, 25, '[]', x'31')"
    )
    connection.execute("UPDATE counter SET jobs = 1")
    connection.commit()
    connection.close()
    with Jobs(f"sqlite:///{file}") as jobs:
        jobs.insert("q", 2, trace=HEADERS)
        assert [(job.json(), job.trace) for job in jobs.claim(10)] == [(1, {}), (2, HEADERS)]


CHAIN = """\
import json
from pathlib import Path

from hub import Consumer

HERE = Path(__file__).parent


def note(who, message):
    with (HERE / "seen").open("a") as file:
        file.write(json.dumps([who, message.headers.get("attempt"), message.headers.get("traceparent")]) + "\\n")


class Receive(Consumer):
    topics = ("in.#",)

    def consume(self, message):
        jobs = self.context.jobs()
        jobs.insert("work", message.topic)
        jobs.insert_jobs([jobs.new_job("work", message.topic)])


class Work(Consumer):
    queue = "work"

    def consume(self, message):
        note("work", message)
        if message.headers["attempt"] == 1:
            raise ValueError("the first attempt fails")
        self.context.jobs().insert("more", "of a job")


class More(Consumer):
    queue = "more"

    def consume(self, message):
        note("more", message)
        self.context.publish("out.done", {}, backend="bus")
"""


def test_it_goes_from_a_message_through_jobs_to_what_their_consumers_do(tmp_path: Path, dsn: str) -> None:
    """From a message to the job that its consumer inserts, the job's retry, and the job that that one inserts."""
    (tmp_path / "chain.py").write_text(CHAIN)
    port = free_port()
    text = f"""
        [jobs.main]
        database = "{dsn}"

        [backends.bus]
        type = "zeromq"
        connect = ["tcp://127.0.0.1:{port}"]
        publish_bind = ["tcp://127.0.0.1:{port}"]

        [consumers.log]
        type = "log"
        topics = ["probe"]

        """ + "".join(
        f'[consumers.{name.lower()}]\ntype = "chain.py:{name}"\nbackoff = "0s"\n'
        for name in ("Receive", "Work", "More")
    )
    with RunningHub(tmp_path, text) as hub:

        def seen() -> list[list[object]]:
            file = tmp_path / "seen"
            return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

        def heard() -> bool:
            hub.client.post("/publish", {"topic": "probe", "body": {}})
            return bool(hub.status()["backends"]["bus"]["received"])

        wait_until(heard, 20, "the hub to hear itself")
        hub.client.post("/publish", {"topic": "in.a", "body": {}, "headers": HEADERS})
        wait_until(lambda: len(seen()) >= 6, 30, lambda: f"two jobs, their retries, and two more: {seen()}; {hub.log}")
        parent = HEADERS["traceparent"]
        assert sorted(seen(), key=str) == sorted(
            [["work", 1, parent], ["work", 2, parent], ["more", 1, parent]] * 2, key=str
        )
        assert hub.stop() == 0
