"""What holds from the moment that it is ordered, though the commit of it is still to come, or fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.store import Outgoing
from tests.unit.doubles import letter_of, message, messages
from tests.unit.store.bench import Bench
from tests.unit.store.rig import FullDisk


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.queue()
    yield made
    made.store.close()


def test_what_was_sent_is_not_to_be_sent_again_before_its_deletion_is_committed(bench: Bench) -> None:
    bench.deliver(messages(1))
    bench.queues["q"].finish(bench.take(1), 1, [Outgoing("bus", message(7)), Outgoing("bus", message(8))])
    bench.step()
    (first, _), second = bench.store.outbox()
    bench.store.sent(first)
    assert bench.store.outbox() == [second]
    bench.step()
    assert bench.store.outbox() == [second]


def test_a_dead_letter_is_taken_once_on_a_full_disk_too(bench: Bench) -> None:
    bench.deliver(messages(2))
    for _ in range(2):
        taken = bench.take(1)
        bench.queues["q"].bury(taken, False, letter_of(taken))
    bench.step()
    first, second = (one.number for one in bench.store.dead_letters("q"))
    with FullDisk(bench.store.tables, times=4):
        bench.store.remove_letters("q", [first, first, 99])
        for _ in range(2):
            assert not bench.store.writer.step()
            assert bench.store.letter("q", first) is None
            assert [one.number for one in bench.store.dead_letters("q")] == [second]
            assert bench.store.kept_dead_letters("q") == 1
    bench.step()
    assert bench.store.kept_dead_letters("q") == 1
    bench.crash()
    assert [one.number for one in bench.store.dead_letters("q")] == [second]


def test_who_waits_for_the_disk_is_told_once_it_has_everything(bench: Bench) -> None:
    told: list[str] = []
    with FullDisk(bench.store.tables, times=4):
        bench.deliver(messages(1))
        bench.store.when_stored(lambda: told.append("one"))
        bench.step()
        assert told == []
        bench.store.when_stored(lambda: told.append("two"))
    bench.step()
    assert told == ["one", "two"]
    bench.step()
    assert told == ["one", "two"]
