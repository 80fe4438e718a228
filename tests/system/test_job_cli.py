"""``hubbub job``: insertion, lists, checks, bad databases; on PostgreSQL, by both drivers, and on SQLite."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import click
import pytest

from hub.cli.job.database import queue_names
from hub.jobs import Jobs, JobState
from tests.support import wait_until
from tests.system.job_command import bury, rows, run, types
from tests.unit.command import Run

__all__ = ["run"]
pytestmark = pytest.mark.system


def test_a_job_is_inserted_with_all_that_may_be_said_of_it(run: Run, jobs: Jobs) -> None:
    options = ("--priority", "8", "--max-retries", "2", "--tag", "a", "--tag", "b c", "--key", "k")
    code, out, _ = run("job", "insert", "q", '{"path": "/ä"}', *options)
    assert (code, out) == (0, "1\n")
    (job,) = jobs.claim()
    assert (job.json(), job.priority, job.max_retries, job.tags, job.key) == ({"path": "/ä"}, 8, 2, ("a", "b c"), "k")
    assert run("job", "insert", "q", "1", "--key", "k")[1] == "1 is there, with this key: nothing was inserted\n"
    later = rows(run("job", "insert", "q", "2", "--key", "l", "--after", "1h", "--json")[1])[0]
    assert (later["queue"], later["new"], jobs.find(later["id"]).state) == ("q", True, JobState.DELAYED)  # type: ignore[union-attr]
    replaced = rows(run("job", "insert", "q", "3", "--key", "l", "--replace", "--json")[1])[0]
    assert replaced["new"]
    assert jobs.find(later["id"]) is None or jobs.find(later["id"]).state is JobState.CANCELLED  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("hello", b'"hello"'),
        ("[1,2]", b"[1,2]"),
        ('"a"', b'"a"'),
        ("ä", b'"\\u00e4"'),
        ("NaN", b'"NaN"'),
        ("{", b'"{"'),
    ],
)
def test_a_body_is_json_or_becomes_a_json_string(
    run: Run, jobs: Jobs, monkeypatch: pytest.MonkeyPatch, text: str, body: bytes
) -> None:
    assert run("job", "insert", "q", text)[0] == 0
    types(monkeypatch, f"{text}\n".encode())
    assert run("job", "insert", "q", "-")[0] == 0
    assert [job.body for job in jobs.claim(10)] == [body, body]


def test_lines_become_jobs(run: Run, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    types(monkeypatch, b"".join(b"%d\n" % number for number in range(1200)) + b"\n/a path\r\n")
    assert run("job", "insert", "q", "--lines", "--tag", "t")[:2] == (0, "1201 inserted\n")
    claimed = jobs.claim(2000)
    assert [job.json() for job in claimed] == [*range(1200), "/a path"]
    assert {job.tags for job in claimed} == {("t",)}
    types(monkeypatch, b"1\n" * 1000 + b"2\n\xff\n")
    code, _, err = run("job", "insert", "q", "--lines")
    assert code == 64
    assert "line 1002: expected text in UTF-8" in err
    assert "1000 jobs of the lines before were inserted" in err
    assert len(jobs.claim(2000)) == 1000


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("q",), "Missing argument 'BODY'"),
        (("q", "1", "--lines"), "with --lines there is no BODY"),
        (("q", "1", "--replace"), "--replace is for a job with a --key"),
        (("q" * 300, "1"), "has 300 characters, more than 200"),
        (("q", "1", "--tag", "\n"), "can't be printed"),
        (("q", "1", "--after", "yesterday"), "expected a duration"),
        (("q", "1", "--priority", "10"), "not in the range"),
    ],
)
def test_what_cannot_be_inserted_is_refused(run: Run, jobs: Jobs, arguments: tuple[str, ...], error: str) -> None:
    code, out, err = run("job", "insert", *arguments)
    assert (code, out) == (64, "")
    assert error in err
    assert jobs.counts() == {}


def test_queues_are_listed_also_those_without_jobs(run: Run, jobs: Jobs) -> None:
    jobs.insert_many("a\x1bb".replace("\x1b", " "), range(3))
    jobs.insert("idle", 1)
    jobs.complete(jobs.claim(1, ["idle"]))
    bury(jobs, "no")
    jobs.pause("q", "the disk\x1b[31m")
    code, out, _ = run("job", "queues")
    assert code == 0
    assert [re.sub(r"for \S+,", "for TIME,", " ".join(line.split())) for line in out.splitlines()] == [
        "a b 3 waiting, the oldest for TIME, 0 delayed, 0 running, 0 dead",
        "idle 0 waiting, 0 delayed, 0 running, 0 dead",
        "q 0 waiting, 0 delayed, 0 running, 1 dead, paused: the disk\\x1b[31m",
    ]
    found = rows(run("job", "queues", "q", "idle", "--json")[1])
    assert [(row["queue"], row["dead"], row["paused"], row["oldest_age"]) for row in found] == [
        ("q", 1, True, None),
        ("idle", 0, False, None),
    ]


def test_a_check_tells_what_is_above_its_limits(run: Run, jobs: Jobs) -> None:
    jobs.insert_many("q", range(3))
    jobs.insert_many("other", range(1))
    limit = ("job", "queues", "--maxage", "1h", "--maxcount", "3", "--maxdead", "0")
    assert run(*limit, "--quiet") == (0, "", "")
    code, out, _ = run(*limit)
    assert code == 0
    assert out.startswith("HUBBUB OK - 4 jobs waiting in 2 queues | 'other waiting'=1;3;;0 ")
    jobs.insert("q", 3)
    code, out, _ = run(*limit, "--quiet")
    assert code == 1
    assert out.startswith("HUBBUB WARNING - q: waiting 4 (limit 3) |")
    assert run(*limit, "other", "--quiet") == (0, "", "")
    code, out, _ = run(*limit, "--maxcount-critical", "3", "--json")
    report = json.loads(out)
    assert (code, report["state"], report["code"]) == (2, "CRITICAL", 2)
    assert report["findings"] == [{"level": "CRITICAL", "text": "q: waiting 4 (limit 3)", "queue": "q"}]
    assert report["queues"]["q"]["waiting"] == 4
    bury(jobs, "no", queue="third")
    jobs.pause("third", "mended")
    code, out, _ = run(*limit, "third")
    assert (code, out.splitlines()[0].partition(" |")[0]) == (
        1,
        "HUBBUB WARNING - third: dead 1 (limit 0); third: paused: mended",
    )
    wait_until(lambda: run("job", "queues", "--maxage", "0.01")[0] == 1)
    wait_until(lambda: run("job", "queues", "--maxage", "1h", "--maxage-critical", "10ms")[0] == 2)
    assert run("job", "queues", "--quiet")[0] == 64


def test_a_check_that_is_not_possible_says_so_by_its_code(run: Run, dsn: str, tmp_path: Path, jobs: Jobs) -> None:
    jobs.insert("q", 1)
    code, out, _ = run("job", "queues", "nobody", "--maxage", "1h")
    assert (code, out) == (3, "HUBBUB UNKNOWN - no queue is called nobody: there are q\n")
    code, out, _ = run("job", "queues", "--maxage", "1h", "--database", f"sqlite:///{tmp_path}/nothing.db")
    assert code == 3
    assert "no job was ever inserted" in out
    assert not (tmp_path / "nothing.db").exists()
    away = "postgresql://hubbub@/x?host=/nonexistent"
    code, out, _ = run("job", "queues", "--maxage", "1h", "--database", away)
    assert (code, out[:18]) == (2, "HUBBUB CRITICAL - ")


@pytest.mark.parametrize("verb", ["peek", "errors", "retry", "kick", "purge", "pause", "resume", "queues"])
def test_an_unknown_queue_is_refused(run: Run, jobs: Jobs, verb: str) -> None:
    jobs.insert("thumbnails", 1)
    code, out, err = run("job", verb, "thumbnail", *(["--yes"] if verb == "purge" else []))
    assert (code, out) == (69, "")
    assert re.fullmatch(r"hubbub: no queue is called '?thumbnail'?: there are thumbnails\n", err)
    assert set(jobs.counts()) == {"thumbnails"}


def test_a_database_that_cannot_be_used_is_told(
    run: Run, jobs: Jobs, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("job", "queues")[0] == 78, "there are no tables"
    assert jobs.counts() == {}
    assert run("job", "queues") == (0, "", "no queues\n")
    code, _, err = run("job", "queues", "--database", f"sqlite:///{tmp_path}/no/where.db")
    assert (code, "is not there" in err or "no directory" in err) == (78, True)
    code, out, err = run("job", "queues", "--json", "--database", "postgresql://hubbub:secret@127.0.0.1:1/x")
    assert code == 69
    assert rows(out)[0]["problems"]
    assert "secret" not in out + err
    code, _, err = run("job", "queues", "--database", "mysql://x/y")
    assert (code, err) == (78, "hubbub: jobs are kept in PostgreSQL or SQLite, not in mysql\n")
    monkeypatch.delenv("HUBBUB_JOBS")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("hub.cli.job.database.DEFAULT_FILES", (Path("hub.conf"),))
    code, _, err = run("job", "queues")
    assert code == 64
    assert "which database? Give --database DSN, set HUBBUB_JOBS, or --config FILE" in err
    assert run("job", "queues", "--database", dsn, "--jobs", "main")[0] == 64


def test_a_newer_schema_is_refused(run: Run, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.insert("q", 1)
    for module in ("hub.jobs.sqlite.database", "hub.jobs.postgresql.schema"):
        monkeypatch.setattr(f"{module}.VERSION", 1)
    code, _, err = run("job", "queues")
    assert code == 78
    assert re.search(r"has version \d+, this program knows versions up to 1: upgrade it", err)


def test_a_missing_driver_is_told_with_its_extra(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    code, _, err = run("job", "queues", "--database", "postgresql://hubbub@127.0.0.1:1/x")
    assert (code, err) == (
        78,
        "hubbub: a job queue in PostgreSQL needs an optional library: pip install 'hubbub[postgres]'\n",
    )


def test_names_of_queues_are_completed(run: Run, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.insert("thumbnails", 1)
    jobs.insert("mails", 1)
    context = click.Context(click.Command("x"))
    parameter = click.Argument(["queue"])
    assert queue_names(context, parameter, "th") == ["thumbnails"]
    monkeypatch.setenv("HUBBUB_JOBS", "postgresql://hubbub@127.0.0.1:1/x")
    assert queue_names(context, parameter, "") == []


def test_a_queue_that_nobody_knows_is_refused_unless_it_is_to_be_made(run: Run, jobs: Jobs) -> None:
    assert run("job", "insert", "thumbnails", "1")[0] == 0
    code, out, err = run("job", "insert", "thumbnial", "2")
    assert (code, out) == (69, "")
    assert err == ("hubbub: no queue is called 'thumbnial': did you mean 'thumbnails'? --create makes a new one\n")
    assert "there are thumbnails. --create" in run("job", "insert", "post", "--lines")[2]
    assert jobs.queue_names() == ["thumbnails"]
    assert run("job", "insert", "post", "1", "--create")[0] == 0
    assert run("job", "insert", "post", "2")[0] == 0
    assert jobs.counts()["post"].waiting == 2
