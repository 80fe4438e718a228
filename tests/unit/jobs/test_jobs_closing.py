"""The end of a program that works jobs, while something else goes on."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from hub.jobs import BadDatabase, Jobs
from tests.unit.jobs.programs import Time, program


def test_one_that_is_closed_for_good_while_a_process_begins_leaves_nothing(
    jobs: Jobs, tmp_path: Path, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.insert("q", 1)
    other = program(tmp_path, time)
    storage: Any = other._storage
    start = storage.start

    def late(process: int, name: str, lease: float) -> None:
        start(process, name, lease)
        other.close(for_good=True)

    monkeypatch.setattr(storage, "start", late)
    with pytest.raises(BadDatabase, match="was closed"):
        other.claim()
    assert (other._process, storage._database._engine.pool.checkedin()) == (None, 0)
    with sqlite3.connect(tmp_path / "jobs.db") as connection:
        assert connection.execute("SELECT count(*) FROM process").fetchone() == (0,)
    connection.close()


def test_one_may_be_closed_while_its_tables_are_migrated(
    jobs: Jobs, tmp_path: Path, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = program(tmp_path, time)
    storage: Any = other._storage
    begun, go_on, errors = threading.Event(), threading.Event(), list[str]()

    def migrate(_: bool) -> None:
        begun.set()
        go_on.wait(60)

    def use() -> None:
        try:
            other.counts()
        except BadDatabase as error:
            errors.append(str(error))

    monkeypatch.setattr(storage, "open", migrate)
    thread = threading.Thread(target=use)
    thread.start()
    assert begun.wait(60)
    other.close(for_good=True)  # does not wait
    go_on.set()
    thread.join(60)
    assert errors == ["this Jobs was closed"]
