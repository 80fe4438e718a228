"""Search for messages by id: committed ones, pending ones, and dead letters.

An id is stored as plain bytes, so a record is decoded only if its bytes contain the id; all others cost a copy and a
search: some 7000 pages of 250 kB per second, if they are in the page cache. Each step is short, with its own
transaction: the caller has other work to do, and a long transaction would keep the store from reusing space.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from hub.deadletter import DeadLetter
from hub.store import Found, RoutedBatch, Share
from hub.store import records as r
from hub.store import tables as t
from hub.store.records import DamagedError, Page
from hub.store.values import index_in

STEP_BYTES = 1 << 20
STEP_MESSAGES = 4096
EVICT_EVERY = 64
"""Steps after which the pages that were read are evicted from the resident memory."""
_END = (1 << 64) - 1

Names = Callable[[], Mapping[int, str]]
"""Returns the names of all queues, by number."""


class Search:
    """Search in the tables. Thread-safe."""

    def __init__(self, tables: t.Tables, names: Names, log: logging.LoggerAdapter[logging.Logger]) -> None:
        self._tables = tables
        self._names = names
        self._log = log

    def pages(self, id_: str, since: float) -> Iterator[tuple[list[Found], float]]:
        """Yield messages, the newest first, and the time (epoch seconds) back to which the search has come.

        :param since: epoch seconds; pages stored before are not searched.
        """
        wanted = _raw(id_)
        below, reached, steps = _END, float("inf"), 0
        while below and reached >= since:
            found: list[Found] = []
            with self._tables.reading() as transaction:
                size = 0
                for number, value in _downwards(transaction.cursor(self._tables.pages), below):
                    below, size = number, size + len(value)
                    if wanted in value:
                        found += self._in_page(number, value, id_)
                    if size >= STEP_BYTES:
                        break
                else:
                    below = 0
                reached = self._stored_at(transaction, below, reached) if below else float("-inf")
            steps += 1
            if steps % EVICT_EVERY == 0:
                self._tables.evict()
            yield found, reached

    def _stored_at(self, transaction: Any, number: int, otherwise: float) -> float:
        key = t.number_key(number)
        if (refs := transaction.get(key, db=self._tables.refs)) is not None:
            return float(t.refs_of(refs)[1])
        spent = transaction.get(key, db=self._tables.spent)
        return otherwise if spent is None else t.time_of(bytes(spent))

    def _in_page(self, number: int, value: bytes, id_: str) -> list[Found]:
        try:
            page = r.unseal(r.PAGE, r.pages, value)
        except DamagedError as error:
            self._log.error("page %d is damaged: %s", number, error, extra={"action": "damaged"})
            return []
        if id_ not in page.ids:
            return []
        names, messages = self._names(), page.messages()
        return [
            Found(message, _places(page, index, names), page.copy)
            for index, message in enumerate(messages)
            if message.id == id_
        ]

    def letters(self, id_: str) -> Iterator[list[tuple[str, DeadLetter]]]:
        """Yield dead letters with the names of their queues."""
        wanted, key = _raw(id_), b""
        while True:
            found: list[tuple[str, DeadLetter]] = []
            with self._tables.reading() as transaction:
                cursor, size = transaction.cursor(self._tables.letters), 0
                more = cursor.set_range(key) if key else cursor.first()
                while more and size < STEP_BYTES:
                    value = bytes(cursor.value())
                    size += len(value)
                    if wanted in value:
                        found += self._of_record(t.place_of(cursor.key())[0], value, id_)
                    more = cursor.next()
                key = bytes(cursor.key()) if more else b""
            yield found
            if not more:
                return

    def _of_record(self, queue: int, value: bytes, id_: str) -> list[tuple[str, DeadLetter]]:
        try:
            letter = r.unseal(r.LETTER, r.letters, value).letter()
        except DamagedError as error:
            self._log.error("a dead letter is damaged: %s", error, extra={"action": "damaged"})
            return []
        name = self._names().get(queue)
        return [(name, letter)] if name is not None and letter.message.id == id_ else []


def pending(batches: Sequence[RoutedBatch], id_: str) -> Iterator[list[Found]]:
    """Yield pending messages with that id, the newest first."""
    found: list[Found] = []
    count = 0
    for batch in reversed(batches):
        for index, message in enumerate(batch.messages):
            if message.id == id_:
                places = [(share.queue, at) for share in batch.shares for at in _positions(share, index)]
                found.append(Found(message, places, batch.copy))
        count += len(batch.messages)
        if count >= STEP_MESSAGES:
            yield found
            found, count = [], 0
    yield found


def _positions(share: Share, index: int) -> list[int]:
    """Position of a message of the batch in the queue, in a list; empty if the queue did not get it."""
    at = index if share.indexes is None else index_in(share.indexes, index)
    return [share.start + at] if 0 <= at < len(share.messages) else []


def _places(page: Page, index: int, names: Mapping[int, str]) -> list[tuple[str, int]]:
    """Queues and positions of a message of a page, without deleted queues."""
    found = []
    for queue, start, indexes in page.shares:
        at = index if indexes is None else index_in(indexes, index)
        if at >= 0 and queue in names:
            found.append((names[queue], start + at))
    return found


def _downwards(cursor: Any, number: int) -> Iterator[tuple[int, bytes]]:
    """Pages below that number, the highest first. The values are copies, which are searched much faster than a view
    of the map."""
    more = cursor.prev() if cursor.set_range(t.number_key(number)) else cursor.last()
    while more:
        yield t.number_of(bytes(cursor.key())), bytes(cursor.value())
        more = cursor.prev()


def _raw(text: str) -> bytes:
    """The bytes of a text in a record."""
    return text.encode("utf-8", "backslashreplace")
