"""Jobs that are inserted in the caller's own transaction, on both databases."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from hub.jobs import BadJob, Jobs
from hub.jobs.connections import url_of

pytestmark = pytest.mark.system


@pytest.mark.parametrize("kind", ["driver", "connection", "session"])
def test_the_callers_transaction_decides(jobs: Jobs, dsn: str, kind: str) -> None:
    engine = create_engine(url_of(dsn))
    with ExitStack() as stack:
        connection: Any = stack.enter_context(Session(engine) if kind == "session" else engine.connect())
        if kind == "driver":
            connection = connection.connection.driver_connection
        jobs.insert("q", "lost", connection=connection, key="k")
        jobs.insert_many("q", range(20), connection=connection)
        connection.rollback()
        assert jobs.claim(10) == []
        jobs.insert_many("q", range(20), connection=connection)
        jobs.insert("q", "kept", connection=connection, key="k")
        connection.commit()
        assert len(jobs.claim(50)) == 21
    engine.dispose()


def test_a_connection_in_autocommit_mode_is_refused(jobs: Jobs, dsn: str) -> None:
    engine = create_engine(url_of(dsn), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        with pytest.raises(BadJob, match="autocommit"):
            jobs.insert("q", 1, connection=connection)
        with pytest.raises(BadJob, match="autocommit"):
            jobs.insert("q", 1, connection=connection.connection.driver_connection)
    engine.dispose()
    with pytest.raises(BadJob, match="no connection to"):
        jobs.insert("q", 1, connection=object())
