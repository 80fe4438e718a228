"""Claims whose answer was lost, with a storage that the test makes fail after its commit."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.errors import Unavailable
from hub.jobs import Jobs
from tests.support import wait_until


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    with Jobs(f"sqlite:///{tmp_path}/jobs.db") as made:
        yield made


def lose_answer(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim commits, and its caller never hears of it."""
    storage: Any = jobs._storage
    claim = storage.claim

    def committed(*args: Any) -> None:
        claim(*args)
        raise Unavailable("the connection broke")

    with monkeypatch.context() as patched:
        patched.setattr(storage, "claim", committed)
        with pytest.raises(Unavailable):
            jobs.claim(2)


def test_the_next_claim_gets_them(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.insert_many("q", range(3))
    lose_answer(jobs, monkeypatch)
    assert jobs.in_hand == []
    assert [(job.json(), job.attempt) for job in jobs.claim(5)] == [(0, 1), (1, 1), (2, 1)]


def test_upkeep_lets_another_have_them(jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.insert_many("q", range(2))
    lose_answer(jobs, monkeypatch)
    jobs.maintain()
    with Jobs(f"sqlite:///{tmp_path}/jobs.db") as other:
        assert [job.json() for job in other.claim(5)] == [0, 1]


def test_what_is_in_hand_stays_there(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.insert_many("q", range(4))
    first = jobs.claim(2)
    jobs.complete(first[0])
    lose_answer(jobs, monkeypatch)
    assert [job.json() for job in jobs.claim(5)] == [2, 3]
    jobs.complete(first[1])
    assert jobs.fenced == 0


def test_a_database_that_is_still_away_is_asked_again(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.insert_many("q", range(2))
    lose_answer(jobs, monkeypatch)

    def away(*_: Any) -> None:
        raise Unavailable("still away")

    with monkeypatch.context() as patched:
        patched.setattr(jobs._storage, "give_back_others", away)
        with pytest.raises(Unavailable, match="still away"):
            jobs.claim(5)
    assert len(jobs.claim(5)) == 2


def test_a_claim_under_way_keeps_what_it_gets(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has committed, and what it has got is in nobody's hand yet."""
    jobs.insert_many("q", range(3))
    lose_answer(jobs, monkeypatch)
    storage: Any = jobs._storage
    committed, heard = threading.Event(), threading.Event()
    claim, found = storage.claim, []

    def slow(*args: Any) -> Any:
        claimed = claim(*args)
        committed.set()
        assert heard.wait(30)
        return claimed

    def claim_slowly() -> None:
        with jobs._unanswered.claiming():
            claimed = slow(jobs._process, 1, None, None)
            jobs._in_hand.add(claimed)
        found.extend(claimed)

    thread = threading.Thread(target=claim_slowly)
    thread.start()
    assert committed.wait(30)
    assert jobs._unanswered.give_back(jobs._process, patience=0.0) == 0
    other = threading.Thread(target=lambda: found.extend(jobs.claim(5)))
    other.start()
    wait_until(lambda: jobs._unanswered._giving_back or not other.is_alive(), 10, "one that waits for it")
    heard.set()
    thread.join(30)
    other.join(30)
    found.extend(jobs.claim(5))  # if the other one has lost its patience
    assert sorted(job.json() for job in found) == [0, 1, 2]
    jobs.complete(found)
    assert jobs.fenced == 0
