"""Fixtures of the tests of control."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ReactorThread
from tests.unit.control.trace_rig import Rig
from tests.unit.control_hub import ControlledHub


@pytest.fixture
def hub(reactor_thread: ReactorThread, tmp_path: Path) -> Iterator[ControlledHub]:
    """A hub that answers on its control socket."""
    made = ControlledHub(reactor_thread, tmp_path / "run" / "hub.sock")
    made.listen()
    yield made
    made.close()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """Queues and a trace of what is in them."""
    made = Rig(tmp_path)
    yield made
    made.store.close()
