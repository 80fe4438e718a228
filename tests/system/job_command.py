"""``hubbub job``, run in the tests' process on each database, and jobs for it."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from hub.jobs import Jobs
from tests.unit.command import Run, runner


@pytest.fixture
def run(dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("HUBBUB_JOBS", dsn)
    return runner(monkeypatch, capsys)


def types(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))


def bury(jobs: Jobs, *reasons: str, queue: str = "q") -> list[int]:
    """Have dead letters, of these reasons."""
    handles = jobs.insert_many(queue, reasons, max_retries=3)
    for job, reason in zip(jobs.claim(len(reasons), [queue]), reasons, strict=True):
        jobs.bury(job, reason)
    return [handle.id for handle in handles]


def rows(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]
