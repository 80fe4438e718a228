"""Jobs for tests."""

from __future__ import annotations

from hub.jobs import Job


def job(number: int = 1, attempt: int = 1, max_retries: int = 25, body: bytes = b"{}", claim: int = 1) -> Job:
    return Job(number, "work", body, 4, attempt, max_retries, 1000.0, claim=claim, process=7)
