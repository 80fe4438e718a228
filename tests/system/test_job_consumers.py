"""A real hub whose consumers work jobs of a database: PostgreSQL, by both drivers, and SQLite."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from hub.jobs import Jobs, JobState
from tests.support import wait_until
from tests.system.hubs import RunningHub
from tests.system.postgres import Postgres

pytestmark = pytest.mark.system

WORK = """\
import os
import time
from pathlib import Path

from hub import Consumer, Reject, Retry

HERE = Path(__file__).parent


class Work(Consumer):
    queue = "work"

    def consume(self, message):
        body = message.json()
        with (HERE / f"done-{os.getpid()}").open("a") as file:
            file.write(f"{message.id} {message.headers['attempt']} {message.topic}\\n")
        if body == "more":
            self.context.jobs().insert("work", "of a job")
        while body == "wait" and not self.context.is_cancelled(message):
            time.sleep(0.01)
        if body == "reject":
            raise Reject("not this one")
        if body == "fail":
            raise KeyError("no such thing")
        if body == "later":
            Path(HERE / "asked").touch()
            raise Retry("60s")
        while body == "hang" and not (HERE / "go").exists():
            time.sleep(0.01)
"""


def configuration(dsn: str, more: str = "", lease: str = "15s", **settings: object) -> str:
    given = "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
    return f"""\
[jobs.main]
database = "{dsn}"
lease = "{lease}"
{more}
[consumers.work]
type = "work.py:Work"
backoff = "0s"
{given}"""


@pytest.fixture
def hub_of(tmp_path: Path, dsn: str) -> Callable[..., RunningHub]:
    """Makes hubs at one database."""

    def make(name: str = "a", more: str = "", ready: bool = True, lease: str = "15s", **settings: object) -> RunningHub:
        directory = tmp_path / name
        directory.mkdir(exist_ok=True)
        (directory / "work.py").write_text(WORK)
        return RunningHub(directory, configuration(dsn, more, lease, **settings), ready=ready)

    return make


def done(*hubs: RunningHub) -> list[tuple[str, ...]]:
    files = [file for hub in hubs for file in hub.directory.glob("done-*")]
    return [tuple(line.split()) for file in files for line in file.read_text().splitlines()]


def is_empty(jobs: Jobs) -> bool:
    counts = jobs.counts().get("work")
    return counts is None or not (counts.waiting or counts.delayed or counts.running)


def test_jobs_are_worked_once_and_the_status_tells_of_them(hub_of: Callable[..., RunningHub], jobs: Jobs) -> None:
    handles = jobs.insert_many("work", range(500))
    with hub_of(threads=3) as hub:
        wait_until(lambda: is_empty(jobs), 60, "all jobs")
        assert sorted(int(job) for job, _, _ in done(hub)) == [handle.id for handle in handles]
        assert {(attempt, topic) for _, attempt, topic in done(hub)} == {("1", "work")}

        def told() -> tuple[object, ...]:
            row = hub.consumer("work")
            return row["received"], row["finished"], row["backlog"], row["state"], row["topics"]

        wait_until(lambda: told() == (500, 500, 0, "running", []), 20, "a look at the queue")
        part = hub.status()["jobs"]["main"]
        assert [row["durable"] for row in hub.status()["consumers"].values()] == [True]
        assert (part["state"], part["claimed"], part["refused"]) == ("connected", 500, 0)
        assert hub.stop() == 0
    assert jobs.find(handles[-1]).status == 0  # type: ignore[union-attr]


def test_verdicts_end_in_the_database(hub_of: Callable[..., RunningHub], jobs: Jobs) -> None:
    rejected, later = jobs.insert("work", "reject"), jobs.insert("work", "later")
    failed = jobs.insert("work", "fail", max_retries=2)
    with hub_of() as hub:
        wait_until(lambda: jobs.counts()["work"].dead == 2, 60, "two dead letters")
        wait_until(lambda: hub.consumer("work")["dead_letters"] == 2, 20, "a look at the queue")
        assert Counter(job for job, _, _ in done(hub)) == {str(rejected.id): 1, str(later.id): 1, str(failed.id): 3}
        row = hub.consumer("work")
        assert (row["dead"], row["rejected"], row["failed"], row["retried"]) == (2, 1, 3, 3)
        assert (row["delayed"], row["backlog"], row["last_error"]["error"]) == (1, 1, "KeyError")
    assert {job.id: job.reason.splitlines()[-1] for job in jobs.peek("work", "dead")} == {
        rejected.id: "not this one",
        failed.id: "failed 3 times, last with KeyError",
    }
    assert [error.attempt for error in jobs.errors(failed)] == [1, 2, 3]
    assert jobs.find(later).attempts == 0  # type: ignore[union-attr]


def test_the_consumer_may_bound_the_attempts(hub_of: Callable[..., RunningHub], jobs: Jobs) -> None:
    jobs.insert("work", "fail")
    with hub_of(max_attempts=2) as hub:
        wait_until(lambda: jobs.counts()["work"].dead == 1, 60, "a dead letter")
        assert len(done(hub)) == 2


def test_another_hub_rescues_the_jobs_of_one_that_is_killed(hub_of: Callable[..., RunningHub], jobs: Jobs) -> None:
    hung = jobs.insert("work", "hang")
    with hub_of("a", lease="5s") as first:
        wait_until(lambda: done(first), 30, "the job to begin")
        more = jobs.insert_many("work", range(50))
        first.process.kill()
        first.process.wait()
        with hub_of("b", lease="5s") as second:
            (second.directory / "go").touch()
            wait_until(lambda: is_empty(jobs), 60, "the rescue")
            found = {int(job): attempt for job, attempt, _ in done(second)}
            assert set(found) == {hung.id, *(handle.id for handle in more)}
            assert found[hung.id] == "2"


def test_two_hubs_share_a_queue_and_each_knows_what_the_other_did(
    hub_of: Callable[..., RunningHub], jobs: Jobs
) -> None:
    with hub_of("a") as first, hub_of("b") as second:
        hung = [jobs.insert("work", "hang") for _ in range(2)]
        wait_until(lambda: done(first) and done(second), 30, "a job in the hands of each")
        handles = jobs.insert_many("work", range(100))
        hubs = (first, second)
        wait_until(lambda: all(hub.consumer("work")["backlog"] == 102 for hub in hubs), 30, "the backlog")
        for hub in hubs:
            (hub.directory / "go").touch()
        wait_until(lambda: is_empty(jobs), 60, "all jobs")
        worked = Counter(int(job) for job, _, _ in done(first, second))
        assert worked == Counter(handle.id for handle in [*hung, *handles])
        wait_until(lambda: all(hub.consumer("work")["backlog"] == 0 for hub in hubs), 30, "a look at the queue")

        def know(hub: RunningHub) -> bool:
            row = hub.consumer("work")
            told = (row["finished"], row["finished"] + row["settled_elsewhere"], row["received"])
            return told == (len(done(hub)), 102, 102)

        wait_until(lambda: all(know(hub) for hub in hubs), 30, "each to know what the other did")


def test_a_stop_gives_back_what_it_interrupts_and_counts_no_attempt(
    hub_of: Callable[..., RunningHub], jobs: Jobs
) -> None:
    hung = jobs.insert("work", "hang")
    with hub_of(more='[hub]\nstop_timeout = "500ms"\n') as hub:
        wait_until(lambda: done(hub), 30, "the job to begin")
        hub.stop(signal.SIGTERM)
    found = jobs.find(hung)
    assert found is not None
    assert (found.state.value, found.attempts) == ("waiting", 0)


def test_a_reload_gives_the_consumer_another_queue(hub_of: Callable[..., RunningHub], jobs: Jobs) -> None:
    jobs.insert_many("work", range(3))
    jobs.insert_many("other", range(4))
    with hub_of() as hub:
        hub.wait_for("work", "finished", 3)
        hub.file.write_text(hub.file.read_text() + 'queue = "other"\n')
        answer = json.loads(hub.command("reload", "--json").stdout)
        assert answer == {"changes": ["consumer work: changed (queue)"], "problems": []}
        hub.wait_for("work", "finished", 7)
        hub.file.write_text(hub.file.read_text().replace('"15s"', '"30s"'))
        answer = json.loads(hub.command("reload", "--json").stdout)
        assert answer == {"changes": ["database of jobs main: changed (lease)"], "problems": []}
        jobs.insert_many("other", range(5))
        hub.wait_for("work", "finished", 12)
        hub.file.write_text("")
        hub.command("reload")
        status = hub.status()
        assert (status["jobs"], status["consumers"]) == ({}, {})


def test_a_queue_that_is_paused_rests(hub_of: Callable[..., RunningHub], jobs: Jobs) -> None:
    jobs.pause("work", "the disk is full")
    jobs.insert_many("work", range(5))
    with hub_of() as hub:
        wait_until(lambda: hub.consumer("work")["state"] == "paused", 20, "the pause to be seen")
        wait_until(lambda: hub.consumer("work")["backlog"] == 5, 20, "the backlog")
        jobs.resume("work")
        hub.wait_for("work", "finished", 5)


def test_an_operator_pauses_the_queue_for_everybody_and_ends_that(
    hub_of: Callable[..., RunningHub], jobs: Jobs
) -> None:
    with hub_of() as hub:
        answer = json.loads(hub.command("queue", "pause", "work", "--json").stdout)
        assert (answer["state"], answer["paused"]) == ("paused", True)
        assert jobs.counts()["work"].paused
        jobs.insert_many("work", range(3))
        wait_until(lambda: hub.consumer("work")["backlog"] == 3, 20, "the backlog")
        found = hub.command("queue", "pause", "work", "--for", "1h", check=False)
        assert found.returncode != 0
        assert "knows no time" in found.stderr
        hub.command("queue", "resume", "work")
        hub.wait_for("work", "finished", 3)
        found = hub.command("queue", "drain", "work", check=False)
        assert "is a consumer of jobs" in found.stderr


def test_dead_letters_are_shown_retried_and_deleted(hub_of: Callable[..., RunningHub], jobs: Jobs) -> None:
    first, second = jobs.insert_many("work", ["reject", "fail"], max_retries=0, tags=["nightly"])
    with hub_of() as hub:
        wait_until(lambda: jobs.counts()["work"].dead == 2, 60, "two dead letters")
        shown = {row["number"]: row for row in hub.client.get("/dead/work")["dead_letters"]}
        assert set(shown) == {first.id, second.id}
        assert (shown[first.id]["reason"], shown[first.id]["body"]) == ("not this one", '"reject"')
        assert shown[second.id]["reason"] == "failed once with KeyError"
        assert "KeyError: 'no such thing'" in shown[second.id]["traceback"]
        assert shown[second.id]["buried_at"] >= shown[second.id]["received_at"]
        assert "not this one" in hub.command("dead", "show", "work", str(first.id)).stdout
        assert hub.client.get("/dead/work?number=999") == {"dead_letters": []}
        answer = hub.client.post("/retry-dead", {"consumer": "work", "numbers": [first.id, 999]})
        assert (answer["count"], answer["problem"]) == (1, "1 dead letter had gone before")
        wait_until(lambda: len(done(hub)) == 3 and jobs.counts()["work"].dead == 2, 30, "another attempt")
        assert hub.client.post("/delete-dead", {"consumer": "work", "numbers": [first.id, 999]}) == {"deleted": 1}
        assert [job.id for job in jobs.peek("work", "dead")] == [second.id]


def test_a_hub_starts_without_its_database_and_outlives_its_restart(tmp_path: Path, postgres: Postgres) -> None:
    dsn = postgres.create_database()
    (tmp_path / "work.py").write_text(WORK)
    postgres.stop()
    with ExitStack() as stack:
        try:
            hub = stack.enter_context(RunningHub(tmp_path, configuration(dsn, lease="60s")))
            wait_until(lambda: "Unavailable" in str(hub.status()["hub"]["not_ready"]), 40, "the reason")
            assert not hub.status()["hub"]["ready"]
        finally:
            postgres.start()
        jobs = stack.enter_context(Jobs(dsn))
        wait_until(lambda: hub.status()["hub"]["ready"], 40, "the database to be found")
        handles = jobs.insert_many("work", range(30))
        hub.wait_for("work", "finished", 30)
        hung = jobs.insert("work", "hang")
        wait_until(lambda: len(done(hub)) == 31, 20, "a job in hand")
        postgres.restart()
        (hub.directory / "go").touch()
        wait_until(lambda: hub.consumer("work")["finished"] == 31, 40, "the job in hand to be written")
        assert Counter(job for job, _, _ in done(hub)) == {str(one.id): 1 for one in [*handles, hung]}


def test_a_job_inserts_others_and_notices_that_it_is_cancelled(hub_of: Callable[..., RunningHub], jobs: Jobs) -> None:
    with hub_of() as hub:
        jobs.insert("work", "more")
        hub.wait_for("work", "finished", 2)
        waiting = jobs.insert("work", "wait")
        wait_until(lambda: len(done(hub)) == 3, 20, "a job that waits for its end")
        assert jobs.cancel(waiting) is JobState.RUNNING
        hub.wait_for("work", "finished", 3)


def test_an_entry_of_cron_is_shown_with_its_next_time(hub_of: Callable[..., RunningHub], jobs: Jobs) -> None:
    entry = '[jobs.main.cron.yearly]\nline = "@yearly"\nzone = "Europe/Berlin"\nqueue = "work"\n'
    with hub_of(more=entry) as hub:
        wait_until(lambda: hub.status()["jobs"]["main"]["cron"]["yearly"]["next"], 20, "the next slot")
        assert (hub.directory / "state" / "cron-main.json").exists()


def test_what_a_job_publishes_is_sent_before_it_is_finished(hub_of: Callable[..., RunningHub], jobs: Jobs) -> None:
    bus = '[backends.bus]\ntype = "memory"\n[consumers.log]\ntype = "heard.py:Heard"\n'
    publishing = WORK.replace(
        "        body = message.json()\n", '        self.context.publish("a", "x")\n        body = 1\n'
    )
    hub = hub_of(more=bus)
    (hub.directory / "work.py").write_text(publishing)
    (hub.directory / "heard.py").write_text(
        'from hub import Consumer\n\nclass Heard(Consumer):\n    topics = ("a",)\n\n'
        "    def consume(self, message):\n        pass\n"
    )
    handles = jobs.insert_many("work", range(20))
    with hub:
        hub.wait_for("work", "finished", 20)
        assert hub.status()["hub"]["published"] == 20
    states: Any = {jobs.find(handle).state.value for handle in handles}  # type: ignore[union-attr]
    assert states == {"finished"}
