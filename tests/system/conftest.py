"""Fixtures of the tests that run real programs."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumers.archive import Archive
from tests.system.archives import make
from tests.system.distribution import Distribution, build
from tests.system.postgres import Postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for all tests; each makes databases of its own."""
    directory = Path(tempfile.mkdtemp(prefix="hubbub-pg-"))
    try:
        server = Postgres(directory)
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Distribution:
    """The sdist of this checkout, and its wheel."""
    return build(tmp_path_factory.mktemp("distribution"))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """Of an empty database; what is claimed of the archive is claimed on both."""
    if request.param == "sqlite":
        return "sqlite:///archive.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.create_database()


@pytest.fixture
def archive(url: str, tmp_path: Path) -> Iterator[Archive]:
    """An archive in that database."""
    made = make(url, tmp_path)
    yield made
    made.stop()
