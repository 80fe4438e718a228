"""The pytest fixture for tests of consumers; pytest finds it wherever hubbub is installed.

Every run of pytest there imports this module, so it imports almost nothing itself; see :mod:`hub.testing.bench`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hub.testing.bench import Benches


@pytest.fixture
def hubbub(tmp_path: Path) -> Iterator[Benches]:
    """Fixture: ``hubbub(MyConsumer, greeting="hello")`` puts a consumer on a bench. Its ``stop()`` is called after the
    test."""
    from hub.testing.bench import Benches

    benches = Benches(tmp_path)
    yield benches
    benches.stop()
