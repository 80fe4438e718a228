"""Fixtures of the unit tests."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import current_message
from tests.conftest import ReactorThread
from tests.unit.control_hub import ControlledHub


@pytest.fixture
def hub(reactor_thread: ReactorThread, tmp_path: Path) -> Iterator[ControlledHub]:
    """A hub that listens on a control socket."""
    made = ControlledHub(reactor_thread, tmp_path / "hub.sock")
    made.listen()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def no_message_in_hand() -> Iterator[None]:
    """A worker that a test has die in the test's own thread leaves its message in hand."""
    yield
    current_message.use(None)


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Nothing but reference counting frees memory: the hub collects cyclic garbage seldom."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
