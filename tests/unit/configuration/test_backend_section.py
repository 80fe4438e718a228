"""When a bus is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.configuration.configurations import configure, problems


def table(kind: str, confirm: str) -> str:
    more = 'connect = ["tcp://127.0.0.1:1"]\n' if kind == "zeromq" else ""
    return f'[backends.bus]\ntype = "{kind}"\nconfirm = "{confirm}"\n{more}'


@pytest.mark.parametrize(
    ("kind", "confirm", "said"),
    [
        ("memory", "finished", "expected 'stored' or 'settled', not 'finished'"),
        ("zeromq", "settled", "ZeroMQ confirms nothing to its senders: leave it out"),
    ],
)
def test_a_choice_that_the_bus_does_not_have_is_a_problem(tmp_path: Path, kind: str, confirm: str, said: str) -> None:
    assert f"hub.conf:3: backends.bus.confirm: {said}" in problems(tmp_path, table(kind, confirm))


@pytest.mark.parametrize("confirm", ["stored", "settled"])
def test_a_bus_that_is_told_has_both(tmp_path: Path, confirm: str) -> None:
    found = configure(tmp_path, table("memory", confirm)).of("backends")["bus"]
    assert found.settings.confirm == confirm


def test_a_bus_is_told_of_what_is_stored_unless_something_else_is_written(tmp_path: Path) -> None:
    assert configure(tmp_path, '[backends.bus]\ntype = "memory"\n').of("backends")["bus"].settings.confirm == "stored"
