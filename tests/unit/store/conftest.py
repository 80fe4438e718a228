"""Fixtures for tests of stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.store.bench import Bench
from tests.unit.store.known import Known


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A store with one queue."""
    made = Bench(tmp_path)
    made.queue()
    yield made
    made.store.close()


@pytest.fixture
def known(tmp_path: Path) -> Known:
    """A store with something in each table, which is closed."""
    made = Known(tmp_path)
    made.some()
    made.close()
    return made
