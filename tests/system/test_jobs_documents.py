"""What docs/jobs.rst shows runs as it says, on real databases."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from hub.jobs import Jobs
from hub.jobs.connections import url_of
from tests.support import ROOT, require, wait_until
from tests.system.postgres import Postgres

pytestmark = pytest.mark.system


def program(name: str, dsn: str) -> str:
    """A block of the page by its first line, with this database in the place of its own."""
    page = (ROOT / "docs" / "jobs.rst").read_text(encoding="utf-8")
    blocks = re.findall(r"\.\. code-block:: python\n\n((?:    .*\n|\n)+)", page)
    (found,) = (block for block in blocks if f"    # {name}" in block)
    code, count = re.subn(r"postgresql\S*://app@db\.example\.org/app", dsn, textwrap.dedent(found))
    assert count == 1
    return code


def test_the_first_program_outlives_a_restart_of_the_database(postgres: Postgres, tmp_path: Path) -> None:
    dsn = postgres.create_database()
    (tmp_path / "thumbnails.py").write_text(program("thumbnails.py", dsn))
    log = tmp_path / "log"
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [sys.executable, "thumbnails.py"], cwd=tmp_path, stdout=output, stderr=subprocess.STDOUT
        )

    def made() -> set[str]:
        assert worker.poll() is None, log.read_text()
        return set(re.findall(r"^a thumbnail of (\d+)$", log.read_text(), re.M))

    def insert(numbers: range) -> None:
        with Jobs(dsn) as jobs:
            jobs.insert_many("thumbnails", [{"path": str(number)} for number in numbers])

    try:
        for round_ in range(3):
            numbers = range(500 * round_, 500 * round_ + 500)
            insert(numbers)
            wait_until(lambda numbers=numbers: str(numbers[0]) in made(), 60, "the worker to begin")  # type: ignore[misc]
            postgres.restart() if round_ < 2 else None
        wait_until(lambda: len(made()) == 1500, 90, lambda: f"all thumbnails: {log.read_text()[-2000:]}")

        def ended() -> bool:
            with Jobs(dsn) as jobs:
                return jobs.counts() == {}

        wait_until(ended, 60, "all jobs to be finished")
    finally:
        worker.kill()
        worker.wait()


def make_table(dsn: str) -> None:
    with Jobs(dsn) as jobs:
        jobs.counts()
    engine = create_engine(url_of(dsn))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE orders (item TEXT NOT NULL UNIQUE)"))
    engine.dispose()


def waiting(dsn: str) -> list[object]:
    with Jobs(dsn) as jobs:
        return [job.json() for job in jobs.peek("mail")]


def test_an_order_of_sqlalchemy_has_its_mail_or_neither(dsn: str) -> None:
    make_table(dsn)
    found: dict[str, object] = {}
    exec(program("orders.py", str(url_of(dsn))), found)
    order: object = found["order"]
    assert callable(order)
    order("tea")
    with pytest.raises(Exception, match=r"(?i)unique"):
        order("tea")
    order("milk")
    assert waiting(dsn) == [{"item": "tea"}, {"item": "milk"}]


DJANGO = """\
import sys
from urllib.parse import parse_qs, urlsplit

import django
from django.conf import settings
from django.db import IntegrityError

url = urlsplit(sys.argv[1])
engine = "sqlite3" if url.scheme == "sqlite" else "postgresql"
database = {"ENGINE": f"django.db.backends.{engine}", "NAME": url.path[1:]}
if engine == "postgresql":
    database |= {"USER": url.username, "HOST": parse_qs(url.query)["host"][0]}
settings.configure(DATABASES={"default": database}, DEFAULT_AUTO_FIELD="django.db.models.AutoField")
django.setup()

import views
from hub.jobs import BadJob

views.order("tea")
try:
    views.order("tea")
except IntegrityError:
    pass
else:
    sys.exit("it was ordered twice")
try:
    with views.transaction.atomic():
        views.order("coffee")
        raise KeyError("the view fails")
except KeyError:
    pass
views.order("milk")
try:
    views.jobs.insert("mail", 1, connection=views.connection.connection)
except BadJob:
    pass
else:
    sys.exit("a connection that commits each statement was taken")
print(sorted({type(views.connection.connection).__module__.partition(".")[0]}))
"""


def test_an_order_of_django_has_its_mail_or_neither(dsn: str, tmp_path: Path) -> None:
    installed = subprocess.run([sys.executable, "-c", "import django"], capture_output=True, check=False)
    require(installed.returncode == 0, "Django is not installed")
    make_table(dsn)
    (tmp_path / "views.py").write_text(program("views.py", dsn))
    (tmp_path / "run.py").write_text(DJANGO)
    done = subprocess.run([sys.executable, "run.py", dsn], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert waiting(dsn) == [{"item": "tea"}, {"item": "milk"}]
