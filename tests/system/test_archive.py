"""The archive on both of its databases: nothing lost, nothing double, whatever happens to the database."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from hub import Message, Reject
from hub.consumers.archive import Archive
from hub.consumers.archive.command import archive as command
from hub.consumers.archive.schema import messages as table
from hub.consumers.archive.search import Query, search
from tests.support import bus_messages
from tests.system.archives import make, message, rows
from tests.system.postgres import Postgres

pytestmark = pytest.mark.system


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


ODD = [
    b'{"who": "zo\xc3\xab \xe2\x82\xac"}',
    b'{"n": NaN}',
    b'{"s": "\\ud800"}',
    b"not json",
    b'{"n": ' + b"9" * 4000 + b"}",
]


@pytest.mark.parametrize("setting", ["database", "environment", "C locale", "LATIN1"])
def test_every_body_makes_a_row_whatever_the_encodings_are(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    url = postgres.create_database({"C locale": "SQL_ASCII", "LATIN1": "LATIN1"}.get(setting, "UTF8"))
    if setting == "database":
        name = make_url(url).database
        postgres.execute(url, f"ALTER DATABASE {name} SET client_encoding = 'SQL_ASCII'")
    if setting == "environment":
        monkeypatch.setenv("PGCLIENTENCODING", "SQL_ASCII")
    archive = make(url, tmp_path)
    for number, body in enumerate(ODD):
        archive.consume_batch([message(number, body, "org.example.zo\xeb.\u20ac")])
    kept = rows(archive)
    archive.stop()
    assert [row["raw"] or json.dumps(row["body"], ensure_ascii=False).encode() for row in kept] == ODD
    assert {row["topic"] for row in kept} <= {"org.example.zo\xeb.\u20ac", "org.example.zo\\xeb.\\u20ac"}


def test_a_signed_body_comes_back_as_it_was_signed(archive: Archive, url: str, tmp_path: Path) -> None:
    """fedmsg signs what Python's encoder writes with sorted keys."""
    body = {"msg_id": "i", "large": 1e16, "larger": [-2.5e300], "zero": -0.0, "small": 1e-07, "big": 10**30, "one": 1.0}
    signed = json.dumps(body, sort_keys=True)
    archive.consume_batch([message(1, body)])
    (tmp_path / "hub.conf").write_text(
        f'[hub]\nstate_dir = "."\n[backends.bus]\ntype = "memory"\n'
        f'[consumers.archive]\ntype = "archive"\ndatabase = "{url}"\n'
    )
    result = CliRunner().invoke(command, ["search", "-c", str(tmp_path / "hub.conf"), "--json"])
    assert json.dumps(json.loads(result.stdout)["body"], sort_keys=True) == signed
    assert "1e+16" in result.stdout


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
    assert found(contains="100%_S") == [1000], "whatever its case"
    moment = datetime.fromtimestamp(2000, tz=UTC)
    assert found(since=moment) == [3000, 2000]
    assert found(until=moment) == [1000]


@pytest.mark.parametrize("written", ["zażółć gęślą", 'she said "no"', "C:\\new", "two\nlines", "日本"])
def test_a_text_is_found_however_json_writes_it(archive: Archive, written: str) -> None:
    archive.consume_batch([message(1, {"msg": f"before {written} after"}), message(2, {"msg": "other"})])
    found = search(archive._database.engine, Query(contains=written))
    assert [row["body"]["msg"] for row in found] == [f"before {written} after"]


def test_the_command_reads_back_what_the_recorded_bus_said(archive: Archive, url: str, tmp_path: Path) -> None:
    sent = recorded()
    archive.consume_batch(sent)
    (tmp_path / "hub.conf").write_text(
        f'[hub]\nstate_dir = "."\n[backends.bus]\ntype = "memory"\n'
        f'[consumers.archive]\ntype = "archive"\ndatabase = "{url}"\n'
    )

    def found(*arguments: str) -> list[dict[str, Any]]:
        result = CliRunner().invoke(command, ["search", "-c", str(tmp_path / "hub.conf"), "--json", *arguments])
        assert result.exception is None, result.exception
        return [json.loads(line) for line in result.stdout.splitlines()]

    everything = found("--limit", "100000")
    assert sorted(json.dumps(row["body"], sort_keys=True) for row in everything) == sorted(
        {json.dumps(one.json(), sort_keys=True) for one in sent}
    )
    assert [row["timestamp"] for row in everything] == sorted((row["timestamp"] for row in everything), reverse=True)
    of_git = {one.body for one in sent if one.topic.startswith("org.fedoraproject.prod.git.")}
    assert len(of_git) > 0
    assert len(found("--topic", "org.fedoraproject.prod.git.#", "--limit", "100000")) == len(of_git)
    by_ralph = found("--user", "ralph", "--limit", "5")
    assert [row["agent"] for row in by_ralph] == ["ralph"] * 5
    assert found("--user", "ralph", "--category", "nobody has this") == []
    assert found("--since", "2000-01-01", "--until", "2000-01-02") == []


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        (Query(topic="org.example.#"), "messages_topic"),
        (Query(user="ann"), "messages_agent"),
        (Query(category="git"), "messages_category"),
        (Query(since=datetime(2026, 1, 1, tzinfo=UTC)), "messages_timestamp"),
    ],
)
def test_postgresql_has_an_index_for_it(postgres: Postgres, tmp_path: Path, condition: Query, index: str) -> None:
    assert index in explain(postgres, tmp_path, condition.select().order_by(None))


def test_postgresql_has_an_index_for_what_a_body_contains(postgres: Postgres, tmp_path: Path) -> None:
    assert "messages_body" in explain(postgres, tmp_path, table.select().where(text("body @> '{\"msg\": {}}'")))


def explain(postgres: Postgres, tmp_path: Path, statement: Any) -> str:
    archive = make(postgres.create_database(), tmp_path)
    archive.consume_batch([message(1)])
    with archive._database.engine.connect() as connection:
        written = statement.compile(connection, compile_kwargs={"literal_binds": True})
        connection.exec_driver_sql("SET enable_seqscan = off")
        plan = connection.execute(text(f"EXPLAIN {str(written).replace(':', chr(92) + ':')}")).scalars().all()
    archive.stop()
    return "\n".join(plan)
