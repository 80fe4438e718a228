"""Pages that are held decoded: bounded in number, and in bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.queue.policy import QueuePolicy
from hub.store import reader
from tests.unit.doubles import message
from tests.unit.store.bench import Bench


@pytest.mark.parametrize(("size", "held"), [(10, 16), (60_000, 1), (30_000, 3)])
def test_large_pages_are_not_held_by_their_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, held: int
) -> None:
    monkeypatch.setattr(reader, "CACHED_BYTES", 100_000)
    bench = Bench(tmp_path, QueuePolicy(None, None))
    bench.queue()
    for number in range(40):
        bench.deliver([message(number, body=b"x" * size)])
        bench.step()
    runs = bench.store.read("q", 0, 99, 1 << 30)
    assert sum(run.count for run in runs) == 40
    cache = bench.store._reader
    assert len(cache._cache) == held
    assert cache._cached_bytes == sum(size for _, _, size in cache._cache.values())
    bench.store.close()
