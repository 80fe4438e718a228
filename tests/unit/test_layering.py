"""Imports run one way. The graph is read from the sources; nothing is imported for it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.support import ROOT

PLUGINS = ("backends", "consumers", "monitoring")
"""Beside ``hub`` in the tree; imported as ``hub.backends``, by links, so that these names are free for others."""
ROOMS = ("hub", *PLUGINS)
BOTTOM = {
    *("hub", "hub.errors", "hub.headers", "hub.message", "hub.units", "hub.text", "hub.topics", "hub.unixsocket"),
    *("hub.queue_name", "hub.postgres", "hub.database_url", "hub.traceparent", "hub.json_body", "hub.cloudevents"),
    *("hub.extra", "hub.filestate", "hub.watched_files"),
    *("hub.address", "hub.listener", "hub.deadletter"),
    *("hub.backoff", "hub.throttle", "hub.trust", "hub.statefiles", "hub.secret", "hub.jsontext", "hub.resident"),
    *(
        "hub.settings",
        "hub.declarations",
        "hub.replays",
        "hub.job_access",
        "hub.cluster_access",
        "hub.job_queues",
        "hub.receipt",
        "hub.consumer",
    ),
    *("hub.interfaces", "hub.interfaces.backend", "hub.interfaces.bus_tools", "hub.interfaces.clock"),
    *("hub.interfaces.exporter", "hub.interfaces.intake", "hub.interfaces.part", "hub.interfaces.server"),
    *("hub.interfaces.stage", "hub.interfaces.subscription", "hub.interfaces.tracer"),
    *(
        "hub.http",
        "hub.http.access",
        "hub.http.verb",
        "hub.http.mounts",
        "hub.http.api",
        "hub.http.openapi",
        "hub.http.streaming",
        "hub.http.takeover",
    ),
    *(
        "hub.status",
        "hub.status.catalogue",
        "hub.status.consumers",
        "hub.status.document",
        "hub.status.hub",
    ),
    *("hub.status.clusters", "hub.status.metric", "hub.status.parts", "hub.status.rows", "hub.status.states"),
}
COMMANDS = {
    "hub.backends.stomp.command",
    "hub.consumers.archive.command",
    "hub.monitoring.graph",
    "hub.monitoring.snmp",
    "hub.monitoring.web.command",
}
"""Modules of the entry point group ``hub.commands``: they run in the command, not in the hub."""
FOR_COMMANDS = {
    *("hub.configuration.loading", "hub.configuration.schema", "hub.cli.common", "hub.control.client"),
    *("hub.control.audit", "hub.cli.group", "hub.cli.progress", "hub.cli.output", "hub.cli.run"),
}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts if parts[0] == "hub" else ("hub", *parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_name(path): path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))}


def top(name: str) -> str:
    return name.partition(".")[0]


def room_of(name: str) -> str:
    """``hub`` itself, or ``hub.backends``, ..."""
    return next((f"hub.{room}" for room in PLUGINS if f"{name}.".startswith(f"hub.{room}.")), "hub")


def imported(name: str) -> Iterator[str]:
    """Modules of our own that this one imports, wherever in it, but for type checking only."""
    tree = ast.parse(SOURCES[name].read_text(encoding="utf-8"))
    package = name if SOURCES[name].name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if top(alias.name) in ROOMS)
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            base = ".".join(part for part in (above, node.module or "") if part)
            if top(base) in ROOMS:
                inner = [f"{base}.{alias.name}" for alias in node.names]
                modules = [module for module in inner if module in SOURCES]
                yield from modules
                if len(modules) < len(inner):
                    yield base


def package(name: str) -> str:
    """``hub.queue`` of ``hub.queue.backlog``, ``hub.backends.zeromq`` of ``hub.backends.zeromq.reader``: what is one
    room on the floor plan."""
    return ".".join(name.split(".")[: 2 if room_of(name) == "hub" else 3])


def test_there_is_something_to_look_at() -> None:
    assert {"hub.queue.queue", "hub.store.memory"} <= set(SOURCES)
    assert "hub.queue.delivery" in set(imported("hub.queue.queue"))
    assert "hub.message" in set(imported("hub"))


@pytest.mark.parametrize("room", PLUGINS)
def test_plugins_have_one_name(room: str) -> None:
    assert (ROOT / "hub" / room).readlink() == Path("..", room)
    assert [name for name in SOURCES if any(top(module) == room for module in imported(name))] == []


@pytest.mark.parametrize("name", [name for name in SOURCES if room_of(name) == "hub"])
def test_the_hub_imports_none_of_its_plugins(name: str) -> None:
    assert {module for module in imported(name) if room_of(module) != "hub"} == set()


@pytest.mark.parametrize("name", [name for name in SOURCES if room_of(name) != "hub"])
def test_plugins_import_only_the_bottom_rooms_and_their_own(name: str) -> None:
    allowed = BOTTOM | (FOR_COMMANDS if name in COMMANDS else set())
    assert {module for module in imported(name) if room_of(module) != room_of(name)} - allowed == set()


def test_the_command_modules_are_those_that_setup_names() -> None:
    text = (ROOT / "setup.py").read_text(encoding="utf-8")
    (group,) = (
        ast.literal_eval(value)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "hub.commands"
    )
    assert {entry.split("=")[1].split(":")[0].strip() for entry in group} == COMMANDS


def test_no_imports_run_in_a_circle() -> None:
    graph = {name: set(imported(name)) - {name} for name in SOURCES}
    graph = {name: {m for m in found if not name.startswith(m + ".")} for name, found in graph.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"imports run in a circle: {' -> '.join(error.args[1])}")


def test_no_packages_of_the_hub_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for name in SOURCES:
        graph.setdefault(package(name), set()).update(package(module) for module in imported(name))
    try:
        TopologicalSorter({room: found - {room, "hub"} for room, found in graph.items()}).prepare()
    except CycleError as error:
        pytest.fail(f"packages import each other: {' -> '.join(error.args[1])}")


UPWARD = {("hub.logs.handler", "hub.workers.log_context")}
"""Imports that go up the list: a line of the log says which message its thread has in hand."""


def rows() -> dict[str, int]:
    """The modules and packages of ``hub`` that docs/architecture.rst lists, each with the number of its row."""
    text = (ROOT / "docs" / "architecture.rst").read_text(encoding="utf-8")
    found: dict[str, int] = {}
    for number, line in enumerate(re.findall(r"^(``hub/.*``)$", text, re.M)):
        for name in re.findall(r"``(?:hub/)?(\w+)(?:\.py|/)?``", line):
            assert found.setdefault(f"hub.{name}", number) == number, name
    return found


def test_the_list_of_the_architecture_has_a_row_for_every_module() -> None:
    modules = {package(name) for name in SOURCES if room_of(name) == "hub" and name != "hub"}
    missing = [name.replace(".", "/", 1) for name in sorted(modules - set(rows()))]
    assert missing == [], f"no row of 'The rooms' in docs/architecture.rst names {', '.join(missing)}"


def test_imports_go_down_the_list_of_the_architecture() -> None:
    place = rows()
    listed = [name for name in SOURCES if room_of(name) == "hub" and package(name) in place]
    upward = {
        (name, module)
        for name in listed
        for module in imported(name)
        if package(module) in place and place[package(module)] < place[package(name)]
    }
    assert upward == UPWARD


def test_the_bottom_rooms_import_no_others() -> None:
    assert sorted(BOTTOM - set(SOURCES)) == [], "BOTTOM names modules that there are not"
    above = {name: set(imported(name)) - BOTTOM for name in BOTTOM}
    assert {name: found for name, found in above.items() if found} == {}


def test_the_queues_and_below_know_nothing_of_the_reactor() -> None:
    packages = ("hub.queue.", "hub.stats.", "hub.store.")
    pure = [name for name in SOURCES if name.startswith(packages)]
    for name in [
        *pure,
        "hub.router",
        "hub.current_message",
        "hub.duplicates",
        "hub.workers.worker",
        "hub.workers.crew",
    ]:
        assert "twisted" not in SOURCES[name].read_text(encoding="utf-8").replace("Twisted's", ""), name


@pytest.mark.parametrize("name", [name for name in SOURCES if not name.startswith("hub.queue.")])
def test_nobody_outside_the_queue_reaches_for_its_store_or_its_parts(name: str) -> None:
    """They are for the modules of its package, which know what the lock guards."""
    parts = {"store", "lock", "acks", "backlog", "in_flight", "waiters", "overflow", "ages", "trial", "loading"}
    reaching = [
        f"{node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(ast.parse(SOURCES[name].read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in parts
        if re.search(r"\bqueue(\(.*\))?$", ast.unparse(node.value))
    ]
    assert reaching == []
