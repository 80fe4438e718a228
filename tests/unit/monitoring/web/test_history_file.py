"""The history's file on the disk."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.monitoring.web import history
from hub.monitoring.web.history import TIERS, Sample, add_samples, lasting_spikes, put_spikes, spikes_of
from hub.monitoring.web.history_file import Damaged, HistoryFile
from hub.monitoring.web.spikes import Spike

START = 1_000_000
ONE = """
    CREATE TABLE buckets (step INTEGER, bucket INTEGER, queues TEXT, PRIMARY KEY (step, bucket)) WITHOUT ROWID;
    CREATE TABLE spikes (queue TEXT, started_at REAL, peak INTEGER, peak_at REAL, cleared_at REAL,
        PRIMARY KEY (queue, started_at)) WITHOUT ROWID;
    PRAGMA user_version = 1;
"""
"""The tables of version 1."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


def samples(seconds: range, backlog: int = 5) -> list[Sample]:
    return [(START + second, name, backlog, 1.0, 2, 3) for second in seconds for name in ("c", "a/é")]


def put(file: HistoryFile, seconds: range, spikes: list[tuple[str, Spike]] | None = None) -> None:
    def write(tables: sqlite3.Connection) -> None:
        add_samples(tables, samples(seconds))
        put_spikes(tables, spikes or [])

    file.transact(write)


def backlogs(file: HistoryFile, seconds: range, name: str = "c") -> list[Any]:
    document = file.transact(lambda tables: history.view(tables, len(seconds), START + seconds[-1], name))
    assert document is not None
    found: list[Any] = msgspec.json.decode(document)["consumers"][name]["backlog"]
    return found


def test_what_is_written_is_read_by_the_next(path: Path) -> None:
    spikes = [("c", Spike(2.0, 545, 3.0)), ("c", Spike(1.0, 100, 1.0, 1.5))]
    with closing(HistoryFile(path)) as file:
        put(file, range(3), spikes)
    with closing(HistoryFile(path)) as file:
        assert backlogs(file, range(-1, 3), "a/é") == [None, 5, 5, 5]
        assert file.transact(lambda tables: spikes_of(tables, "c")) == [spike for _, spike in spikes]
        assert file.transact(lasting_spikes) == {"c": spikes[0][1]}


def test_it_is_for_the_hubs_eyes(path: Path) -> None:
    with closing(HistoryFile(path)) as file:
        put(file, range(1))
        assert {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()} == {0o600}
        assert len(list(path.parent.iterdir())) == 3


def test_its_size_is_bounded(path: Path) -> None:
    with closing(HistoryFile(path)) as file:
        for start in range(0, 3 * TIERS[0].length, 60):
            put(file, range(start, start + 60))
        (rows,) = file.transact(lambda tables: tables.execute("SELECT count(*) FROM history WHERE step = 1").fetchone())
        assert rows == 2 * TIERS[0].length
        assert backlogs(file, range(2 * TIERS[0].length, 3 * TIERS[0].length)) == [5] * TIERS[0].length


def test_samples_of_a_far_future_do_not_take_the_others_with_them(path: Path) -> None:
    with closing(HistoryFile(path)) as file:
        put(file, range(100))
        put(file, range(10**9, 10**9 + 1))
        assert backlogs(file, range(100)).count(5) >= 99


def test_work_that_fails_changes_nothing(path: Path) -> None:
    def fail(tables: sqlite3.Connection) -> None:
        add_samples(tables, samples(range(5, 9)))
        raise ZeroDivisionError

    with closing(HistoryFile(path)) as file:
        put(file, range(1))
        with pytest.raises(ZeroDivisionError):
            file.transact(fail)
        put(file, range(1, 2))
        assert backlogs(file, range(9)) == [5, 5, *[None] * 7]


@pytest.mark.parametrize("content", [b"this is no database\n" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_noticed_and_can_be_set_aside(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with closing(HistoryFile(path)) as file:
        with pytest.raises(Damaged):
            file.transact(lasting_spikes)
        assert file.set_aside().read_bytes() == content
        put(file, range(1))
        assert backlogs(file, range(1)) == [5]


def test_a_page_that_was_torn_is_noticed(path: Path) -> None:
    with closing(HistoryFile(path)) as file:
        put(file, range(500))
    content = bytearray(path.read_bytes())
    content[4096:-4096] = b"\xff" * (len(content) - 8192)
    path.write_bytes(content)
    with pytest.raises(Damaged):
        file.transact(lasting_spikes)


@pytest.mark.parametrize(
    "change",
    [
        "PRAGMA user_version = 99",
        "DROP TABLE history; CREATE TABLE history (other TEXT)",
        "DROP TABLE queues; CREATE TABLE queues (other TEXT)",
        "DROP TABLE spikes; CREATE TABLE spikes (other TEXT)",
        "UPDATE spikes SET peak = 'high'",
    ],
)
def test_a_file_with_something_else_in_it_is_noticed(path: Path, change: str) -> None:
    with closing(HistoryFile(path)) as file:
        put(file, range(1), [("c", Spike(1.0, 5, 1.0))])
    with closing(sqlite3.connect(path)) as other:
        other.executescript(change)

    def use(tables: sqlite3.Connection) -> None:
        add_samples(tables, samples(range(2)))
        lasting_spikes(tables)

    with pytest.raises(Damaged):
        file.transact(use)


def test_a_place_where_none_can_be_is_the_disks_fault(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        HistoryFile(tmp_path / "nowhere" / "history.db").transact(lasting_spikes)
    with pytest.raises(OSError, match="directory"):
        HistoryFile(tmp_path).transact(lasting_spikes)


def test_a_file_that_somebody_keeps_to_himself_is_the_disks_fault(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.monitoring.web.history_file.TIMEOUT", 0.01)
    with closing(HistoryFile(path)) as file, closing(sqlite3.connect(path, isolation_level=None)) as other:
        put(file, range(1))
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(OSError, match="locked") as raised:
            put(file, range(1, 2))
        assert not isinstance(raised.value, Damaged)
        other.execute("ROLLBACK")
        put(file, range(1, 2))
        assert backlogs(file, range(2)) == [5, 5]


def test_a_file_of_the_version_before_is_read_over_once(path: Path) -> None:
    names = ("c", 'a/é "quoted" \\')
    rows = [
        (tier.step, START // tier.step - age, msgspec.json.encode(dict.fromkeys(names, (2, 10, 9, 2.0, 6, 4))))
        for tier in TIERS
        for age in (0, 1, 3)
    ]
    with closing(sqlite3.connect(path)) as old, old:
        old.executescript(ONE)
        old.executemany("INSERT INTO buckets VALUES (?, ?, CAST(? AS TEXT))", rows)
        old.execute("INSERT INTO spikes VALUES ('c', 1.0, 545, 2.0, NULL)")
    path.chmod(0o600)
    for _ in range(2):
        with closing(HistoryFile(path)) as file:
            for tier in TIERS:
                document = file.transact(partial(history.view, span=tier.span, now=START, name=names[1]))
                assert document is not None
                found = msgspec.json.decode(document)
                columns = {key: column[-4:] for key, column in found["consumers"][names[1]].items()}
                assert columns == {
                    "backlog": [5, None, 5, 5],
                    "backlog_max": [9, None, 9, 9],
                    "rate_in": [3, None, 3, 3],
                    "rate_out": [2, None, 2, 2],
                }
            assert file.transact(history.names) == sorted(names)
            assert file.transact(lasting_spikes) == {"c": Spike(1.0, 545, 2.0)}
    assert backlogs(file, range(-3, 1)) == [5, None, 5, 5]
    put(file, range(1, 2))
    assert backlogs(file, range(-3, 2)) == [5, None, 5, 5, 5]
    file.close()


def test_one_of_the_version_before_that_is_damaged_is_noticed(path: Path) -> None:
    with closing(sqlite3.connect(path)) as old, old:
        old.executescript(ONE + "INSERT INTO buckets VALUES (1, 1, 'not JSON')")
    with pytest.raises(Damaged):
        HistoryFile(path).transact(lasting_spikes)
