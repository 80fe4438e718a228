"""What becomes of messages that the disk does not give back as they were."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hub.deadletter import DeadLetter
from hub.errors import ConfigError
from hub.store.durable import DurableStore
from hub.store.tables import FILE
from tests.unit.doubles import RecordingLog, message, messages
from tests.unit.store.bench import SMALL, Bench
from tests.unit.store.rig import rows


def spoil(bench: Bench, table: str, at: int = -1) -> None:
    """Flip a bit of the last row of that table, or of the one with that index."""
    key, value = sorted(rows(bench.store.tables, table).items())[at]
    with bench.store.tables.writing() as transaction:
        broken = value[:-1] + bytes([value[-1] ^ 1])
        transaction.put(key, broken, db=getattr(bench.store.tables, table))


def test_a_damaged_page_is_counted_and_the_others_are_given(bench: Bench) -> None:
    for first in range(0, 12, 4):
        bench.deliver([message(n) for n in range(first, first + 4)])
    bench.step()
    bench.crash()
    spoil(bench, "pages", 1)
    assert bench.drain() == ["0", "1", "2", "3", "8", "9", "10", "11"]
    assert bench.queues["q"].stats().counters.dropped_damaged == 4
    assert bench.received() == (12, 12, 0)


def test_a_page_that_is_missing_is_counted(bench: Bench) -> None:
    bench.deliver(messages(3))
    bench.step()
    bench.crash()
    with bench.store.tables.writing() as transaction:
        transaction.drop(bench.store.tables.pages, delete=False)
        transaction.drop(bench.store.tables.index, delete=False)
    assert bench.drain() == []
    assert bench.queues["q"].stats().counters.dropped_damaged == 3


def test_what_is_lost_of_a_full_queue_makes_room(bench: Bench) -> None:
    policy = replace(SMALL, max_backlog=2)
    bench.queue(policy=policy)
    bench.deliver(messages(1))
    bench.deliver(messages(9))
    assert bench.queues["q"].full
    bench.step()
    spoil(bench, "pages")
    bench.drain()
    assert (bench.queues["q"].full, bench.room_made) == (False, 1)


def test_a_retry_whose_message_is_damaged_is_counted(bench: Bench) -> None:
    bench.deliver(messages(1))
    bench.queues["q"].retry(bench.take(1), 5.0, failed=True)
    bench.step()
    spoil(bench, "pages")
    bench.crash()
    bench.clock.advance(5)
    assert bench.drain() == []
    assert (bench.queues["q"].stats().counters.dropped_damaged, bench.queues["q"].stats().delayed) == (1, 0)


def test_a_damaged_dead_letter_is_left_out(bench: Bench) -> None:
    for number in range(3):
        bench.queues["q"].bury_unqueued(DeadLetter(message(number), "no", 0, 1.0))
    bench.step()
    spoil(bench, "letters", 1)
    assert [one.message.id for one in bench.store.dead_letters("q")] == ["0", "2"]
    assert [bench.store.letter("q", number) is None for number in (1, 2, 3)] == [False, True, False]


def test_a_damaged_queue_is_not_opened_and_the_operator_told_what_to_do(bench: Bench) -> None:
    bench.step()
    spoil(bench, "queues")
    bench.store.crash()
    with pytest.raises(ConfigError, match="fsck"):
        DurableStore(bench.directory, RecordingLog(), threaded=False)
    for file in bench.directory.iterdir():
        file.unlink(missing_ok=True)
    bench.open()


def test_what_is_not_a_store_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"my diary\n" * 2000)
    with pytest.raises(ConfigError, match="can't be opened"):
        DurableStore(tmp_path, RecordingLog(), threaded=False)
    assert (tmp_path / FILE).read_bytes() == b"my diary\n" * 2000
