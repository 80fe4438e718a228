"""What the operators' page about jobs says: its statements, rights and lines for cron are good ones."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text

from hub.jobs import Jobs
from hub.jobs.connections import url_of
from tests.support import ROOT
from tests.system.postgres import Postgres
from tests.unit.command import Run, runner
from tests.unit.test_commands_in_docs import problem

pytestmark = pytest.mark.system
PAGE = (ROOT / "docs" / "jobs-operating.rst").read_text(encoding="utf-8")


@pytest.fixture
def dsn(postgres_server: Postgres) -> str:
    postgres_server.scheme = "postgresql"
    return postgres_server.create_database()


@pytest.fixture
def jobs(dsn: str) -> Iterator[Jobs]:
    with Jobs(dsn, name="worker 7") as made:
        yield made


def blocks(language: str) -> list[str]:
    found = re.findall(rf"( *)\.\. code-block:: {language}\n\n((?:\1    .*\n|\n)+)", PAGE)
    return [textwrap.dedent(block).strip() for _, block in found]


def test_lines_for_cron_are_commands() -> None:
    (table,) = blocks("text")
    commands = [line.split(None, 5)[5] for line in table.splitlines() if re.match(r"[\d*]", line)]
    assert len(commands) == 4
    assert {command: why for command in commands if (why := problem(command))} == {}
    assert "%" not in table, "cron would take it for the end of the line"


def test_statements_find_workers_and_sizes(jobs: Jobs, dsn: str) -> None:
    jobs.insert("q", 1)
    jobs.claim()
    workers, sizes = blocks("sql")
    engine = create_engine(url_of(dsn))
    with engine.connect() as connection:
        assert [row[0] for row in connection.execute(text(workers))] == ["worker 7"]
        assert "job_1" in {row[0] for row in connection.execute(text(sizes.replace("::", r"\:\:")))}
    engine.dispose()


def test_these_rights_are_enough_to_look(
    jobs: Jobs, dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], postgres_server: Postgres
) -> None:
    jobs.insert_many("q", range(3))
    jobs.bury(jobs.claim(), "no")
    for statement in (
        "DROP ROLE IF EXISTS monitor",
        "CREATE ROLE monitor LOGIN",
        "GRANT USAGE ON SCHEMA hubbub_jobs TO monitor",
        "GRANT SELECT ON ALL TABLES IN SCHEMA hubbub_jobs TO monitor",
        "GRANT SELECT ON ALL SEQUENCES IN SCHEMA hubbub_jobs TO monitor",
    ):
        postgres_server.execute(dsn, statement)
    try:
        monkeypatch.setenv("HUBBUB_JOBS", dsn.replace("hubbub@", "monitor@"))
        run: Run = runner(monkeypatch, capsys)
        assert run("job", "queues", "--maxage", "1h", "--maxdead", "1", "--quiet") == (0, "", "")
        assert run("job", "errors")[0] == 0
        assert run("job", "peek", "q")[0] == 0
        assert run("job", "show", "1")[0] == 0
        code, _, err = run("job", "pause", "q")
        assert code == 78
        assert "permission denied" in err
        assert not jobs.counts()["q"].paused
    finally:
        postgres_server.execute(dsn, "DROP OWNED BY monitor; DROP ROLE monitor")


def test_codes_are_those_of_the_table() -> None:
    codes = re.findall(r"^(\d)     (\w+) ", PAGE, re.M)
    assert codes == [("0", "OK"), ("1", "WARNING"), ("2", "CRITICAL"), ("3", "UNKNOWN")]
