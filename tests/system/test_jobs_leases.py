"""Programs with different leases at one database, and programs that fork: the same on both databases."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from hub.jobs import Jobs
from tests.support import ROOT
from tests.system.job_stores import rows, silent_for

pytestmark = pytest.mark.system
Make = Callable[..., Jobs]
FORKS = """
import os, sys
from hub.jobs import Jobs
jobs = Jobs(sys.argv[1])
children = []
for number in range(3):
    child = os.fork()
    if not child:
        jobs.insert("q", number)
        (job,) = jobs.claim(1, ["q"])
        jobs.complete(job)
        jobs.insert("left", number)
        jobs.close()
        os._exit(0)
    children.append(child)
ends = [os.waitpid(child, 0)[1] for child in children]
jobs.insert("left", "parent")
assert jobs.counts()["left"].waiting == 4, jobs.counts()
if not os.fork():
    try:
        jobs.counts()
    except Exception as error:
        os._exit("used before a fork" in str(error))
    os._exit(7)
assert os.waitstatus_to_exitcode(os.wait()[1]) == 1
print(ends)
"""
"""A program that makes its ``Jobs`` before it forks, as gunicorn does with ``--preload``."""


def test_each_process_is_judged_by_its_own_lease(make: Make) -> None:
    patient, hasty = make(lease=60.0), make(lease=1.0)
    patient.insert("q", 1)
    (job,) = patient.claim()
    silent_for(patient, 50, noted=True)
    hasty.maintain()
    assert hasty.claim() == []
    assert hasty.counts()["q"].running == 1
    silent_for(patient, 50, noted=True)
    hasty._done.clear()
    hasty.maintain()
    assert [again.id for again in hasty.claim()] == [job.id]


def test_one_of_an_older_version_which_tells_no_lease_is_judged_by_that_of_who_looks(make: Make, dsn: str) -> None:
    older, looker = make(lease=60.0), make(lease=20.0)
    older.insert("q", 1)
    (job,) = older.claim()
    schema = "" if dsn.startswith("sqlite") else "hubbub_jobs."
    rows(older, f"UPDATE {schema}process SET lease = NULL RETURNING 1")
    silent_for(older, 15, noted=True)
    looker.maintain()
    assert looker.claim() == []
    silent_for(older, 15, noted=True)
    looker._done.clear()
    looker.maintain()
    assert [again.id for again in looker.claim()] == [job.id]


def test_one_that_was_made_before_a_fork_and_not_used_works_in_each_child(dsn: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKS, dsn], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.stdout, done.returncode) == ("[0, 0, 0]\n", 0), done.stderr
