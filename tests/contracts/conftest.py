"""What is promised of a store is tested on each of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.store import Store
from tests.contracts.stores import STORES, Books


@pytest.fixture(params=sorted(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made = STORES[request.param](tmp_path)
    yield made
    assert made.close()


@pytest.fixture
def books(store: Store) -> Books:
    return Books(store)
