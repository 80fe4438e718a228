"""What a store holds when the hub starts."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import lmdb

from hub.errors import ConfigError
from hub.store import Try
from hub.store import records as r
from hub.store import tables as t
from hub.store.commit import HIGHEST
from hub.store.ledger import Ledger
from hub.store.letters import LetterRows
from hub.store.numbers import Numbers
from hub.store.records import DamagedError
from hub.store.settled import SettledRows


@dataclass(frozen=True)
class Recovered:
    """As the last commit left it. :ivar ledgers: by the queue's name; :ivar tries: likewise, of those that wait."""

    ledgers: dict[str, Ledger]
    tries: dict[str, dict[int, Try]]
    numbers: Numbers


def recover(tables: t.Tables) -> Recovered:
    """Read it. :raises ConfigError: it is damaged."""
    try:
        with tables.reading() as transaction:
            return _recover(tables, transaction)
    except (lmdb.Error, struct.error, DamagedError) as error:
        problem = f"hub.state_dir: the store {tables.path} is damaged: {error}: see 'hubbub fsck'"
        raise ConfigError([problem]) from error


def _recover(tables: t.Tables, transaction: Any) -> Recovered:
    ledgers: dict[str, Ledger] = {}
    tries: dict[str, dict[int, Try]] = {}
    settled = transaction.cursor(tables.settled)
    for key, value in transaction.cursor(tables.queues).iternext():
        try:
            record = r.unseal(r.QUEUE, r.queues, value)
        except DamagedError as error:
            raise DamagedError(f"queue {bytes(key).hex()}: {error}") from error
        tried = tries[record.name] = dict(_tries_of(transaction.cursor(tables.tries), record.number))
        ranges = SettledRows(settled, record.number, record.created_at).ranges()
        letters = LetterRows(tables, transaction, record.number).total()
        ledgers[record.name] = Ledger.restore(record, ranges, tried, letters.size)
    highest = transaction.get(HIGHEST, db=tables.meta)
    numbers = Numbers(
        page=t.after_last(transaction, tables.pages),
        outgoing=t.after_last(transaction, tables.outbox),
        queue=max(t.number_of(bytes(highest)) if highest else 0, *(o.number for o in ledgers.values()), 0),
    )
    return Recovered(ledgers, tries, numbers)


def _tries_of(cursor: Any, queue: int) -> Iterator[tuple[int, Try]]:
    found = cursor.set_range(t.place_key(queue, 0))
    while found:
        number, position = t.place_of(cursor.key())
        if number != queue:
            return
        yield position, t.try_of(cursor.value())
        found = cursor.next()
