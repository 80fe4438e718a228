"""What waits in memory, and what in the store."""

from __future__ import annotations

import pytest

from hub import unsent
from tests.unit.doubles import message
from tests.unit.post import Post, ids


def test_more_than_fits_into_memory_waits_in_the_store_and_comes_in_order() -> None:
    post = Post()
    count = 3 * unsent.MOST_READY
    post.commit(*range(1, count + 1))
    assert len(post.unsent) == count
    assert len(post.unsent._ready) == unsent.MOST_READY
    post.opened()
    post.reactor.pump([0] * 20)
    assert post.sent == ids(range(1, count + 1))
    assert (len(post.unsent), post.store.kept_out) == (0, {})


def test_large_messages_wait_in_the_store_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unsent, "MOST_READY_BYTES", 10)
    post = Post()
    post.commit(*range(1, 21))
    assert len(post.unsent._ready) == 5
    post.opened()
    post.reactor.pump([0] * 20)
    assert post.sent == ids(range(1, 21))


def test_what_is_read_back_is_found_past_what_is_for_others() -> None:
    post = Post()
    post.store.kept_out = {number: ("wire", message(number)) for number in range(1, 2501)}
    post.store.kept_out[2501] = ("bus", message(2501))
    post.unsent.resume(1, 2501)
    post.opened()
    post.reactor.pump([0] * 10)
    assert (post.sent, post.store.reads) == (["2501"], 3)


def test_one_that_arrives_after_it_was_read_back_goes_out_once_and_is_counted_once() -> None:
    """The writer has committed it and its word is on the way, while the store is read."""
    post = Post()
    post.store.kept_out[1] = ("bus", message(1))
    post.unsent.resume(1, 1)
    post.store.kept_out[2] = ("bus", message(2))
    post.opened()
    post.outbox.arrive(2, message(2))
    post.outbox.pump()
    assert (post.sent, len(post.unsent), post.store.kept_out) == (["1", "2"], 0, {})
