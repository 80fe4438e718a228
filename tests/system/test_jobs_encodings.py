"""Databases of PostgreSQL that are not in UTF-8."""

from __future__ import annotations

import pytest

from hub.jobs import BadDatabase, Jobs
from tests.system.postgres import Postgres

pytestmark = pytest.mark.system


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_does_not_take_every_text_is_refused(postgres: Postgres, encoding: str) -> None:
    with Jobs(postgres.create_database(encoding), retry_delay=lambda _: 0.0) as jobs:
        if encoding == "LATIN1":
            with pytest.raises(BadDatabase, match="the encoding UTF8, not LATIN1"):
                jobs.insert("q", 1)
            return
        jobs.insert("q", 1, key="\u65e5\u672c")
        jobs.retry(jobs.claim(), "\u65e5\u672c")
        assert [(error.text, jobs.claim()[0].key) for error in jobs.recent_errors()] == [("\u65e5\u672c",) * 2]
