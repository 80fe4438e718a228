"""A double of a Redis server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.backends.redis.double import Double


@pytest.fixture
def server() -> Iterator[Double]:
    with Double() as made:
        yield made
