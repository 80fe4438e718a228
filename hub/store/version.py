"""Version of a store's format, a number in it. A newer one is refused, an older one is migrated once, at the start.

======= ===========================================================================================================
version format
======= ===========================================================================================================
1       no number; a queue's record has its settled ranges
2       these are rows of the table ``settled``; a queue's record is of another kind, so that older hubs refuse it
3       a queue's record has its site; headers have other types than text
4       a page may have a priority, which the table ``levels`` has too
======= ===========================================================================================================

How the format is changed: within a release that is not out yet, a field is added to the end of a record of
:mod:`hub.store.records`, with a default, and a table to :data:`hub.store.tables.NAMES`; neither needs a migration, and
a hub that does not know them refuses the store. A change that an older hub would misread, or the first one after a
release, raises ``VERSION``, has a line above, and a step in ``migrate`` that may be done twice. Keep a store of each
version in ``tests/unit/store/fixtures``.
"""

from __future__ import annotations

import contextlib
from typing import Any

from hub.errors import ConfigError
from hub.store import records as r
from hub.store import tables as t
from hub.store.records import DamagedError
from hub.store.settled import put_record

VERSION = 4
KEY = b"version"
SINCE = {"settled": 2, "levels": 4}
"""Formats since which there are these tables; the others always were."""
_RELEASED = "see 'Upgrades' in docs/durability.rst"


def tables_in(environment: Any) -> tuple[list[str], int]:
    """The names of all tables in a file, and the version of the store. :raises lmdb.Error: it can't be read."""
    with environment.begin() as transaction:
        names = [bytes(key).decode("utf-8", "replace") for key, _ in transaction.cursor().iternext()]
    if "meta" not in names:
        return names, 1
    meta = environment.open_db(b"meta", create=False)
    with environment.begin() as transaction:
        return names, _number(transaction.get(KEY, db=meta))


def version_of(tables: t.Tables) -> int:
    """The version of an open store; 1 if there is none."""
    with tables.reading() as transaction:
        return _number(transaction.get(KEY, db=tables.meta))


def newer_than_this(version: int, tables: list[str]) -> list[str]:
    """Reasons why the store is too new for this hub; empty: it is not. :param tables: names of all its tables."""
    if version > VERSION:
        return [f"the store has the format {version}, this hub knows only those up to {VERSION}: {_RELEASED}"]
    unknown = sorted(set(tables) - {*t.NAMES})
    if unknown:
        return [f"the store has tables that this hub does not know ({', '.join(unknown)}): {_RELEASED}"]
    return []


def _number(value: Any) -> int:
    return 1 if value is None else int.from_bytes(bytes(value))


def migrate(tables: t.Tables) -> int:
    """Migrate an older store to this version, in one transaction; number a new one.

    Damaged records are left as they are: opening or repairing the store reports them.

    :returns: the version before.
    :raises ConfigError: it is newer. :raises lmdb.Error: it can't be written.
    """
    version = version_of(tables)
    if version > VERSION:
        raise ConfigError([f"hub.state_dir: {tables.path}: {problem}" for problem in newer_than_this(version, [])])
    if version < VERSION:
        with tables.writing() as transaction:
            for value in list(transaction.cursor(tables.queues).iternext(keys=False)):
                with contextlib.suppress(DamagedError):
                    _rewrite(tables, transaction, value)
            transaction.put(KEY, t.number_key(VERSION), db=tables.meta)
    return version


def _rewrite(tables: t.Tables, transaction: Any, value: bytes) -> None:
    """Write a queue's record in the format of this version."""
    record = r.unseal(r.QUEUE, r.queues, value)
    if bytes(value[4:5]) in r.FORMER:
        put_record(tables, transaction, record)
    else:
        transaction.put(t.queue_key(record.number), bytes(r.seal(r.QUEUE, record)), db=tables.queues)
