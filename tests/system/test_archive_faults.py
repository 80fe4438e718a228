"""What happens to the database, and what must not happen to the messages: nothing lost, nothing double, and no dead
letter for what is not the message's fault."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from hub import Message, Reject, Retry
from hub.consumers.archive import Archive, database
from tests.support import PATIENCE
from tests.system.archives import make, message, rows
from tests.system.postgres import Postgres
from tests.unit.doubles import Bench

pytestmark = pytest.mark.system

THREADS = 4


def at_an_insert(archive: Archive, moment: str, number: int, strike: Callable[[], object]) -> None:
    """Strike at the n-th insert, inside of its transaction. :param moment: SQLAlchemy's event, before or after it."""
    left = [number]

    def hook(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT"):
            left[0] -= 1
            if left[0] == 0:
                strike()

    event.listen(archive._database.engine, moment, hook)


def feed(archive: Archive, batches: Sequence[Sequence[Message]]) -> int:
    """As a worker does: whatever is to be retried is given again. :returns: how often that was."""
    retries = 0
    for batch in batches:
        for _ in range(20):
            try:
                archive.consume_batch(batch)
                break
            except Retry:
                retries += 1
        else:
            pytest.fail("it asks for retries for ever")
    return retries


def batches_of(count: int, size: int = 20) -> list[list[Message]]:
    return [[message(number) for number in range(start, start + size)] for start in range(0, count, size)]


@pytest.mark.parametrize("moment", ["before_cursor_execute", "after_cursor_execute"])
@pytest.mark.parametrize("fault", [Postgres.kill_sessions, lambda server, _: server.restart()], ids=["kill", "restart"])
def test_a_session_that_ends_amid_a_transaction(
    postgres: Postgres, tmp_path: Path, moment: str, fault: Callable[[Postgres, str], None]
) -> None:
    url = postgres.create_database()
    archive = make(url, tmp_path)
    at_an_insert(archive, moment, 5, lambda: fault(postgres, url))
    assert feed(archive, batches_of(200)) == 1
    archive.stop()
    assert postgres.count(url, "messages") == 200


def test_sessions_that_are_killed_at_any_time(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.create_database()
    archive = make(url, tmp_path)
    done = threading.Event()
    kills: list[int] = []
    written: list[int] = []

    def kill() -> None:
        chance = random.Random(1)
        while not done.wait(chance.uniform(0.01, 0.06)):  # seconds; a connection takes some five milliseconds
            if len(kills) < 10 * (len(written) + 1):  # on a busy machine a batch may take longer than that
                postgres.kill_sessions(url)
                kills.append(1)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        for batch in batches_of(2000):
            feed(archive, [batch])
            written.append(len(batch))
    finally:
        done.set()
        killer.join()
    archive.stop()
    assert kills
    assert postgres.count(url, "messages") == 2000


def test_a_server_that_is_down_is_a_retry_until_it_is_up(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.create_database()
    archive = make(url, tmp_path)
    archive.consume_batch([message(1)])
    postgres.stop()
    try:
        for _ in range(2):
            with pytest.raises(Retry, match="the database: "):
                archive.consume_batch([message(2)])
    finally:
        postgres.start()
    archive.consume_batch([message(2)])
    archive.stop()
    assert postgres.count(url, "messages") == 2


def test_a_server_that_is_away_at_the_start_is_a_retry(tmp_path: Path) -> None:
    archive = make(f"postgresql://nobody@/nothing?host={tmp_path}", tmp_path)
    with pytest.raises(Retry, match="the database: "):
        archive.consume_batch([message(1)])
    archive.stop()


def test_a_server_that_only_reads_is_a_retry(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.create_database()
    archive = make(url, tmp_path)
    archive.consume_batch([message(1)])
    name = url.partition("@/")[2].partition("?")[0]
    postgres.execute(url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    postgres.kill_sessions(url)
    with pytest.raises(Retry, match="read-only"):
        archive.consume_batch([message(2)])
    postgres.execute(postgres.url("postgres"), f"ALTER DATABASE {name} RESET default_transaction_read_only")
    archive.consume_batch([message(2)])
    archive.stop()
    assert postgres.count(url, "messages") == 2


def test_a_table_that_was_dropped_is_made_anew(archive: Archive) -> None:
    archive.consume_batch([message(1)])
    with archive._database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE messages")
    assert feed(archive, [[message(2)]]) == 1
    assert [row["msg_id"] for row in rows(archive)] == ["2026-2"]


def test_a_locked_sqlite_file_is_a_retry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "SQLITE_WAIT", 50)
    archive, other = (make("sqlite:///archive.db", tmp_path) for _ in range(2))
    archive.consume_batch([message(1)])
    with other._database.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(Retry, match="database is locked"):
            archive.consume_batch([message(2)])
        connection.rollback()
    archive.consume_batch([message(2)])
    assert len(rows(archive)) == 2
    archive.stop()
    other.stop()


def test_a_full_disk_is_a_retry(tmp_path: Path) -> None:
    archive = make("sqlite:///archive.db", tmp_path)
    archive.consume_batch([message(1)])
    with archive._database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
    big = message(2, b"x" * 1_000_000)
    with pytest.raises(Retry, match="disk is full"):
        archive.consume_batch([big])
    archive.consume_batch([big])  # over a new connection, which has no such limit
    assert len(rows(archive)) == 2
    archive.stop()


def test_threads_that_are_given_the_same_messages_write_each_once(archive: Archive) -> None:
    errors: list[BaseException] = []
    begin = threading.Barrier(THREADS)

    def work(seed: int) -> None:
        batches = batches_of(400)
        random.Random(seed).shuffle(batches)
        begin.wait(10 * PATIENCE)
        try:
            feed(archive, batches)
        except BaseException as error:
            errors.append(error)

    run_all([threading.Thread(target=work, args=(seed,)) for seed in range(THREADS)])
    assert errors == []
    assert len(rows(archive)) == 400


def test_hubs_that_make_the_table_at_one_time_all_find_it_made(url: str, tmp_path: Path) -> None:
    archives = [make(url, tmp_path) for _ in range(THREADS)]
    begin = threading.Barrier(THREADS)
    retries: list[int] = []

    def work(archive: Archive, number: int) -> None:
        begin.wait(10 * PATIENCE)
        retries.append(feed(archive, [[message(number)]]))

    run_all([threading.Thread(target=work, args=(one, number)) for number, one in enumerate(archives)])
    assert len(retries) == THREADS
    if url.startswith("postgresql"):  # SQLite may say that it is locked, which is a retry
        assert sum(retries) == 0
    assert len(rows(archives[0])) == THREADS
    for archive in archives:
        archive.stop()


def run_all(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60 * PATIENCE)
    assert not any(thread.is_alive() for thread in threads)


def refuse(archive: Archive, msg_id: str) -> None:
    """Have the database refuse that one message."""
    with archive._database.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(
                f"CREATE TRIGGER no BEFORE INSERT ON messages WHEN NEW.msg_id = '{msg_id}' "
                "BEGIN SELECT RAISE(ABORT, 'not this one'); END"
            )
        else:
            connection.exec_driver_sql(f"ALTER TABLE messages ADD CHECK (msg_id <> '{msg_id}')")


def test_a_worker_keeps_the_batch_and_buries_the_poison(archive: Archive) -> None:
    archive.consume_batch([message(0)])
    refuse(archive, "2026-5")
    bench = Bench(archive, batch_size=500)  # type: ignore[arg-type]
    bench.offer(*(message(number) for number in range(1, 11)))
    bench.run_to_the_end()
    assert [row["msg_id"] for row in rows(archive)] == [f"2026-{n}" for n in range(11) if n != 5]
    assert [letter.message.id for letter in bench.store.dead_letters("test")] == ["made-up-5"]


def test_one_message_that_is_refused_says_why(archive: Archive) -> None:
    archive.consume_batch([message(0)])
    refuse(archive, "2026-1")
    with pytest.raises(Reject, match=r"the database rejects it: .*(not this one|violates check constraint)"):
        archive.consume_batch([message(1)])


def test_long_texts_fit_the_indexes(archive: Archive) -> None:
    long = "".join(random.Random(1).choices([chr(code) for code in range(0x1F400, 0x1F4FF)], k=5000))
    batch = [message(1), message(2, {"msg_id": long, "username": long}, f"a.b.c.{long}"), message(3)]
    archive.consume_batch(batch)
    kept = rows(archive)
    assert len(kept) == 3
    assert kept[1]["body"]["msg_id"] == long
