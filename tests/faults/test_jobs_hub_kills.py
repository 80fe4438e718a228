"""kill -9 of hubs that work jobs, at random instants: no job is lost, and none is accepted as done twice."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from hub.jobs import Jobs
from tests.faults.job_hubs import AHEAD, JobHub, check_jobs, insert
from tests.faults.size import SEED, sized
from tests.support import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(sized(300, 3600))]

KILLS = sized(4, 100)
HUBS = 2
LEASE = 3.0
LEFT = 100
"""Jobs that a hub finds when it starts at least: a kill meets it at work."""


def test_no_job_is_lost_and_none_is_accepted_twice(dsn: str, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    print(f"{KILLS} kills, seed {SEED}")
    with Jobs(dsn, lease=LEASE) as jobs:
        inserted = insert(jobs, LEFT)
        hubs = [JobHub(tmp_path / str(number), {"main": dsn}, LEASE, ready=False) for number in range(HUBS)]
        try:
            for hub in hubs:
                hub.__enter__()
            for _ in range(KILLS):
                inserted += insert(jobs, LEFT)
                kill_at_work(chance.choice(hubs), jobs, inserted, chance)
            wait_until(lambda: jobs.counts() == {}, timeout=180, what="all jobs to be done")
            # A hub that stops writes what it has finished, and is no fault.
            assert [hub.stop() for hub in hubs] == [0] * HUBS
        finally:
            for hub in hubs:
                hub.__exit__(None, None, None)
        rescued = sum(hub.log.count("jobs of dead processes are waiting again") for hub in hubs)
        check_jobs(jobs, "main", inserted, hubs, (KILLS + rescued) * AHEAD)


def kill_at_work(hub: JobHub, jobs: Jobs, inserted: list[int], chance: random.Random) -> None:
    """Wait until the hub works, kill it after a moment, and start it again."""
    before = hub.begun()

    def works() -> bool:
        if hub.begun() > before:
            return True
        counts = jobs.counts().get("q")
        if counts is None or not counts.waiting:  # the other hub was faster
            inserted.extend(insert(jobs, LEFT))
        return False

    wait_until(works, timeout=60, what="a hub that works")
    time.sleep(chance.uniform(0.0, 0.5))
    hub.process.kill()
    hub.process.wait()
    hub.__enter__()
