"""Entry points are listed and found without importing what they name."""

from __future__ import annotations

import ast
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

from hub import entrypoints
from tests.support import ROOT


def test_the_names_of_a_group_are_sorted() -> None:
    found = entrypoints.names("hub.backends")
    assert found == sorted(found)
    assert {"memory", "zeromq"} <= set(found)


def test_one_is_found_by_its_name() -> None:
    point = entrypoints.entry_point("hub.consumers", "log")
    assert point is not None
    assert point.value == "hub.consumers.log:Log"
    assert entrypoints.entry_point("hub.consumers", "nobody") is None


def test_the_hubs_own_come_before_others_of_the_same_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "aaa-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: aaa\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[hub.consumers]\nlog = aaa:Log\nmine = aaa:Mine\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = [entrypoints.entry_point("hub.consumers", name) for name in ("log", "mine")]
    assert [point and point.value for point in found] == ["hub.consumers.log:Log", "aaa:Mine"]


def test_those_that_are_installed_are_those_of_setup_py() -> None:
    """The documents and many tests take the plugins from what is installed: an old installation has not the new one."""
    calls = [node for node in ast.walk(ast.parse((ROOT / "setup.py").read_bytes())) if isinstance(node, ast.keyword)]
    (declared,) = [ast.literal_eval(node.value) for node in calls if node.arg == "entry_points"]
    wanted = {(group, *line.split(" = ")) for group, lines in declared.items() for line in lines}
    points = importlib.metadata.distribution("hubbub").entry_points
    assert {(one.group, one.name, one.value) for one in points} == wanted, "run: pip install --no-deps -e ."


IDLE = """
import sys
from pathlib import Path
import twisted.internet.reactor
import hub.process
from hub.configuration.loading import load
from hub.parts.parts import SECTIONS
load(Path(sys.argv[1]))
[section.manager_class() for section in SECTIONS.values()]
"""
"""All that a hub imports until it is ready."""
OPTIONAL = [
    *("wsproto", "h11", "opentelemetry", "psycopg", "psycopg2"),
    *("prometheus_client", "sqlalchemy", "sqlite3", "textual", "pygments", "pytest"),
    *("hub.backends.memory", "hub.consumers.archive", "hub.consumers.slow"),
    *("hub.consumers.webhook", "aiohttp"),
    *("hub.monitoring.web", "hub.monitoring.prometheus", "hub.monitoring.statsd", "hub.monitoring.snmp"),
    *("hub.backends.stomp.client", "hub.backends.stomp.client_settings", "hub.backends.stomp.websocket"),
    *("twisted.web", "hub.http.api", "hub.control.site", "hub.control.verbs", "hub.store.fsck.check", "hub.jobs"),
]
"""What no hub imports that is not configured to use it, and was not asked."""
ZEROMQ = """
[backends.bus]
type = "zeromq"
connect = ["tcp://127.0.0.1:1"]
[consumers.log]
type = "log"
"""
STOMP = """
[backends.stomp]
type = "stomp-server"
"""


NO_COMMAND = [
    *("pydantic", "twisted", "prometheus_client", "hub.configuration.schema", "importlib.metadata"),
    *("difflib", "asyncio"),
]
"""What a command that only asks the hub does not import."""


def imported_of(names: list[str], code: str, *arguments: str) -> list[str]:
    """Those of the modules that the code imports, in a process of its own."""
    script = f"{code}\nimport sys\nprint([name for name in {names} if name in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    found: list[str] = ast.literal_eval(done.stderr.splitlines()[-1])
    return found


@pytest.mark.parametrize(
    ("code", "heavy"),
    [
        ("import hub.cli.common, hub.cli.status, hub.control.client", [*NO_COMMAND, "textual"]),
        ("import hub.cli, hub.cli.backlog.check_backlog", [*NO_COMMAND, "rich"]),
        (
            "from hub.cli import cli; cli(['--help'], standalone_mode=False)",
            ["pydantic", "rich", "http.client", "twisted"],
        ),
        ("import hub.process, hub.backends.zeromq", ["rich", "prometheus_client", "sqlalchemy", "textual"]),
    ],
    ids=["status", "check-backlog", "help", "run"],
)
def test_a_command_starts_without_what_it_does_not_use(code: str, heavy: list[str]) -> None:
    assert imported_of(heavy, code) == []


@pytest.mark.parametrize(
    ("configuration", "others"),
    [(ZEROMQ, ["hub.backends.stomp"]), (STOMP, ["zmq", "rich", "hub.backends.zeromq", "hub.consumers.log"])],
    ids=["zeromq", "stomp"],
)
def test_an_idle_hub_has_imported_nothing_that_is_not_configured(
    configuration: str, others: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "hub.conf"
    file.write_text(configuration)
    assert imported_of([*OPTIONAL, *others], IDLE, str(file)) == []
