"""The format's number: what is older is migrated once, what is newer is left as it is."""

from __future__ import annotations

import json
import logging
import lzma
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lmdb
import msgspec
import pytest

from hub.errors import ConfigError
from hub.store import Beginning, Try, version
from hub.store import records as r
from hub.store import tables as t
from hub.store.durable import DurableStore
from hub.store.fsck.rewrite import rewrite
from hub.store.fsck.survey import survey
from hub.store.opening import MARKER
from hub.store.tables import FILE, Tables
from hub.store.version import KEY, VERSION
from tests.unit.doubles import RecordingLog, outbox_of
from tests.unit.store.known import Known, given, problems
from tests.unit.store.rig import rows

FIXTURES = Path(__file__).parent / "fixtures"
"""``formatN.mdb.xz`` was written by the last hub that had format N; beside it stands what was in it."""


@pytest.fixture(params=range(1, VERSION))
def former(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """What is in a store of an older format, which lies in the directory."""
    return unpacked(request.param, tmp_path)


def unpacked(number: int, directory: Path) -> dict[str, Any]:
    """Put a store of that format there. Returns what is in it."""
    (directory / FILE).write_bytes(lzma.decompress((FIXTURES / f"format{number}.mdb.xz").read_bytes()))
    found: dict[str, Any] = json.loads((FIXTURES / f"format{number}.json").read_text())
    return {"format": number, **found}


def opened(directory: Path, log: logging.LoggerAdapter[logging.Logger] | None = None) -> DurableStore:
    return DurableStore(directory, log or RecordingLog(), threaded=False, sync=False)


def noted(directory: Path) -> int:
    tables = Tables(directory, sync=False)
    try:
        return version.version_of(tables)
    finally:
        tables.close()


# -- older


def is_as_before(directory: Path, former: dict[str, Any]) -> None:
    found = {name: messages for name, messages in given(directory, ()).items() if messages}
    wanted = {name: {int(at): id_ for at, id_ in open_.items()} for name, open_ in former["open"].items()}
    assert {name: {at: one.id for at, one in messages.items()} for name, messages in found.items()} == wanted
    assert any(former["ranges"].values())
    store = opened(directory)
    for name, counts in former["counters"].items():
        state = store.open(name)
        assert (state.counters.backlog, state.next_position) == (len(wanted[name]), former["next"][name])
        assert {key: getattr(state.counters, key) for key in counts} == counts
        assert state.ranges == [tuple(range_) for range_ in former["ranges"][name]]
        assert [letter.message.id for letter in store.dead_letters(name)] == former["letters"][name]
    assert [message.id for _, message in outbox_of(store, *store.outbox_counts()[0])] == former["outbox"]
    store.close()


def test_an_older_store_is_migrated_with_every_depth_exact(tmp_path: Path, former: dict[str, Any]) -> None:
    assert noted(tmp_path) == former["format"]
    is_as_before(tmp_path, former)
    assert noted(tmp_path) == VERSION
    assert problems(tmp_path) == []
    is_as_before(tmp_path, former)


def test_it_is_migrated_once_and_told(tmp_path: Path, former: dict[str, Any]) -> None:
    log = RecordingLog()
    opened(tmp_path, log).close()
    opened(tmp_path, log).close()
    assert [line for line in log.lines() if "format" in line] == [
        f"the store was migrated from format {former['format']} to {VERSION}"
    ]


def test_of_format_2_tries_history_beginnings_and_rings_stay(tmp_path: Path) -> None:
    former = unpacked(2, tmp_path)
    store = DurableStore(tmp_path, RecordingLog(), threaded=False, sync=False, keep=3600.0, wall=lambda: 1100.0)
    assert sorted(store.queues()) == former["queues"]
    for name, created_at in former["created_at"].items():
        assert store.created_at(name) == created_at
    for name, tries in former["tries"].items():
        assert store.open(name).tries == {int(at): Try(**one) for at, one in tries.items()}
    assert [one.id for page in store.kept(0.0, 1e9, "alpha") for one, _ in page] == former["history"]
    assert store.beginning("late") == Beginning(**former["beginning"])
    store.close()


def test_a_hub_that_is_killed_while_it_migrates_has_the_old_store_or_the_new_one(
    tmp_path: Path, former: dict[str, Any]
) -> None:
    """At each write of the migration, and before its commit; then the next start finds everything."""
    for writes in range(30):
        if done := killed_after(writes, tmp_path):
            break
        assert noted(tmp_path) == former["format"]
    assert done
    assert writes > 2
    assert noted(tmp_path) == VERSION
    is_as_before(tmp_path, former)


def killed_after(writes: int, directory: Path) -> bool:
    """Migrate in a process that is killed at that write. Returns whether it was done before."""
    child = os.fork()
    if not child:
        try:
            tables = Tables(directory, sync=False)
            left = iter(range(writes))
            begin = tables.writing
            tables.writing = lambda: Killing(begin(), left)  # type: ignore[method-assign]
            version.migrate(tables)
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1] == 0


class Killing:
    """A transaction that kills the process at a write, or at the commit, when there are no more ``left``."""

    def __init__(self, transaction: Any, left: Iterator[int]) -> None:
        self._transaction, self._left = transaction, left

    def __getattr__(self, name: str) -> Any:
        if name in ("put", "cursor"):
            self._write()
        return getattr(self._transaction, name)

    def _write(self) -> None:
        if next(self._left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    def __enter__(self) -> Killing:
        self._transaction.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._write()
        self._transaction.__exit__(*error)


def test_a_migration_may_be_done_twice(tmp_path: Path, former: dict[str, Any]) -> None:
    """As after a rescue that did not find the number."""
    opened(tmp_path).close()
    tables = Tables(tmp_path, sync=False)
    with tables.writing() as transaction:
        transaction.delete(KEY, db=tables.meta)
    tables.close()
    is_as_before(tmp_path, former)


def test_fsck_finds_an_older_store_clean(tmp_path: Path, former: dict[str, Any]) -> None:
    assert problems(tmp_path) == []
    is_as_before(tmp_path, former)


def test_a_repair_migrates_it(tmp_path: Path, former: dict[str, Any]) -> None:
    tables = Tables(tmp_path, sync=False)
    with tables.writing() as transaction:
        transaction.delete(b"highest queue", db=tables.meta)
    tables.close()
    assert rewrite(tmp_path, 0.0, True).left == []
    assert noted(tmp_path) == VERSION
    is_as_before(tmp_path, former)


def test_older_hubs_do_not_take_a_record_of_now_for_one_of_theirs(tmp_path: Path) -> None:
    """They would give again what was settled out of order."""
    known = Known(tmp_path)
    known.close()
    tables = Tables(tmp_path, sync=False)
    kinds = {value[4:5] for value in rows(tables, "queues").values()}
    tables.close()
    assert kinds == {b"B"}


# -- new


def test_a_new_store_has_its_number_from_the_start(tmp_path: Path) -> None:
    log = RecordingLog()
    opened(tmp_path, log).close()
    assert noted(tmp_path) == VERSION
    assert not any("format" in line for line in log.lines())


# -- newer


def later(directory: Path, change: Callable[[Any, Any], None]) -> bytes:
    """What a later hub leaves there. Returns the file's content."""
    known = Known(directory)
    known.some(2)
    known.close()
    environment = lmdb.open(str(known.file), subdir=False, max_dbs=20)
    with environment, environment.begin(write=True) as transaction:
        change(environment, transaction)
    (directory / f"{FILE}-lock").unlink()
    return known.file.read_bytes()


def next_version(environment: Any, transaction: Any) -> None:
    """With a field and a table more."""
    meta = environment.open_db(b"meta", txn=transaction)
    transaction.put(KEY, t.number_key(VERSION + 1), db=meta)
    queues = environment.open_db(b"queues", txn=transaction)
    for key, value in list(transaction.cursor(queues)):
        fields = msgspec.msgpack.decode(value[r.HEAD_SIZE :])
        transaction.put(key, bytes(r.seal(r.QUEUE, [*fields, {"site": "a"}])), db=queues)
    environment.open_db(b"leases", txn=transaction, dupsort=True)


def one_table_more(environment: Any, transaction: Any) -> None:
    """Without another number, as while a format is being made."""
    environment.open_db(b"leases", txn=transaction)


CHANGES = {"next version": next_version, "one table more": one_table_more}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_a_newer_store_is_refused_and_not_touched(tmp_path: Path, change: Callable[[Any, Any], None]) -> None:
    content = later(tmp_path, change)
    files = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(ConfigError, match=r"this hub (does not know|knows only)"):
        opened(tmp_path)
    assert (tmp_path / FILE).read_bytes() == content
    assert sorted(path.name for path in tmp_path.iterdir()) == files


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_fsck_does_not_take_it_for_damage(tmp_path: Path, change: Callable[[Any, Any], None]) -> None:
    content = later(tmp_path, change)
    with pytest.raises(ConfigError, match=r"this hub (does not know|knows only)") as refused:
        survey(tmp_path)
    assert len(refused.value.problems) == 1
    assert (tmp_path / FILE).read_bytes() == content


def test_a_damaged_name_of_a_table_is_damage_and_not_a_later_version(tmp_path: Path) -> None:
    content = later(tmp_path, lambda environment, transaction: None)
    (tmp_path / FILE).write_bytes(content.replace(b"settled", b"settlfd"))
    assert survey(tmp_path).broken
    with pytest.raises(ConfigError, match=r"the store .* can't be opened: there is no table 'settled'.*fsck"):
        opened(tmp_path)


def test_a_newer_store_whose_start_was_killed_is_refused_as_well(tmp_path: Path) -> None:
    content = later(tmp_path, next_version)
    (tmp_path / MARKER).touch()
    with pytest.raises(ConfigError, match=r"^hub.state_dir: .* this hub knows only"):
        opened(tmp_path)
    assert (tmp_path / FILE).read_bytes() == content
