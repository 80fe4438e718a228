"""Programs that know nothing of earlier claims find what waits: the rest of a window, and late commits."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, create_engine

from hub.jobs import Jobs
from hub.jobs.connections import url_of
from tests.system.postgres import Postgres

pytestmark = pytest.mark.system
Claim = Callable[[int], list[object]]


@pytest.fixture
def dsn(postgres: Postgres) -> str:
    return postgres.create_database()


@pytest.fixture
def engine(dsn: str) -> Iterator[Engine]:
    made = create_engine(url_of(dsn))
    yield made
    made.dispose()


@pytest.fixture
def claim(dsn: str) -> Claim:
    """Claims by a program of its own each time, and completes."""

    def run(limit: int) -> list[object]:
        with Jobs(dsn, lease=60.0) as jobs:
            claimed = jobs.claim(limit)
            jobs.complete(claimed)
            return [job.json() for job in claimed]

    return run


def test_the_rest_of_a_window(dsn: str, claim: Claim) -> None:
    with Jobs(dsn) as jobs:
        jobs.insert_many("q", range(7))
        jobs.insert("q", "last")
    assert [claim(3) for _ in range(4)] == [[0, 1, 2], [3, 4, 5], [6, "last"], []]


def test_a_late_commit_and_what_a_claim_has_left_of_it(dsn: str, engine: Engine, claim: Claim) -> None:
    with Jobs(dsn) as jobs, engine.connect() as late, engine.connect() as later:
        jobs.insert_many("q", range(5), connection=late)
        jobs.insert("q", "later", connection=later)
        jobs.insert_many("q", ["after", "too"])
        assert [claim(5), claim(5)] == [["after", "too"], []]
        late.commit()
        assert [claim(2), claim(2)] == [[0, 1], [2, 3]]
        jobs.insert("q", "new")
        assert [claim(1), claim(1), claim(1)] == [[4], ["new"], []]
        later.commit()
        assert [claim(9), claim(9)] == [["later"], []]


def test_lanes_that_have_nothing_are_passed(dsn: str, claim: Claim) -> None:
    with Jobs(dsn) as jobs:
        for number in range(20):
            jobs.insert(f"q{number}", number, priority=number % 10)
            assert claim(9) == [number]
        jobs.insert("q3", "again", priority=1)
        jobs.pause("q3")
        jobs.insert("q7", "more", priority=1)
        assert [claim(9), claim(9)] == [["more"], []]
