"""How often a program asks PostgreSQL for one job, and what a connection that was ended does; by both drivers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.errors import Unavailable
from hub.jobs import Jobs
from hub.jobs.postgresql.transaction import Transaction
from tests.system.postgres import Postgres

pytestmark = pytest.mark.system


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], int]:
    """Counts the messages that a call sends."""
    sent: list[object] = []
    send = Transaction._send

    def counted(link: Transaction, *texts: str) -> object:
        sent.append(texts)
        return send(link, *texts)

    monkeypatch.setattr(Transaction, "_send", counted)

    def count(call: Callable[[], object]) -> int:
        sent.clear()
        call()
        return len(sent)

    return count


def test_a_job_takes_few_round_trips(postgres: Postgres, trips: Callable[[Callable[[], object]], int]) -> None:
    with Jobs(postgres.create_database(), lease="1h", notify=False) as jobs:
        jobs.insert("q", 0)  # makes its lane
        jobs.complete(jobs.claim(2))
        assert trips(lambda: jobs.insert("q", 1)) == 2
        assert trips(lambda: jobs.insert_many("q", range(5))) == 2
        assert trips(lambda: jobs.claim(9)) <= 5  # a look, if the last one was a second ago
        assert trips(lambda: jobs.complete(jobs.in_hand)) == 3
        assert trips(lambda: jobs.claim(9)) == 1


def test_a_connection_that_was_ended_while_it_was_idle_is_replaced(postgres: Postgres) -> None:
    dsn = postgres.create_database()
    with Jobs(dsn, lease="1h", notify=False) as jobs:
        for call in (lambda: jobs.insert("q", 0), lambda: jobs.insert_many("q", range(9)), lambda: jobs.claim(99)):
            call()
            postgres.kill_sessions(dsn.replace("+psycopg", ""))
            call()
        assert jobs.counts()["q"].running == 20


@pytest.mark.parametrize("how", ["statements", "copy"])
def test_one_that_breaks_in_a_transaction_is_an_absence(postgres: Postgres, how: str) -> None:
    dsn = postgres.create_database()
    with Jobs(dsn, lease="1h", notify=False) as jobs:
        jobs.insert("q", 0)
        with pytest.raises(Unavailable):
            break_transaction(jobs, how, lambda: postgres.kill_sessions(dsn.replace("+psycopg", "")))
        assert jobs.counts()["q"].waiting == 1


def break_transaction(jobs: Jobs, how: str, end: Callable[[], None]) -> None:
    storage: Any = jobs._storage
    with storage._database.begin() as link:
        link.run("CREATE TEMPORARY TABLE t (n integer)")
        end()
        if how == "copy":
            link.copy("COPY t FROM STDIN", "1\n")
        else:
            link.put("INSERT INTO t VALUES (1)")
            link.run("INSERT INTO t VALUES (2)")
