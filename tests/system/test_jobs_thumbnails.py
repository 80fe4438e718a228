"""The thumbnail service of the documents, followed to the letter, on each database."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hub.jobs import Jobs
from tests.support import PATIENCE, ROOT, require, wait_until
from tests.system.walkthrough import Walk

pytestmark = pytest.mark.system


@pytest.fixture(autouse=True)
def named(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBBUB_JOBS", dsn)


def test_what_the_page_says_happens(tmp_path: Path) -> None:
    for program in ("bash", "jq"):
        require(shutil.which(program) is not None, f"{program} is not installed")
    (tmp_path / "work").mkdir()
    with Walk(tmp_path / "work") as walk:
        walk.through(ROOT / "docs" / "jobs-thumbnails.rst")
        assert walk.done > 20


def test_a_worker_that_is_told_to_stop_ends_at_once_and_leaves_no_job_behind(jobs: Jobs, tmp_path: Path) -> None:
    for name in range(200):
        shutil.copy(ROOT / "docs" / "images" / "backlog.png", tmp_path / f"{name}.png")
    shutil.copy(ROOT / "docs" / "samples" / "thumbnails.py", tmp_path)
    pictures = [{"path": str(tmp_path / f"{name}.png")} for name in range(200)]
    worker = subprocess.Popen([sys.executable, "thumbnails.py", "work"], cwd=tmp_path)
    try:
        jobs.insert_many("thumbnails", pictures)
        wait_until(lambda: list(tmp_path.glob("*.thumb.jpg")), what="a thumbnail")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60 * PATIENCE) == 0
    finally:
        worker.kill()
    counts = jobs.counts().get("thumbnails")  # it may have been faster than its signal
    assert counts is None or (counts.running, counts.delayed, counts.dead) == (0, 0, 0)
    assert (counts.waiting if counts else 0) + len(list(tmp_path.glob("*.thumb.jpg"))) == 200
    assert {job.attempt for job in jobs.peek("thumbnails")} <= {1}
