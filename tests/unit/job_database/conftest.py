"""A dispatcher that each test drives."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.internet.task import Clock

from tests.contracts.job_sources import JobRig


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rig(clock: Clock) -> Iterator[JobRig]:
    rig = JobRig(clock.seconds)
    rig.running = True  # each test drives it
    yield rig
    rig.running = False
    rig.end()
