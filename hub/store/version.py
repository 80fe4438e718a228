"""The format of a store, as a number in it: a newer one is refused, an older one is migrated at the start, once.

======= ===========================================================================================================
version format
======= ===========================================================================================================
1       has no number; a queue's record holds its settled ranges
2       they are rows of the table ``settled``; a queue's record is of another kind, so that older hubs refuse it
======= ===========================================================================================================

How the format is changed: within a release that is not out yet, a field is added to the end of a record of
:mod:`hub.store.records`, with a default, and a table to :data:`hub.store.tables.NAMES`; neither needs a migration, and
a hub that does not know them refuses the store. A change that an older hub would misread, or the first one after a
release, raises ``VERSION``, has a line above, and a step in ``migrate`` that may be done twice. Keep a store of each
version in ``tests/unit/store/fixtures``.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import lmdb

from hub.errors import ConfigError
from hub.store import records as r
from hub.store import tables as t
from hub.store.records import DamagedError
from hub.store.settled import put_record

VERSION = 2
KEY = b"version"
SINCE_2 = {"settled"}
"""Tables that a store of format 1 does not have."""
_RELEASED = "see 'Upgrades' in docs/durability.rst"


def refuse_newer(path: Path) -> None:
    """Look at the store's version and change nothing, not even its lock file.

    :raises ConfigError: it was written by a later hub. :raises lmdb.Error: it can't be read.
    """
    with lmdb.open(
        str(path), subdir=False, readonly=True, lock=False, create=False, max_dbs=1, map_size=path.stat().st_size
    ) as environment:
        with environment.begin() as transaction:
            names = [bytes(key).decode("utf-8", "replace") for key, _ in transaction.cursor().iternext()]
        version = _version_in(environment) if "meta" in names else 1
    problems = newer_than_this(version, names)
    if problems:
        raise ConfigError([f"hub.state_dir: {path}: {problem}" for problem in problems])


def _version_in(environment: Any) -> int:
    meta = environment.open_db(b"meta", create=False)
    with environment.begin() as transaction:
        return _number(transaction.get(KEY, db=meta))


def newer_than_this(version: int, tables: list[str]) -> list[str]:
    """Why this hub must not touch a store; empty: it may. :param tables: the names of all that it has."""
    if version > VERSION:
        return [f"the store has the format {version}, this hub knows only those up to {VERSION}: {_RELEASED}"]
    unknown = sorted(set(tables) - {*t.NAMES})
    if unknown:
        return [f"the store has tables that this hub does not know ({', '.join(unknown)}): {_RELEASED}"]
    return []


def version_of(tables: t.Tables) -> int:
    """What is noted in an open store; 1: nothing."""
    with tables.reading() as transaction:
        return _number(transaction.get(KEY, db=tables.meta))


def _number(value: Any) -> int:
    return 1 if value is None else int.from_bytes(bytes(value), "big")


def migrate(tables: t.Tables) -> int:
    """Bring an older store to this version, all of it or nothing; a new one gets its number.

    Damaged records are left as they are: who opens the store, or repairs it, meets them.

    :returns: the version that it had.
    :raises ConfigError: it is newer. :raises lmdb.Error: it can't be written.
    """
    version = version_of(tables)
    if version > VERSION:
        raise ConfigError([f"hub.state_dir: {tables.path}: {problem}" for problem in newer_than_this(version, [])])
    if version < VERSION:
        with tables.writing() as transaction:
            for value in list(transaction.cursor(tables.queues).iternext(keys=False)):
                if bytes(value[4:5]) in r.FORMER:
                    with contextlib.suppress(DamagedError):
                        put_record(tables, transaction, r.unseal(r.QUEUE, r.queues, value))
            transaction.put(KEY, t.number_key(VERSION), db=tables.meta)
    return version
