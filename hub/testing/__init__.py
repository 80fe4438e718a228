"""The pytest fixture with which the author of a consumer tests it: found by pytest wherever hubbub is installed.

It is imported by every run of pytest there, so it imports next to nothing; see :mod:`hub.testing.bench`.
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
    """``hubbub(MyConsumer, greeting="hello")`` puts a consumer on a bench. Afterwards its ``stop()`` is called."""
    from hub.testing.bench import Benches

    benches = Benches(tmp_path)
    yield benches
    benches.stop()
