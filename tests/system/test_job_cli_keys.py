"""``hubbub job``: keys, debounced jobs and limits; on PostgreSQL, by both drivers, and on SQLite."""

from __future__ import annotations

import json

import pytest

from hub.cli.job.errors import MOST_AT_ONCE, further
from hub.jobs import ClaimLimits, JobError, Jobs, JobState
from tests.system.job_command import run
from tests.unit.command import Run

__all__ = ["run"]
pytestmark = pytest.mark.system


def test_a_dead_letter_holds_its_key_if_it_is_told_so(run: Run, jobs: Jobs) -> None:
    for unique in ("unfinished-or-dead", "kept-or-dead"):
        first = json.loads(run("job", "insert", "q", "1", "--key", unique, "--unique", unique, "--json")[1])
        (job,) = jobs.claim()
        jobs.bury(job, "no")
        again = json.loads(run("job", "insert", "q", "2", "--key", unique, "--unique", unique, "--json")[1])
        assert again == {"queue": "q", "id": first["id"], "new": False}
    code, _, err = run("job", "insert", "q", "1", "--unique", "kept")
    assert (code, "--unique is for a job with a --key" in err) == (64, True)


def test_a_job_is_debounced(run: Run, jobs: Jobs) -> None:
    given = ("--key", "k", "--after", "1h", "--debounce", "2h")
    first = run("job", "insert", "q", "1", *given)[1].strip()
    assert run("job", "insert", "q", "2", *given) == (0, f"{first} is there, with this key: it waits anew\n", "")
    (job,) = jobs.peek("q", JobState.DELAYED)
    assert (job.id, job.json()) == (int(first), 2)
    for wrong in (("--after", "1h"), ("--key", "k"), ("--key", "k", "--after", "1h", "--replace")):
        code, _, err = run("job", "insert", "q", "1", "--debounce", "2h", *wrong)
        assert (code, "--debounce is for a job" in err) == (64, True)


def test_limits_are_set_and_shown(run: Run, jobs: Jobs) -> None:
    jobs.insert("q", 1)
    assert run("job", "limit", "q") == (0, "q  1 of a lock at a time, any rate\n", "")
    code, out, _ = run("job", "limit", "q", "--rate", "120/m", "--burst", "7")
    assert (code, out) == (0, "q  1 of a lock at a time, 2 a second, 7 at once after a rest\n")
    run("job", "limit", "q", "--per-lock", "3")
    assert jobs.limits() == {"q": ClaimLimits(3, 2.0, 7.0)}
    code, out, _ = run("job", "limit", "q", "--rate", "none", "--json")
    assert json.loads(out) == {"queue": "q", "per_lock": 3, "rate": None, "burst": 1.0}
    assert jobs.limits() == {"q": ClaimLimits(3)}
    code, _, err = run("job", "limit", "q", "--rate", "often")
    assert (code, "rate is a number of jobs per second" in err) == (64, True)
    code, _, err = run("job", "limit", "q", "--burst", "2")
    assert (code, "burst is for a queue with a rate" in err) == (64, True)


class Burst:
    """A database in whose log of errors more come in a second than a look has."""

    def __init__(self) -> None:
        self.looks = 0

    def recent_errors(self, queue: str | None, limit: int, since: float) -> list[JobError]:
        self.looks += 1
        first = 0 if self.looks == 1 else 10 * limit
        return [JobError(1, 1000.0 + number / 1e6, "no", number, "q") for number in range(first, first + limit)]


def test_who_follows_errors_is_told_of_those_that_are_left_out() -> None:
    told: list[str] = []
    burst = Burst()
    errors = further(burst, "q", [], lambda _: None, lambda: told.append("left out"))  # type: ignore[arg-type]
    seen = [next(errors) for _ in range(2 * MOST_AT_ONCE)]
    assert [error.job for error in seen[MOST_AT_ONCE:]] == list(range(10 * MOST_AT_ONCE, 11 * MOST_AT_ONCE))
    assert told == ["left out", "left out"]
