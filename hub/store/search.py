"""Looks for the messages of one id: in what is on the disk, in what is on its way there, and among dead letters.

A message's id stands in its record as it is, so a record is decoded only if its bytes contain the id; the rest costs a
copy and a search: some 7000 pages of 250 kB a second, where the disk's cache has them. Each step is short, and a
transaction of its own: whoever takes them has other work to do in between, and a long transaction would keep the store
from using the space of what is settled.
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from hub.deadletter import DeadLetter
from hub.store import Found, RoutedBatch, Share
from hub.store import records as r
from hub.store import tables as t
from hub.store.records import DamagedError, Page

STEP_BYTES = 1 << 20
STEP_MESSAGES = 4096
LET_GO_EVERY = 64
"""Steps after which what was read is no longer counted as this process's memory."""
_END = (1 << 64) - 1

Names = Callable[[], Mapping[int, str]]
"""The queues that there are, by number."""


class Search:
    """In the tables. In any thread."""

    def __init__(self, tables: t.Tables, names: Names, log: logging.LoggerAdapter[logging.Logger]) -> None:
        self._tables = tables
        self._names = names
        self._log = log

    def pages(self, id_: str, since: float) -> Iterator[tuple[list[Found], float]]:
        """The newest first; with each step, up to which time (epoch seconds) the log has been searched.

        :param since: epoch seconds; what was stored before is not looked at.
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
            if steps % LET_GO_EVERY == 0:
                self._tables.let_go()
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
        """Dead letters, each with its queue."""
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
    """Those that are on their way to the disk, the newest first."""
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
    """Where that message of the batch is in the queue, unless it is not given there, or did not fit."""
    at = index if share.indexes is None else _index(share.indexes, index)
    return [share.start + at] if 0 <= at < len(share.messages) else []


def _places(page: Page, index: int, names: Mapping[int, str]) -> list[tuple[str, int]]:
    """Queues that were deleted meanwhile are left out."""
    found = []
    for queue, start, indexes in page.shares:
        at = index if indexes is None else _index(indexes, index)
        if at >= 0 and queue in names:
            found.append((names[queue], start + at))
    return found


def _index(indexes: Sequence[int], index: int) -> int:
    """In ascending indexes; -1: it is not among them."""
    at = bisect_left(indexes, index)
    return at if at < len(indexes) and indexes[at] == index else -1


def _downwards(cursor: Any, number: int) -> Iterator[tuple[int, bytes]]:
    """Pages below that number, the highest first. The values are copies: to search in one is much faster than in a
    view of the map."""
    more = cursor.prev() if cursor.set_range(t.number_key(number)) else cursor.last()
    while more:
        yield t.number_of(bytes(cursor.key())), bytes(cursor.value())
        more = cursor.prev()


def _raw(text: str) -> bytes:
    """As a record has it."""
    return text.encode("utf-8", "backslashreplace")
