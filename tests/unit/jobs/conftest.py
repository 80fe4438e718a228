"""A program that works jobs, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.jobs import Jobs
from tests.unit.jobs.programs import Time, program


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def jobs(tmp_path: Path, time: Time) -> Iterator[Jobs]:
    with program(tmp_path, time) as made:
        yield made
