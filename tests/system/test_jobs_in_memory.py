"""Jobs in memory, the stand-in for users' tests, keep what the databases promise: the same tests, on the same code."""

from __future__ import annotations

import importlib
import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from hub.jobs import BadJob, Jobs
from hub.jobs.sqlite import SQLite, SQLiteMemory

pytestmark = pytest.mark.system

CONTRACTS = ("contract", "coalescing", "keys", "operating", "replace")
NEEDS_A_DATABASE = {"dsn", "postgres", "postgres_server"}
"""Fixtures of tests that go to the database by another way: programs that are killed, connections of one's own."""


@pytest.fixture
def make() -> Iterator[Callable[..., Jobs]]:
    """More programs at the same jobs. The clock is a real one: these tests wait for it."""
    memory = SQLiteMemory()
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(Jobs(SQLite(memory, time.time), **options))
    memory.discard()


@pytest.fixture
def jobs(make: Callable[..., Jobs]) -> Jobs:
    return make(lease=60.0, retry_delay=lambda _: 0.0)


def contracts() -> Iterator[tuple[str, Any]]:
    """Tests by their names, each in the name of its module."""
    for name in CONTRACTS:
        for test, function in vars(importlib.import_module(f"tests.system.test_jobs_{name}")).items():
            if test.startswith("test_") and not NEEDS_A_DATABASE & set(inspect.signature(function).parameters):
                yield f"{test}_{name}", function


globals().update(contracts())


def test_the_contract_is_kept_and_not_left_out() -> None:
    assert len(list(contracts())) > 35


def test_a_transaction_of_ones_own_is_refused(jobs: Jobs) -> None:
    with pytest.raises(BadJob, match="in memory"):
        jobs.insert("q", 1, connection=object())
    assert jobs.counts() == {}
