"""Fixtures of the tests of parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.parts.halls import Hall


@pytest.fixture
def open_hall(tmp_path: Path) -> Iterator[Callable[..., Hall]]:
    """Makes halls, one after the other, on the same store."""
    made: list[Hall] = []

    def make(**more: object) -> Hall:
        made.append(Hall(tmp_path, **more))  # type: ignore[arg-type]
        return made[-1]

    yield make
    made[-1].end()


@pytest.fixture
def hall(open_hall: Callable[..., Hall]) -> Hall:
    """A hall on a store, with one backend."""
    return open_hall()
