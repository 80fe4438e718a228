"""Claims that wait are woken by other programs, on PostgreSQL, by both drivers, and on SQLite."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine

from hub.jobs import Jobs
from hub.jobs.connections import url_of
from tests.support import wait_until
from tests.system.job_stores import let_lease_pass, rows
from tests.system.postgres import Postgres

pytestmark = pytest.mark.system
Make = Callable[..., Jobs]


class Sleeper:
    """A thread of a program that waits for jobs, and looks only when it is woken."""

    def __init__(self, jobs: Jobs, queues: list[str] | None = None) -> None:
        self.jobs = jobs
        self.sleeps = 0
        self._found: list[Any] = []
        waits: Any = jobs._waits
        waits.sleep = self._sleep
        self._thread = threading.Thread(target=self._run, args=(queues,))
        self._thread.start()
        self.fall_asleep()

    def _sleep(self, event: threading.Event, _: float) -> None:
        self.sleeps += 1
        event.wait()

    def _run(self, queues: list[str] | None) -> None:
        self._found += self.jobs.claim(10, queues, wait="1h")

    def fall_asleep(self, sleeps: int = 0) -> None:
        wait_until(lambda: self.sleeps > sleeps, what="the sleeper to sleep")

    def found(self) -> list[Any]:
        """Bodies of its jobs, when it has some."""
        wait_until(self.is_awake, what="the sleeper to find jobs")
        return [job.json() for job in self._found]

    def is_awake(self) -> bool:
        return not self._thread.is_alive()

    def end(self) -> None:
        self.jobs.stop_waiting()
        self._thread.join()


@pytest.fixture
def sleep(make: Make) -> Iterator[Callable[..., Sleeper]]:
    sleepers: list[Sleeper] = []

    def start(queues: list[str] | None = None, **options: Any) -> Sleeper:
        sleepers.append(Sleeper(make(lease=3600.0, **options), queues))
        return sleepers[-1]

    yield start
    for sleeper in sleepers:
        sleeper.end()


@pytest.fixture
def pg(postgres: Postgres) -> str:
    """DSN of an empty database of PostgreSQL."""
    return postgres.create_database()


@pytest.fixture
def heard(pg: str) -> Iterator[Callable[[], list[str]]]:
    """Queues that anybody was notified of since the last call."""
    engine = create_engine(url_of(pg.replace("+psycopg", "")), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("LISTEN hubbub_jobs")

        def read() -> list[str]:
            connection.exec_driver_sql("SELECT 1")
            raw: Any = connection.connection.driver_connection
            found = [notification.payload for notification in raw.notifies]
            raw.notifies.clear()
            return found

        yield read
    engine.dispose()


def one_asleep(jobs: Jobs, seconds: float = 60.0) -> None:
    """Make a process that is known to sleep."""
    jobs.claim()
    process = jobs._process
    assert process is not None
    jobs._storage.sleep(process, seconds)


def test_an_insert_of_another_program_wakes_a_claim(sleep: Callable[..., Sleeper], make: Make) -> None:
    sleeper = sleep()
    make().insert_many("q", [1, 2])
    assert sleeper.found() == [1, 2]


def test_an_insert_of_ones_own_wakes_a_claim(sleep: Callable[..., Sleeper]) -> None:
    sleeper = sleep()
    sleeper.jobs.insert("q", 1)
    assert sleeper.found() == [1]


def test_all_threads_and_programs_that_sleep_are_woken(sleep: Callable[..., Sleeper], make: Make) -> None:
    one, other = sleep(), sleep(["q"])
    make().insert_many("q", range(15))
    assert sorted(one.found() + other.found()) == list(range(15))


def test_jobs_of_other_queues_wake_nobody(sleep: Callable[..., Sleeper], make: Make) -> None:
    sleeper = sleep(["b", "c"])
    other = make()
    other.insert("a", 1)
    other.insert("c", 2)
    assert sleeper.found() == [2]
    assert [job.json() for job in other.claim(wait=0.001)] == [1]


@pytest.mark.parametrize("ending", ["retry", "give_back", "close", "rescue", "due", "retry_dead", "resume"])
def test_whatever_makes_a_job_wait_wakes_a_claim(sleep: Callable[..., Sleeper], make: Make, ending: str) -> None:
    other = make(lease=60.0, retry_delay=lambda _: 0.0)
    other.insert("q", 1, run_after=0.001 if ending == "due" else None)
    job = other.claim()
    if ending == "retry_dead":
        other.bury(job, "no")
    elif ending == "resume":
        other.give_back(job)
        other.pause("q")
    sleeper = sleep()
    if ending == "retry":
        other.retry(job, "failed")
    elif ending == "give_back":
        other.give_back(job)
    elif ending == "close":
        other.close()
    elif ending == "rescue":
        let_lease_pass(other)
        make(lease=60.0).maintain()
    elif ending == "due":

        def moved() -> bool:
            other.maintain()
            return sleeper.is_awake()

        wait_until(moved)
    elif ending == "retry_dead":
        other.retry_dead("q")
    elif ending == "resume":
        other.resume("q")
    assert sleeper.found() == [1]


def test_a_job_of_the_callers_transaction_is_found_by_looking(dsn: str, make: Make) -> None:
    jobs = make(longest_poll=0.1)
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.extend(jobs.claim(10, wait="10m")))
    thread.start()
    waits: Any = jobs._waits
    wait_until(lambda: waits._waiters)
    if dsn.startswith("sqlite"):
        with sqlite3.connect(dsn.removeprefix("sqlite:///")) as connection:
            make().insert("q", 1, connection=connection)
        connection.close()
    else:
        engine = create_engine(url_of(dsn))
        with engine.begin() as transaction:
            make().insert("q", 1, connection=transaction)
        engine.dispose()
    thread.join()
    assert [job.json() for job in found] == [1]


def test_a_wait_ends_with_nothing_after_its_time(jobs: Jobs) -> None:
    assert jobs.claim(10, wait="20ms") == []
    assert jobs.claim(10, wait=0.02) == []
    with pytest.raises(ValueError, match="duration"):
        jobs.claim(10, wait="soon")


def test_waits_go_on_after_a_close(make: Make) -> None:
    jobs = make()
    jobs.claim(wait=0.01)
    jobs.close()
    assert not [thread for thread in threading.enumerate() if thread.name in ("jobs-listener", "jobs-watcher")]
    Sleeper(jobs).end()


def test_listening_goes_on_after_the_sessions_were_killed(pg: str, postgres: Postgres) -> None:
    with Jobs(pg, lease=3600.0) as jobs, Jobs(pg) as other:
        sleeper = Sleeper(jobs)
        try:
            for _ in range(2):
                wait_until(lambda: listeners(other) == 1, what="the listener")
                sleeps = sleeper.sleeps
                postgres.kill_sessions(pg.replace("+psycopg", ""))
                sleeper.fall_asleep(sleeps)  # it was woken, for it may have missed something
            other.insert("q", 1)
            assert sleeper.found() == [1]
        finally:
            sleeper.end()


def listeners(jobs: Jobs) -> int:
    found = rows(jobs, "SELECT count(*) FROM pg_stat_activity WHERE query = 'LISTEN hubbub_jobs'")
    return int(found[0][0])


def test_nobody_is_notified_while_nobody_sleeps(pg: str, heard: Callable[[], list[str]]) -> None:
    with Jobs(pg) as jobs, Jobs(pg) as other:
        other.insert("q", 1)
        other.claim()
        assert heard() == []
        one_asleep(jobs, 0.0)
        other.insert("q", 1)
        assert heard() == []
        one_asleep(jobs)
        wait_until(lambda: other.insert("q", 1) and heard() == ["q"])


def test_the_callers_transaction_notifies_nobody(pg: str, heard: Callable[[], list[str]]) -> None:
    """A notification holds a lock of the whole server until its transaction has ended."""
    engine = create_engine(url_of(pg))
    with Jobs(pg) as jobs:
        one_asleep(jobs)
        with engine.begin() as transaction:
            jobs.insert("q", 1, connection=transaction)
        assert heard() == []
    engine.dispose()


def test_notifications_can_be_switched_off(pg: str, heard: Callable[[], list[str]]) -> None:
    with Jobs(pg, notify=False) as jobs:
        one_asleep(jobs)
        jobs.insert("q", 1)
        assert heard() == []
        assert len(jobs.claim(10, wait=10)) == 1
        assert jobs.claim(10, wait=0.01) == []
        assert not [thread for thread in threading.enumerate() if thread.name == "jobs-listener"]
