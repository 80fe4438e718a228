"""The threads that hear of jobs outlive what nobody expects."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import make_url

from hub.jobs import Jobs
from hub.jobs.postgresql.notifying import NotificationListener
from hub.jobs.sqlite.watching import Watcher
from tests.support import wait_until


def test_a_watcher_goes_on_after_a_fault_of_whom_it_tells(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "jobs.db"
    heard: list[str | None] = []

    def hear(queue: str | None) -> None:
        heard.append(queue)
        if len(heard) == 1:
            raise KeyError("a fault")

    with Jobs(f"sqlite:///{file}") as jobs:
        jobs.counts()  # makes the file
        watcher = Watcher(file, hear, lambda ended, _: threading.Event.wait(ended, 0.001))
        wait_until(lambda: len(heard) >= 2, 20, "it to go on")
        before = len(heard)
        jobs.insert("q", 1)
        wait_until(lambda: len(heard) > before, 20, "it to hear")
    watcher.close()
    assert "KeyError: 'a fault'" in caplog.text


def test_a_listener_goes_on_after_a_fault(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("psycopg2")
    calls: list[int] = []

    def connect(_: NotificationListener) -> None:
        calls.append(1)
        raise KeyError("a fault")

    monkeypatch.setattr(NotificationListener, "_connect", connect)
    listener = NotificationListener(
        make_url("postgresql+psycopg2://nobody@/none"), lambda _: None, lambda low, high: 0.001
    )
    wait_until(lambda: len(calls) >= 2, 20, "another try")
    listener.close()
    assert "KeyError: 'a fault'" in caplog.text
