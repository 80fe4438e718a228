"""The pieces of work that a worker does for its queue: how much each reads, and that it ends in any case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from hub.headers import EXPIRES
from hub.queue.policy import Window
from hub.queue.work import READ_AT_ONCE, Load
from hub.store import Run
from tests.unit.doubles import message, messages
from tests.unit.store.bench import SMALL, Bench


def behind(directory: Path, count: int, window: Window) -> Bench:
    bench = Bench(directory, replace(SMALL, window=window))
    bench.queue()
    bench.deliver(messages(count))
    bench.step()
    return bench


def asked(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, int]]:
    """Position, count and bytes of each reading."""
    read, found = bench.store.read, []

    def noted(queue: str, position: int, count: int, size: int) -> Sequence[Run]:
        found.append((position, count, size))
        return read(queue, position, count, size)

    monkeypatch.setattr(bench.store, "read", noted)
    return found


def test_it_reads_as_much_as_there_is_room_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = behind(tmp_path, 60, Window(40, 1000))
    found = asked(bench, monkeypatch)
    bench.take(1)
    assert found == [(0, 40, 1000)]


def test_it_reads_no_more_at_once_than_it_should(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = behind(tmp_path, READ_AT_ONCE + 50, Window(READ_AT_ONCE + 20, 1 << 20))
    bench.queues["q"].backlog.ready.loaded = 0
    found = asked(bench, monkeypatch)
    bench.take(1)
    assert found[0][:2] == (0, READ_AT_ONCE)


def test_one_thread_reads_at_a_time_and_the_next_may_once_it_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = behind(tmp_path, 60, Window(4, 1000))
    queue, read = bench.queues["q"], bench.store.read
    work = Load.needed(queue)
    assert work is not None
    assert queue.take(1, timeout=0) is None

    def broken(*_: object) -> Sequence[Run]:
        raise OSError("the disk")

    monkeypatch.setattr(bench.store, "read", broken)
    with pytest.raises(OSError, match="the disk"):
        work.run()
    monkeypatch.setattr(bench.store, "read", read)
    assert bench.drain() == [str(number) for number in range(60)]


def test_a_key_goes_on_though_its_messages_could_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path, replace(SMALL, key_of=lambda one: one.topic, window=Window(8, 1 << 20)))
    queue, read = bench.queue(), bench.store.read
    bench.deliver([message(0, "x")])
    queue.retry(bench.take(1), 60.0, failed=False)
    for number in range(1, 41):
        bench.deliver([message(number, "x")])
    bench.step()
    assert queue.take(9, timeout=0) is None
    bench.clock.advance(60)
    bench.finish(1)
    broken = [OSError("the disk")]

    def once(*given: object) -> Sequence[Run]:
        if broken:
            raise broken.pop()
        return read(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.store, "read", once)
    found: list[str] = []

    def work() -> None:
        while True:
            found.extend(bench.finish(1))

    with pytest.raises(OSError, match="the disk"):
        work()
    assert found + bench.drain() == [str(number) for number in range(1, 41)]


def test_the_store_is_told_of_messages_that_were_dropped_because_their_time_is_over(tmp_path: Path) -> None:
    bench = Bench(tmp_path, replace(SMALL, expires=True))
    queue, told = bench.queue(), list[tuple[bool, bool]]()
    bench.deliver([message(0, **{EXPIRES: 1}), message(1)])  # type: ignore[arg-type]
    queue.announce = lambda room, journal: told.append((room, journal))
    assert [one.id for one in bench.take().messages] == ["1"]
    assert told == [(False, True)]
