"""A durable store whose threads are played by the test: something else may happen in the middle of its calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lmdb

from hub.store import RoutedBatch, Run
from hub.store.durable import DurableStore
from hub.store.pending import Stored
from hub.store.queue_key import QueueId
from hub.store.tables import Tables
from tests.unit.doubles import RecordingLog

Hook = Callable[[], None]


class RacedTables(Tables):
    """Something may happen before a reader begins."""

    def __init__(self, directory: Path, hook: Hook) -> None:
        super().__init__(directory, sync=False)
        self._hook = hook

    def reading(self) -> Any:
        self._hook()
        return super().reading()


class RacedStore(DurableStore):
    """:ivar hooks: by place, what another thread does there, once: ``appended`` and not offered; ``snapshot`` of what
    is pending was taken and the disk is not read; ``read`` and not taken in."""

    hooks: dict[str, Hook]

    def __init__(self, directory: Path, **options: Any) -> None:
        self.hooks = {}
        tables = RacedTables(directory, lambda: self._happen("snapshot"))
        super().__init__(directory, RecordingLog(), tables=tables, threaded=False, **options)

    def _happen(self, place: str) -> None:
        hook = self.hooks.pop(place, None)
        if hook is not None:
            hook()

    def append(self, batch: RoutedBatch, stored: Stored | None) -> bool:
        careful = super().append(batch, stored)
        self._happen("appended")
        return careful

    def read(self, queue: QueueId, position: int, count: int, size: int) -> Sequence[Run]:
        runs = super().read(queue, position, count, size)
        self._happen("read")
        return runs

    def crash(self) -> None:
        """Without a last commit. The same process can't open the file twice."""
        self.tables.close()


class FullDisk:
    """While in use, the next ``times`` transactions fail when they are to be committed."""

    def __init__(self, tables: Tables, times: int) -> None:
        self.left = times
        self._tables = tables
        self._writing = tables.writing

    def __enter__(self) -> FullDisk:
        self._tables.writing = self._write  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        del self._tables.writing

    @contextmanager
    def _write(self) -> Iterator[Any]:
        with self._writing() as transaction:
            yield transaction
            if self.left:
                self.left -= 1
                raise lmdb.DiskError("the test says that it is full")


def rows(tables: Tables, name: str) -> dict[bytes, bytes]:
    """All of a table."""
    with tables.reading() as transaction:
        return {bytes(key): bytes(value) for key, value in transaction.cursor(getattr(tables, name)).iternext()}
