"""Where a thread's messages go."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from hub import current_message
from hub.store import Outgoing
from tests.unit.doubles import message


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    yield
    current_message.use(None)


def test_a_thread_that_handles_nothing_has_none() -> None:
    assert current_message.outbox() is None


def test_what_is_posted_goes_to_the_one_in_use() -> None:
    posted: list[Outgoing] = []
    current_message.use(posted.append)
    post = current_message.outbox()
    assert post is not None
    post(Outgoing("bus", message(1)))
    assert posted == [Outgoing("bus", message(1))]


def test_it_is_left_again() -> None:
    current_message.use(lambda outgoing: None)
    current_message.use(None)
    assert current_message.outbox() is None


def test_each_thread_has_its_own() -> None:
    current_message.use(lambda outgoing: None)
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(current_message.outbox()))
    thread.start()
    thread.join(10)
    assert found == [None]
    assert current_message.outbox() is not None
