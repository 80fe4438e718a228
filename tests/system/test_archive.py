"""The archive on both of its databases: nothing lost, nothing double, whatever happens to the database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from consumers.archive import Archive
from consumers.archive.schema import messages as table
from consumers.archive.search import Query, search
from hub import Context, Message, Reject, Retry
from hub.partlog import part_log
from tests.support import bus_messages
from tests.system.postgres import Postgres

pytestmark = pytest.mark.system


def make(url: str, state_dir: Path) -> Archive:
    config = Archive.Config.model_validate({"database": url})
    return Archive(Context("archive", config, part_log("consumer", "archive"), lambda *_: None, state_dir))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return "sqlite:///archive.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.create_database()


@pytest.fixture
def archive(url: str, tmp_path: Path) -> Iterator[Archive]:
    made = make(url, tmp_path)
    yield made
    made.stop()


def message(number: int, body: Any = None, topic: str = "org.example.dev.git.receive") -> Message:
    content = {"msg_id": f"2026-{number}", "i": number, "msg": {"agent": "ralph"}} if body is None else body
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Message(f"made-up-{number}", topic, raw, received_at=1_700_000_000.0 + number, backend="bus")


def rows(archive: Archive) -> list[Any]:
    with archive._database.engine.connect() as connection:
        return list(connection.execute(select(table).order_by(table.c.id)).mappings())


def recorded() -> list[Message]:
    return [
        Message(f"made-up-{number}", json.loads(line)["topic"], line, received_at=1.0, backend="bus")
        for number, line in enumerate(bus_messages())
    ]


def test_recorded_messages_are_kept_whole_and_once(archive: Archive) -> None:
    sent = recorded()
    different = {(one.topic, one.body) for one in sent}
    archive.consume_batch(sent)
    archive.consume_batch(sent)
    kept = rows(archive)
    assert len(kept) == len(different)
    whole = {json.dumps(row["body"], sort_keys=True) for row in kept if row["body"] is not None}
    raw = {json.dumps(json.loads(row["raw"]), sort_keys=True) for row in kept if row["raw"] is not None}
    assert whole | raw == {json.dumps(json.loads(body), sort_keys=True) for _, body in different}


def test_a_redelivery_makes_no_second_row_even_under_another_made_up_id(archive: Archive) -> None:
    first = message(1)
    archive.consume_batch([first])
    archive.consume_batch([Message("another", first.topic, first.body, backend="bus"), message(2)])
    assert [row["msg_id"] for row in rows(archive)] == ["2026-1", "2026-2"]


def test_two_messages_that_share_an_id_are_two_rows(archive: Archive) -> None:
    archive.consume_batch([message(1, {"msg_id": "same", "msg": 1}), message(2, {"msg_id": "same", "msg": 2})])
    assert [row["body"]["msg"] for row in rows(archive)] == [1, 2]


def test_the_columns_say_who_what_and_when(archive: Archive) -> None:
    body = {"msg_id": "2026-x", "timestamp": 1_600_000_000.5, "username": "root", "msg": {"agent": "ralph"}}
    archive.consume_batch([message(1, body)])
    (row,) = rows(archive)
    assert (row["msg_id"], row["agent"], row["category"], row["source"]) == ("2026-x", "ralph", "git", "bus")
    assert row["timestamp"].timestamp() == 1_600_000_000.5
    assert row["received_at"].timestamp() == 1_700_000_001.0


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"",
        b"null",
        b'{"msg": "a \\u0000 b", "username": "x\\u0000y", "msg_id": "z\\u0000"}',
        b"\xff\xfe",
        b'{"msg": "\\ud800"}',
        b'{"timestamp": "yesterday", "msg_id": 5, "username": ["x"], "msg": [1]}',
        b'{"timestamp": 1e300, "msg": 1e308}',
        b'{"msg": "it\'s; DROP TABLE messages; --"}',
    ],
)
def test_no_body_is_lost_or_takes_its_batch_with_it(archive: Archive, body: bytes) -> None:
    archive.consume_batch([message(1), message(2, body), message(3)])
    kept = rows(archive)
    assert len(kept) == 3
    odd = kept[1]
    assert odd["raw"] == body or json.loads(body, parse_int=float) == json.loads(
        json.dumps(odd["body"]), parse_int=float
    )


def test_a_row_that_the_database_refuses_is_rejected_alone(archive: Archive) -> None:
    archive.consume_batch([message(1)])
    with archive._database.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(
                "CREATE TRIGGER no BEFORE INSERT ON messages WHEN NEW.msg_id = '2026-3' "
                "BEGIN SELECT RAISE(ABORT, 'not this one'); END"
            )
        else:
            connection.exec_driver_sql("ALTER TABLE messages ADD CHECK (msg_id <> '2026-3')")
    batch = [message(2), message(3), message(4)]
    with pytest.raises(DBAPIError):
        archive.consume_batch(batch)
    outcomes = []
    for one in batch:
        try:
            archive.consume_batch([one])
            outcomes.append("kept")
        except Reject:
            outcomes.append("rejected")
    assert outcomes == ["kept", "rejected", "kept"]
    assert [row["msg_id"] for row in rows(archive)] == ["2026-1", "2026-2", "2026-4"]


def test_killed_sessions_are_a_retry_and_nothing_is_double(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.create_database()
    archive = make(url, tmp_path)
    batches = [[message(number) for number in range(start, start + 20)] for start in range(0, 400, 20)]
    retries = 0
    for number, batch in enumerate(batches):
        while True:
            if number % 3 == 0 and retries <= number:
                postgres.kill_sessions(url)
            try:
                archive.consume_batch(batch)
                break
            except Retry:
                retries += 1
    archive.stop()
    assert postgres.count(url, "messages") == 400


def test_a_restart_of_the_server_is_a_retry(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.create_database()
    archive = make(url, tmp_path)
    archive.consume_batch([message(1)])
    postgres.stop()
    try:
        with pytest.raises(Retry, match="database"):
            archive.consume_batch([message(2)])
    finally:
        postgres.start()
    archive.consume_batch([message(2)])
    archive.stop()
    assert postgres.count(url, "messages") == 2


def test_a_database_that_is_away_at_the_start_is_a_retry(tmp_path: Path) -> None:
    archive = make(f"postgresql://nobody@/nothing?host={tmp_path}", tmp_path)
    with pytest.raises(Retry, match="database"):
        archive.consume_batch([message(1)])
    archive.stop()


def test_search_finds_by_each_of_its_criteria(archive: Archive) -> None:
    archive.consume_batch(
        [
            message(1, {"timestamp": 1000, "msg": {"agent": "ann", "word": "100%_sure"}}),
            message(2, {"timestamp": 2000, "msg": {"agent": "bob"}}, "org.example.dev.wiki.article.edit"),
            message(3, {"timestamp": 3000, "msg": {"agent": "ann"}}, "org.example.dev.wiki.article"),
        ]
    )

    def found(**criteria: Any) -> list[float]:
        return [row["timestamp"].timestamp() for row in search(archive._database.engine, Query(**criteria))]

    assert found() == [3000, 2000, 1000]
    assert found(oldest_first=True, limit=2) == [1000, 2000]
    assert found(topic="org.example.dev.wiki.#") == [3000, 2000]
    assert found(topic="org.example.dev.wiki.*") == [3000]
    assert found(topic="org.*.dev.git.receive") == [1000]
    assert found(user="ann", category="wiki") == [3000]
    assert found(contains="100%_s") == [1000]
    assert found(contains="100__s") == []
    moment = datetime.fromtimestamp(2000, tz=UTC)
    assert found(since=moment) == [3000, 2000]
    assert found(until=moment) == [1000]
