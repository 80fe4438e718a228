"""Kept messages, each with its position in one queue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.doubles import message, messages
from tests.unit.store.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, keep=3600.0)
    made.queue("q")
    made.queue("other")
    yield made
    made.store.close()


def kept(bench: Bench, queue: str = "q") -> list[tuple[str, int | None]]:
    return [(one.id, position) for page in bench.store.kept(0.0, 1e12, queue) for one, position in page]


def test_all_of_a_batch_and_some_of_one(bench: Bench) -> None:
    bench.deliver(messages(2), "q")
    bench.enqueuer.deliver(messages(6)[2:], [(bench.queues["q"], [1, 3]), (bench.queues["other"], None)], 8, None)
    bench.step()
    expected = [("0", 0), ("1", 1), ("2", None), ("3", 2), ("4", None), ("5", 3)]
    assert kept(bench) == expected
    assert kept(bench, "nobody") == [(id_, None) for id_, _ in expected]
    bench.drain()
    bench.step()
    bench.restart()
    assert kept(bench) == expected


def test_a_queue_that_has_a_deleted_ones_name_was_given_none_of_its_messages(bench: Bench) -> None:
    bench.deliver(messages(2), "q")
    bench.step()
    bench.drain()
    bench.step()
    bench.store.delete("q")
    bench.step()
    bench.queue("q")
    assert kept(bench) == [("0", None), ("1", None)]


def test_copies_are_not_among_them(bench: Bench) -> None:
    bench.deliver([message(0)], "q")
    bench.enqueuer.deliver([message(1)], [(bench.queues["q"], None)], 2, None, routed=False, if_room=True)
    bench.step()
    assert kept(bench) == [("0", 0)]
