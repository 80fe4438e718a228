"""Declared queues, and buses that are told after the work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.enqueuer import PAGE_BYTES
from hub.message import Message
from tests.unit.parts.halls import Hall


@pytest.fixture
def settled(tmp_path: Path) -> Iterator[Hall]:
    made = Hall(tmp_path, confirm="settled")
    yield made
    made.end()


def bring(hall: Hall, *tokens: str) -> None:
    """From the bus, to whoever is bound."""
    hall.backend().intake.receive([Message(token, "x.y", b"{}") for token in tokens], tokens)


@pytest.mark.parametrize("durable", [True, False])
def test_what_is_routed_to_one_that_is_read_is_told_when_its_reader_has_settled_it(
    settled: Hall, durable: bool
) -> None:
    queue = settled.declare(durable=durable, topics=["x.#"])
    reader = settled.reader(queue)
    bring(settled, "a", "b", "c")
    settled.commit()
    taken = reader.take(9)
    reader.finish([taken[2], taken[0]])
    settled.commit()
    assert sorted(settled.confirmed()) == ["a", "c"]
    reader.give_back([taken[1]], delivered=True)
    settled.commit()
    assert len(settled.confirmed()) == 2
    reader.bury(reader.take(1)[0], "no")
    settled.commit()
    assert sorted(settled.confirmed()) == ["a", "b", "c"]


def test_nobody_waits_for_one_on_the_disk_that_is_not_read(settled: Hall) -> None:
    queue = settled.declare(topics=["x.#"])
    bring(settled, "a")
    assert settled.confirmed() == []
    settled.commit()
    assert settled.confirmed() == ["a"]
    reader = settled.reader(queue)
    bring(settled, "b")
    settled.commit()
    assert settled.confirmed() == ["a"]
    reader.close()
    settled.commit()
    assert settled.confirmed() == ["a", "b"]
    settled.declare(topics=["x.#"], limits={"max_backlog": 9})  # other limits are no reader
    bring(settled, "c")
    settled.commit()
    assert settled.confirmed() == ["a", "b", "c"]


def test_one_in_memory_is_waited_for_until_it_is_deleted(settled: Hall) -> None:
    queue = settled.declare(durable=False, topics=["x.#"])
    bring(settled, "a")
    settled.commit()
    assert settled.confirmed() == []
    queue.delete()
    assert settled.confirmed() == ["a"]


@pytest.mark.parametrize("durable", [True, False])
def test_what_is_put_into_one_is_told_when_it_is_settled(settled: Hall, durable: bool) -> None:
    queue = settled.declare(durable=durable, limits={"max_backlog": 2})
    reader = settled.reader(queue)
    settled.put(queue, 1, 2, 3, tokens=["a", "b", "full"])
    settled.commit()
    assert settled.confirmed() == ["full"]
    reader.finish(reader.take(1))
    settled.commit()
    assert settled.confirmed() == ["full", "a"]
    reader.finish(reader.take(1))
    settled.commit()
    assert settled.confirmed() == ["full", "a", "b"]


def test_a_large_batch_is_told_message_by_message(settled: Hall) -> None:
    queue = settled.declare()
    reader = settled.reader(queue)
    tokens = [*range(5)]
    messages = [Message(str(n), "q", b"x" * (PAGE_BYTES // 2)) for n in tokens]
    with pytest.raises(ValueError, match="4 tokens for 5 messages"):
        queue.put(messages, tokens[1:])
    queue.put(messages, tokens)
    assert queue.backlog == 5
    for count in tokens:
        settled.commit()
        assert settled.confirmed() == tokens[:count]
        reader.finish(reader.take(1))


@pytest.mark.parametrize("delays", [(), (0.0, 30.0)])
def test_where_nobody_waits_nobody_is_told(settled: Hall, delays: tuple[float, ...]) -> None:
    queue = settled.declare()
    reader = settled.reader(queue)
    assert settled.put(queue, 1, 2, delays=delays).accepted == 2
    settled.commit()
    reader.finish(reader.take(9))
    settled.commit()
    assert "confirm" not in [what for what, _ in settled.backend().calls]
