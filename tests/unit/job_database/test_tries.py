"""Tries that the database does not count."""

from __future__ import annotations

from hub.job_database.result import Result
from hub.job_database.tries import MOST, RememberedTries, Tries
from tests.unit.job_database.job_values import job


def test_a_job_is_new_until_it_was_tried() -> None:
    tries = RememberedTries()
    assert (tries.of(job()).new, tries.of(job(attempt=2)).new) == (True, False)
    tries.note(Result(job(), "ask"), killed=False)
    tries.note(Result(job(), "ask"), killed=True)
    assert tries.of(job()) == Tries(False, 2, 1)


def test_what_has_ended_is_forgotten() -> None:
    tries = RememberedTries()
    for number, outcome in ((1, "dead"), (2, "finished"), (3, "given back")):
        tries.note(Result(job(number), "ask"), killed=False)
        result = Result(job(number), outcome)  # type: ignore[arg-type]
        if outcome == "dead":
            tries.note(result, killed=False)
        else:
            tries.end([result])
    assert [tries.of(job(number)).asked for number in (1, 2, 3)] == [0, 0, 1]


def test_the_memory_is_bounded() -> None:
    tries = RememberedTries()
    for number in range(MOST + 1):
        tries.note(Result(job(number), "ask"), killed=False)
    assert (tries.of(job(0)).asked, tries.of(job(1)).asked, tries.of(job(MOST)).asked) == (0, 1, 1)
