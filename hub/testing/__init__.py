"""The pytest fixtures for tests of consumers and of jobs; pytest finds them wherever hubbub is installed.

Every run of pytest there imports this module, so it imports almost nothing itself; see :mod:`hub.testing.bench` and
:mod:`hub.testing.memory_jobs`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hub.testing.bench import Benches
    from hub.testing.memory_jobs import MemoryJobs


@pytest.fixture
def hubbub(tmp_path: Path) -> Iterator[Benches]:
    """Fixture: ``hubbub(MyConsumer, greeting="hello")`` puts a consumer on a bench. Its ``stop()`` is called after the
    test."""
    from hub.testing.bench import Benches

    benches = Benches(tmp_path)
    yield benches
    benches.stop()


@pytest.fixture
def hubbub_jobs() -> Iterator[MemoryJobs]:
    """Fixture: a ``hub.jobs.Jobs`` in memory, whose clock stands still, and with ``run()``, ``advance()`` and
    ``run_to_the_end()``."""
    from hub.testing.memory_jobs import MemoryJobs

    jobs = MemoryJobs()
    yield jobs
    jobs.discard()
