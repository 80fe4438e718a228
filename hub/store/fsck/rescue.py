"""A new store from what is left of one whose structure is damaged.

Every record with the right checksum, wherever in the file it lies, is looked at. Where a table's tree is sound, it says
which of them are in use. Where it is not, records that were deleted and not overwritten yet may come back: dead letters
that were removed, messages that were sent out, or settled since the newest record that is left of their queue. It is
better to have a message twice than not at all.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from hub.store import records as r
from hub.store import settled
from hub.store import tables as t
from hub.store.fsck.aside import Aside, sync_folder
from hub.store.fsck.books import read_books
from hub.store.fsck.image import Image
from hub.store.fsck.problem import Problem
from hub.store.fsck.repair import LOSSES, Repair
from hub.store.fsck.scan import Found, newest_queues, scan
from hub.store.fsck.sense import contradiction
from hub.store.fsck.structure import Structure
from hub.store.records import QueueRecord
from hub.store.version import migrate
from hub.store.window import AckWindow

FOLDER = "rescue"
"""In the state directory, while it is at work."""
AT_ONCE = 64 << 20
MOST_KEY = 511
"""Bytes that LMDB takes."""
Item = tuple[Any, bytes, bytes]
"""A table, and a row for it."""
TABLES = {r.PAGE: "pages", r.QUEUE: "queues", r.LETTER: "letters", r.OUTGOING: "outbox"}
STALE = {
    "queues": "what was settled last may come again",
    "letters": "dead letters that were removed may come back",
    "outbox": "messages that were sent out may be sent again",
    "tries": "some retries may start anew",
}
"""What may happen if that table's tree can't be read."""


class Part(NamedTuple):
    """A queue's messages in the new store."""

    found: int
    missing: int


@dataclass
class Rescued:
    """What came of it.

    :ivar queues: by name. :ivar notes: what may be otherwise than before. :ivar old: where the damaged file is now.
    """

    problems: list[Problem] = field(default_factory=list)
    left: list[Problem] = field(default_factory=list)
    queues: dict[str, Part] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    old: Path | None = None


def rescue(directory: Path, aside: Aside, keep: bool) -> Rescued:
    """Do it, and put the new file in the old one's place. Needs as much space again. :raises OSError: there is none."""
    folder = directory / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        with Image(directory / t.FILE) as image:
            rescued = _Rescue(image, aside, keep).into(folder)
        rescued.old = _exchange(directory, folder, aside)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return rescued


def _exchange(directory: Path, folder: Path, aside: Aside) -> Path:
    """At every moment there is one of the two."""
    file, old = directory / t.FILE, aside.path(t.FILE)
    with (folder / t.FILE).open("rb") as new:
        os.fsync(new.fileno())
    os.chmod(folder / t.FILE, file.stat().st_mode & 0o777)
    os.link(file, old)
    os.replace(folder / t.FILE, file)
    (directory / f"{t.FILE}-lock").unlink(missing_ok=True)
    aside.sync()
    sync_folder(directory)
    return old


class _Rescue:
    """Tables that are sound are copied as they are; of the others is taken what the records themselves say."""

    def __init__(self, image: Image, aside: Aside, keep: bool) -> None:
        self._image = image
        self._aside = aside
        self._keep = keep
        self._structure = Structure(image)
        self._newest = newest_queues(image)
        self._windows = self._known_windows()
        self._stored_at: dict[int, float] = {}

    def _known_windows(self) -> dict[int, AckWindow]:
        """By queue, what is known to be settled: by its newest record, and by all ranges that can be found."""
        windows = {number: _window(record) for number, record in self._newest.items()}
        for found in scan(self._image):
            if found.kind == r.RANGE and self._is_of_now(found.content):
                window = windows[found.content.queue]
                for gap in list(window.open(found.content.start, found.content.stop)):
                    window.finish(*gap)
        return windows

    def _is_of_now(self, range_: r.RangeRecord) -> bool:
        """Of a queue of an earlier life with that number it says nothing."""
        record = self._newest.get(range_.queue)
        return record is not None and record.created_at == range_.created_at and range_.start < range_.stop

    def into(self, folder: Path) -> Rescued:
        """Make the new file there."""
        tables = t.Tables(folder, sync=False)
        try:
            for name in t.NAMES:
                if self._structure.sound(name):
                    self._write(tables, self._copied(tables, name))
                elif name in ("spent", "tries", "damaged", "meta"):
                    self._write(tables, self._reached(tables, name))
            if not self._structure.sound("queues"):
                self._write(tables, self._newest_queues(tables))
            if not self._structure.sound("settled"):
                self._write(tables, self._settled(tables))
            self._write(tables, self._scanned(tables))
            migrate(tables)
            rescued = self._mend(tables)
            tables.sync()
        finally:
            tables.close()
        return rescued

    def _write(self, tables: t.Tables, rows: Iterator[Item]) -> None:
        """In more transactions than one: nobody uses the file before it is complete."""
        more = True
        while more:
            size, more = 0, False
            with tables.writing() as transaction:
                for table, key, value in rows:
                    transaction.put(key, value, db=table)
                    size += len(value)
                    if size > AT_ONCE:
                        more = True
                        break

    def _copied(self, tables: t.Tables, name: str) -> Iterator[Item]:
        for row in self._structure.rows(name):
            yield getattr(tables, name), row.key, self._image.read(row.offset, row.length)

    def _reached(self, tables: t.Tables, name: str) -> Iterator[Item]:
        """What can be reached of a table that is not sound; what makes no sense in it is dropped when all is mended."""
        sizes = {"spent": (8, 8), "tries": (12, 28)}
        for row in self._structure.rows(name):
            if (len(row.key), row.length) == sizes.get(name, (len(row.key), row.length)) and 0 < len(
                row.key
            ) <= MOST_KEY:
                yield getattr(tables, name), row.key, self._image.read(row.offset, row.length)

    def _newest_queues(self, tables: t.Tables) -> Iterator[Item]:
        for number, record in sorted(self._newest.items()):
            window = self._windows[number]
            stop = max([window.floor, *(stop for _, stop in window.ranges)])
            record.floor, record.ranges, record.next_position = window.floor, [], max(record.next_position, stop)
            yield tables.queues, t.queue_key(number), bytes(r.seal(r.QUEUE, record))

    def _settled(self, tables: t.Tables) -> Iterator[Item]:
        for number, window in self._windows.items():
            for start, stop in window.ranges:
                record = r.RangeRecord(number, self._newest[number].created_at, start, stop)
                yield tables.settled, *settled.row(record)

    # -- records of tables that are not sound

    def _scanned(self, tables: t.Tables) -> Iterator[Item]:
        wanted = {kind for kind, name in TABLES.items() if not self._structure.sound(name)}
        entries = not self._structure.sound("index")
        if not (wanted or entries):
            return
        with tables.reading() as transaction:
            for found in scan(self._image):
                content = found.content
                if found.kind == r.PAGE and (r.PAGE in wanted or entries):
                    yield from self._page(tables, transaction, found, r.PAGE in wanted)
                elif found.kind == r.LETTER and r.LETTER in wanted:
                    yield tables.letters, t.place_key(content.queue, content.number), self._bytes(found)
                elif found.kind == r.OUTGOING and r.OUTGOING in wanted:
                    yield tables.outbox, t.number_key(content.number), self._bytes(found)

    def _bytes(self, found: Found) -> bytes:
        return self._image.read(found.offset, found.length)

    def _page(self, tables: t.Tables, transaction: Any, found: Found, put: bool) -> Iterator[Item]:
        """If somebody needs it; of two with one number the newer one."""
        page: r.Page = found.content
        key = t.number_key(page.number)
        shares = [(queue, start, len(page.ids if mine is None else mine)) for queue, start, mine in page.shares]
        entries: list[tuple[bytes, bytes]] = []
        if self._structure.sound("index"):
            spans = [(t.place_key(queue, start), t.span_value(page.number, count)) for queue, start, count in shares]
            needed = any(transaction.get(place, db=tables.index) == span for place, span in spans)
        else:
            open_ = [share for share in shares if self._is_open(page, share[0], share[1], share[1] + share[2])]
            entries = [(t.place_key(queue, start), t.span_value(page.number, count)) for queue, start, count in open_]
            needed = bool(entries) and (put or transaction.get(key, db=tables.pages) is not None)
        kept = put and transaction.get(key, db=tables.spent) == t.time_value(page.stored_at)
        if not (needed or kept) or self._stored_at.get(page.number, page.stored_at) > page.stored_at:
            return
        self._stored_at[page.number] = page.stored_at
        if put:
            yield tables.pages, key, self._bytes(found)
        for place, span in entries:
            yield tables.index, place, span

    def _is_open(self, page: r.Page, queue: int, start: int, stop: int) -> bool:
        """Whether that queue may not be done with all of them."""
        record = self._newest.get(queue)
        if record is None:
            return not self._structure.sound("queues")
        return page.stored_at >= record.created_at and not self._windows[queue].covers(start, stop)

    # -- what came of it

    def _mend(self, tables: t.Tables) -> Rescued:
        structure = self._structure
        told = [
            Problem("structure", f"the structure of the file is damaged: {name}: {text}")
            for name, texts in structure.flaws.items()
            for text in texts
        ]
        with tables.writing() as transaction:
            repair = Repair(tables, transaction, self._aside, self._keep, lambda: self._newest)
            if structure.sound("index") and not structure.sound("queues"):
                for number in self._newest:
                    repair.rebuild(number, b"")
            outcome = repair.run()
            parts = dict(self._parts(tables, transaction))
        told += [problem for problem in outcome.problems if problem.kind in LOSSES]
        notes = [text for name, text in STALE.items() if not structure.sound(name)]
        return Rescued(told, outcome.left, parts, notes)

    def _parts(self, tables: t.Tables, transaction: Any) -> Iterator[tuple[str, Part]]:
        for _, value in transaction.cursor(tables.queues).iternext():
            record = read_books(tables, transaction, value)
            newest = self._newest.get(record.number)
            before = newest.counters.dropped_damaged if newest else 0
            waiting = sum(stop - start for start, stop in _window(record).open(0, record.next_position))
            yield record.name, Part(waiting, record.counters.dropped_damaged - before)


def _window(record: QueueRecord) -> AckWindow:
    window = AckWindow(record.floor)
    if not contradiction(record):
        window.restore(record.ranges)
    return window
