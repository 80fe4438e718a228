"""Fixtures of the tests that run real programs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hub.consumers.archive import Archive
from hub.jobs import Jobs
from tests.support import ROOT, require
from tests.system.activemq import ActiveMQ
from tests.system.archives import make as make_archive
from tests.system.distribution import Distribution, build
from tests.system.postgres import DRIVERS, Postgres, running_postgres
from tests.system.rabbitmq import RabbitMQ
from tests.system.stomp_hub import StompHub

FEDMSG = ["setuptools==65.5.0", "fedmsg[consumers,commands,crypto_ng]==1.1.7", "pyOpenSSL==24.2.1", "cryptography<44"]

FEDORA = ["fedora-messaging==3.9.1", "bodhi-messages==26.4.0"]


@pytest.fixture(scope="session")
def postgres_of_the_run() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture
def postgres_server(postgres_of_the_run: Postgres) -> Iterator[Postgres]:
    """One server for all tests; each makes databases of its own, which go with it: a thousand of them fill a disk."""
    yield postgres_of_the_run
    postgres_of_the_run.drop_databases()


@pytest.fixture(params=DRIVERS)
def postgres(request: pytest.FixtureRequest, postgres_server: Postgres) -> Postgres:
    """That server, whose databases are reached by each driver."""
    postgres_server.scheme = request.param
    return postgres_server


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """One RabbitMQ for all tests; each uses destinations of its own."""
    with RabbitMQ(tmp_path_factory.mktemp("rabbitmq")) as broker:
        yield broker


@pytest.fixture
def cleared_rabbitmq(rabbitmq: RabbitMQ) -> Iterator[RabbitMQ]:
    """The same, where queues that a test makes go with it: others have queues of other kinds by the same names."""
    before = set(rabbitmq.control("list_queues", "--no-table-headers", "name").splitlines())
    yield rabbitmq
    for queue in set(rabbitmq.control("list_queues", "--no-table-headers", "name").splitlines()) - before:
        rabbitmq.control("delete_queue", queue)


@pytest.fixture(scope="session")
def activemq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActiveMQ]:
    """One ActiveMQ for all tests; each uses destinations of its own."""
    with ActiveMQ(tmp_path_factory.mktemp("activemq")) as broker:
        yield broker


@pytest.fixture(scope="session")
def stomp_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StompHub]:
    """One hub that is a STOMP server for all tests; each uses destinations of its own."""
    with StompHub(tmp_path_factory.mktemp("stomp")) as broker:
        yield broker


@pytest.fixture(scope="session")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Distribution:
    """The sdist of this checkout, and its wheel."""
    return build(tmp_path_factory.mktemp("distribution"))


@pytest.fixture(scope="session")
def fedmsg_python() -> Path:
    """A Python 3.11 that has the real fedmsg."""
    require(sys.version_info[:2] == (3, 11), "fedmsg 1.1.7 needs Python 3.11")
    # Some of its dependencies build their own by setuptools' old way, which needs this where pip is old.
    return environment("fedmsg", ["wheel"], FEDMSG)


@pytest.fixture(scope="session")
def fedora_python() -> Path:
    """A Python that has the real fedora-messaging, and schemas of Bodhi's."""
    return environment("fedora", FEDORA)


def environment(name: str, *steps: list[str]) -> Path:
    """The Python of a virtual environment with these packages, made once, kept beside the checkout's other ones."""
    directory = ROOT / f".venv-{name}"
    python = directory / "bin" / "python"
    if not (directory / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(directory)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        for packages in steps:
            done = subprocess.run([*pip, *packages], capture_output=True, text=True)
            require(done.returncode == 0, f"{packages[0]} can't be installed: {done.stderr[-500:]}")
        (directory / "ready").touch()
    return python


@pytest.fixture(params=["sqlite", *DRIVERS])
def url(request: pytest.FixtureRequest) -> str:
    """Of an empty database; what is claimed of the archive is claimed on both."""
    if request.param == "sqlite":
        return "sqlite:///archive.db"
    server: Postgres = request.getfixturevalue("postgres_server")
    server.scheme = request.param
    return server.create_database()


@pytest.fixture
def archive(url: str, tmp_path: Path) -> Iterator[Archive]:
    """An archive in that database."""
    made = make_archive(url, tmp_path)
    yield made
    made.stop()


@pytest.fixture(params=["sqlite", *DRIVERS])
def dsn(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty database; what is claimed of jobs is claimed on both."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/jobs.db"
    server: Postgres = request.getfixturevalue("postgres_server")
    server.scheme = request.param
    return server.create_database()


@pytest.fixture
def make(dsn: str) -> Iterator[Callable[..., Jobs]]:
    """More programs at the same database."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(Jobs(dsn, **options))


@pytest.fixture
def jobs(make: Callable[..., Jobs]) -> Jobs:
    return make(lease=60.0, retry_delay=lambda _: 0.0)
