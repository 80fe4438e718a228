"""The house rules that a program can check."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

from tests.support import ROOT

MOST_LINES_OF_A_FILE = 350
MOST_LINES_OF_A_FUNCTION = 40
FOLDERS = ("hub", "backends", "consumers", "monitoring", "tests", "benchmarks")
SOURCES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
NO_CODE = ("__init__.py", "interfaces.py")
PROTOCOLS = ROOT / "hub" / "interfaces"
MODULES = [
    path
    for path in SOURCES
    if path.is_relative_to(ROOT / "hub") and path.name not in NO_CODE and not path.is_relative_to(PROTOCOLS)
]
TESTED_TOGETHER = {
    **dict.fromkeys(("schema", "layers", "parts", "problems"), "test_loading"),
    "section": "test_sections",
    **dict.fromkeys(("manager", "resources"), "test_parts"),
    "policies": "test_consumers",
    **dict.fromkeys(("queue_entry", "holds"), "test_queues"),
    **dict.fromkeys(("declarations", "declared_queue", "declared_reader"), "test_declared"),
    "receipt": "test_enqueuer",
    "replays": "test_replay",
    "workload": "test_snapshot",
    "resident": "test_memory",
    **dict.fromkeys(("service", "process", "consumer", "deadletter"), "test_hub"),
    **dict.fromkeys(("errors", "defaults"), "test_cli"),
    **dict.fromkeys(("topics", "pattern_tree", "topic_index"), "test_router"),
    "dead_letters": "test_dead",
    "redelivery": "test_replay",
    **dict.fromkeys(("stores", "dead", "queues"), "test_durable"),
    **dict.fromkeys(("delivery", "policy", "in_flight"), "test_model"),
    "loaded_messages": "test_ready",
    **dict.fromkeys(("source", "slot"), "test_work_source_contract"),
    **dict.fromkeys(("result", "sending"), "test_dispatcher"),
    "job_access": "test_database",
    **dict.fromkeys(("cluster_access", "own"), "test_cluster"),
    "rows": "test_cluster",
    **dict.fromkeys(("job_databases", "job_member", "job_sources", "job_orders"), "test_job_consumers"),
    "runtime": "test_worker",
    "reader": "test_reader_contract",
    **dict.fromkeys(("access", "verb", "hub", "consumers", "queue_state"), "test_api"),
}
"""Rooms that are only ever entered through another one, whose tests are theirs too."""
TESTED_WHOLE = {
    "hub/cli": "test_cli",
    "hub/cli/job": "test_job_cli",
    "hub/cli/queue": "test_steering_cli",
    "hub/cli/top": "test_top_overview",
    "hub/jobs/postgresql": "test_jobs_postgresql",
    "hub/jobs/sqlite": "test_jobs_contract",
    "hub/status": "test_catalogue",
    "hub/store/fsck": "test_fsck_cli",
    "hub/testing": "test_testing",
}
"""Packages that are used, and tested, as the one command or tool that they are."""
TESTS = {path.stem for path in SOURCES if path.name.startswith("test_")}


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def trees() -> list[tuple[Path, ast.Module]]:
    return [(path, ast.parse(path.read_text(encoding="utf-8"))) for path in SOURCES]


def test_no_file_is_too_long() -> None:
    lengths = {short(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES_OF_A_FILE} == {}


def test_no_function_is_too_long() -> None:
    too_long = [
        f"{short(path)}:{node.lineno} {node.name}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (node.end_lineno or 0) - node.lineno + 1 > MOST_LINES_OF_A_FUNCTION
    ]
    assert too_long == []


def test_every_module_says_what_it_is_for() -> None:
    sources = [(path, tree) for path, tree in trees() if not path.is_relative_to(ROOT / "tests")]
    assert [short(path) for path, tree in sources if tree.body and not ast.get_docstring(tree)] == []


def test_no_two_public_classes_of_the_hub_share_a_name() -> None:
    """The name of a class is a word for the reader, too: it stands for one thing, whatever the module."""
    places: dict[str, list[str]] = defaultdict(list)
    for path, tree in trees():
        if path.is_relative_to(ROOT / "hub"):
            for node in tree.body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places[node.name].append(f"{short(path)}:{node.lineno}")
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


@pytest.mark.parametrize("path", MODULES, ids=short)
def test_every_module_of_the_hub_has_its_tests(path: Path) -> None:
    """By its own name, or with its package's before it: hub/store/memory.py may have test_store_contract.py."""
    package = [] if path.parent == ROOT / "hub" else [path.parent.name]
    wanted = [f"test_{path.stem}", *(f"test_{name}_{path.stem}" for name in package)]
    wanted += [f"test_{name}_contract" for name in package]
    wanted += [TESTED_TOGETHER[path.stem]] if path.stem in TESTED_TOGETHER else []
    wanted += [TESTED_WHOLE[short(path.parent)]] if short(path.parent) in TESTED_WHOLE else []
    assert TESTS & set(wanted), f"expected one of {', '.join(wanted)}"


def test_no_test_waits_by_sleeping() -> None:
    sleeping = [
        f"{short(path)}:{node.lineno}"
        for path, tree in trees()
        if path.stem.startswith("test_") and path.is_relative_to(ROOT / "tests" / "unit")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "sleep"
    ]
    assert sleeping == []
