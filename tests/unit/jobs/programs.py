"""Programs that work jobs, on SQLite, with a clock that the test moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hub.jobs import Jobs


class Time:
    """Both clocks of a program."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def program(tmp_path: Path, time: Time, **options: Any) -> Jobs:
    made = Jobs(f"sqlite:///{tmp_path}/jobs.db", clock=time, **options)
    storage: Any = made._storage
    storage._wall = time
    return made
