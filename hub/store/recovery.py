"""Recovery reads the state of a store when the hub starts."""

from __future__ import annotations

import struct
from typing import Any

import lmdb
import msgspec

from hub.errors import ConfigError
from hub.store import Try
from hub.store import records as r
from hub.store import tables as t
from hub.store.commit import HIGHEST
from hub.store.ledger import Ledger
from hub.store.letters import LetterRows
from hub.store.records import DamagedError
from hub.store.sequences import Sequences
from hub.store.settled import SettledRows


class RecoveredStore(msgspec.Struct, frozen=True):
    """State at the last commit. :ivar ledgers: by name of the queue. :ivar tries: by name and position.

    :ivar levels: by name, as in :class:`hub.store.CommittedState`.
    """

    ledgers: dict[str, Ledger]
    tries: dict[str, dict[int, Try]]
    levels: dict[str, list[tuple[int, int, int]]]
    sequences: Sequences


def recover(tables: t.Tables) -> RecoveredStore:
    """Read the state of a store. :raises ConfigError: it is damaged."""
    try:
        with tables.reading() as transaction:
            return _recover(tables, transaction)
    except (lmdb.Error, struct.error, DamagedError) as error:
        problem = f"hub.state_dir: the store {tables.path} is damaged: {error}: see 'hubbub fsck'"
        raise ConfigError([problem]) from error


def _recover(tables: t.Tables, transaction: Any) -> RecoveredStore:
    ledgers: dict[str, Ledger] = {}
    tries: dict[str, dict[int, Try]] = {}
    levels: dict[str, list[tuple[int, int, int]]] = {}
    settled = transaction.cursor(tables.settled)
    for key, value in transaction.cursor(tables.queues).iternext():
        try:
            record = r.unseal(r.QUEUE, r.queues, value)
        except DamagedError as error:
            raise DamagedError(f"queue {bytes(key).hex()}: {error}") from error
        name = str(record.key)
        rows = t.rows_of(transaction.cursor(tables.tries), record.number)
        tried = tries[name] = {position: t.try_of(value) for position, value in rows}
        levels[name] = _levels(transaction.cursor(tables.levels), record.number)
        ranges = SettledRows(settled, record.number, record.created_at).ranges()
        letters = LetterRows(tables, transaction, record.number).total()
        ledgers[name] = Ledger.restore(record, ranges, tried, letters.size)
        ledgers[name].prioritized = bool(levels[name])
    highest = transaction.get(HIGHEST, db=tables.meta)
    sequences = Sequences(
        page=t.following_page(transaction, tables),
        outgoing=t.after_last(transaction, tables.outbox),
        queue=max(t.number_of(bytes(highest)) if highest else 0, *(o.number for o in ledgers.values()), 0),
    )
    return RecoveredStore(ledgers, tries, levels, sequences)


def _levels(cursor: Any, queue: int) -> list[tuple[int, int, int]]:
    found = [(start, *t.level_of(value)) for start, value in t.rows_of(cursor, queue)]
    return [(start, start + count, priority) for start, count, priority in found]
