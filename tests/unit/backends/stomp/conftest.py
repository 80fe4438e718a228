"""Fixtures of the STOMP server's tests."""

from collections.abc import Iterator

import pytest

from tests.conftest import ReactorThread
from tests.unit.backends.stomp.server import Server, running


@pytest.fixture
def server(reactor_thread: ReactorThread) -> Iterator[Server]:
    with running(reactor_thread) as made:
        yield made
