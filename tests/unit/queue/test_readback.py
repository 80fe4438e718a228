"""What was let go of comes back from the store in few reads, and the queue goes on meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.message import Message
from hub.queue.policy import Window
from hub.queue.readback import read_back
from hub.store import Run
from hub.store.queue_key import QueueId
from tests.unit.doubles import message, messages
from tests.unit.store.bench import SMALL, Bench


class Pages:
    """A store of one queue with ten positions on a page; counts how often it is read."""

    def __init__(self, missing: Sequence[int] = (), damaged: Sequence[int] = ()) -> None:
        self.reads = 0
        self._missing, self._damaged = missing, damaged

    def read(self, queue: QueueId, position: int, count: int, size: int) -> Sequence[Run]:
        self.reads += 1
        for start in range(position, 100):
            if start // 10 in self._damaged:
                return [Run(start, [], 0, 10 - start % 10, "broken")]
            if start // 10 not in self._missing:
                found = [message(at, body=b"12345") for at in range(start, start - start % 10 + 10)]
                return [Run(start, found, 5 * len(found), len(found))]
        return []


def found(pages: Pages, positions: Sequence[int], size: int = 10_000) -> tuple[list[int], int]:
    messages, looked = read_back(pages, "q", positions, size)  # type: ignore[arg-type]
    assert all(one.id == str(at) for at, one in messages.items())
    return list(messages), looked


def test_a_page_is_read_once_for_all_that_are_on_it() -> None:
    pages = Pages()
    assert found(pages, [3, 5, 9, 12, 99]) == ([3, 5, 9, 12, 99], 5)
    assert pages.reads == 3


def test_what_is_missing_or_damaged_is_left_out() -> None:
    assert found(Pages(missing=[1, 9]), [3, 12, 25, 99]) == ([3, 25], 4)
    assert found(Pages(damaged=[1]), [3, 12, 13, 25]) == ([3, 25], 4)


@pytest.mark.parametrize(("size", "count"), [(0, 1), (5, 1), (6, 2), (11, 3)])
def test_the_bytes_are_bounded_but_for_the_first(size: int, count: int) -> None:
    assert found(Pages(), [3, 5, 9, 12], size) == ([3, 5, 9, 12][:count], count)


def topic(one: Message) -> str:
    return one.topic


def test_ten_windows_behind_one_message_that_waits_do_not_stop_another_key(tmp_path: Path) -> None:
    policy = replace(SMALL, key_of=topic, window=Window(8, 1 << 20))
    bench = Bench(tmp_path, policy)
    queue = bench.queue()
    bench.deliver([message(0, "x")])
    queue.retry(bench.take(1), 600.0, failed=False)
    for number in range(1, 81):
        bench.deliver([message(number, "x")])
    bench.step()
    bench.deliver([message(99, "y")])
    taken = bench.take()
    assert [one.topic for one in taken.messages] == ["y"]
    queue.finish(taken, 1)
    bench.clock.advance(600)
    order: list[str] = []
    while (hand := queue.take(9, timeout=0)) is not None:
        order += [one.id for one in hand.messages]
        queue.finish(hand, len(hand.messages))
    assert order == [str(number) for number in range(81)]
    assert queue.stats().counters.backlog == 0


def test_retries_that_were_let_go_of_come_back_together_and_take_turns_with_what_is_fresh(tmp_path: Path) -> None:
    bench = Bench(tmp_path, replace(SMALL, window=Window(100, 1)))
    queue = bench.queue()
    bench.deliver(messages(40))
    bench.step()
    for _ in range(4):
        taken = bench.take(10)
        while taken.left:
            queue.retry(taken, 60.0, failed=False)
    bench.step()
    bench.clock.advance(60)
    bench.deliver([message(number) for number in range(40, 60)])
    reads = []
    read = bench.store.read
    bench.store.read = lambda *given: reads.append(given) or read(*given)  # type: ignore[method-assign, func-returns-value]
    runs = []
    while (hand := queue.take(10, timeout=0)) is not None:
        runs.append([int(one.id) for one in hand.messages])
        queue.finish(hand, len(hand.messages))
    assert sorted(one for run in runs for one in run) == [*range(60)]
    assert len(reads) < 20
    kinds = ["fresh" if run[0] >= 40 else "retry" for run in runs]
    assert "retry,fresh,retry" in ",".join(kinds)


def test_of_messages_that_come_back_together_only_those_that_can_not_be_read_are_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path, replace(SMALL, window=Window(100, 1)))
    queue = bench.queue()
    bench.deliver(messages(10))
    bench.step()
    taken = bench.take(10)
    while taken.left:
        queue.retry(taken, 60.0, failed=False)
    bench.step()
    bench.clock.advance(60)

    def damaged(*given: Any) -> tuple[dict[int, Message], int]:
        found, looked = read_back(*given)
        return {at: one for at, one in found.items() if at not in (1, 7)}, looked

    monkeypatch.setattr("hub.queue.work.read_back", damaged)
    kept, lost = list[str](), list[int]()
    while (hand := queue.take(5, timeout=0)) is not None:
        lost += [at for start, stop in queue.take_journal().settled for at in range(start, stop)]
        kept += [one.id for one in hand.messages]
        queue.finish(hand, len(hand.messages))
        queue.take_journal()
    counters = queue.stats().counters
    assert (lost, kept) == ([1, 7], ["0", "2", "3", "4", "5", "6", "8", "9"])
    assert (counters.dropped_damaged, counters.finished, counters.backlog) == (2, 8, 0)
