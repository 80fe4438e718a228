"""The store's n-th operation fails, for every n: nothing confirmed is lost, and no depth is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.errors import ConfigError
from tests.faults.faulty_tables import Fault, broken, full, map_full
from tests.faults.scenario import TOPICS, Scenario
from tests.faults.size import sized

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

NEVER = float("inf")
EVERY = sized(5, 1)


def operations(directory: Path) -> int:
    """How many there are if none fails."""
    fault = Fault(full, NEVER, 0)
    scenario = Scenario(made(directory / "count"), fault)
    for _ in scenario.script():
        assert scenario.store.writer.step()
        scenario.survives_a_kill(directory / "scratch")
    scenario.is_exact(directory / "scratch")
    scenario.close()
    assert all(scenario.unsettled(queue) and scenario.buried[queue] for queue in TOPICS), "the scenario is too small"
    assert scenario.sent
    return fault.count


def made(directory: Path) -> Path:
    directory.mkdir()
    return directory


def test_nothing_fails(tmp_path: Path) -> None:
    print(f"{operations(tmp_path)} operations")


@pytest.mark.parametrize("length", [1, 7, 60])
@pytest.mark.parametrize("error", [full, map_full])
def test_a_full_disk_is_waited_for(tmp_path: Path, error: Callable[[], Exception], length: int) -> None:
    for first in range(1, operations(tmp_path) + 1, EVERY):
        fault = Fault(error, first, length)
        fill(made(tmp_path / f"full-{first}"), fault, tmp_path / "scratch")
        assert fault.met


def fill(directory: Path, fault: Fault, scratch: Path) -> None:
    """One life in which the disk is full for a while: whatever happens meanwhile is stored when there is room."""
    scenario = Scenario(directory, fault)
    writer = scenario.store.writer
    for _ in scenario.script():
        before = scenario.confirmed.copy()
        stored = writer.step()
        assert stored == (writer.state == "ok")
        assert stored or scenario.confirmed == before
        assert writer.state in ("ok", "full")
        scenario.survives_a_kill(scratch)
    for _ in range(100):
        if writer.step() and fault.over:
            break
    assert writer.step()
    assert writer.state == "ok"
    scenario.is_exact(scratch)
    assert all(count == 1 for count in scenario.sent.values()), scenario.sent
    scenario.close()


@pytest.mark.parametrize("late", [False, True])
def test_a_broken_disk_is_believed_no_more(tmp_path: Path, late: bool) -> None:
    for first in range(1, operations(tmp_path) + 1, EVERY):
        for length in (1, NEVER):
            fault = Fault(broken, first, length, late)
            break_(made(tmp_path / f"broken-{first}-{length}"), fault, tmp_path / "scratch")


def break_(directory: Path, fault: Fault, scratch: Path) -> None:
    """One life that ends with the disk; nothing is confirmed after it."""
    try:
        scenario = Scenario(directory, fault)
    except (ConfigError, OSError):
        assert fault.met
        return
    for _ in scenario.script():
        before = scenario.confirmed.copy()
        failed = scenario.store.writer.state == "failed"
        stored = scenario.store.writer.step()
        assert stored == (not fault.met)
        assert (scenario.store.writer.state == "failed") == bool(fault.met)
        assert not failed or scenario.confirmed == before
        scenario.survives_a_kill(scratch)
    assert fault.met
    scenario.close()


@pytest.mark.parametrize("error", [full, map_full])
def test_a_disk_that_is_full_at_the_start_is_told(tmp_path: Path, error: Callable[[], Exception]) -> None:
    """Whoever watches a store that is in trouble already is told of it."""
    scenario = Scenario(made(tmp_path / "state"), Fault(error, NEVER, 0))
    scenario.receive(3)
    scenario.store.writer.step()
    taken = scenario.take("all", 3)
    assert taken is not None
    scenario.store.slot("all").hold(0, 3)
    scenario.close()
    scenario.fault = Fault(error, 1, NEVER)
    scenario._open()
    states: list[str] = []
    scenario.store.watch(lambda state, reason: states.append(state), scenario._send)
    scenario.receive(1)
    scenario.store.writer.step()
    assert states == ["full"]
    scenario.close()
