"""A real hub with a declared queue is killed, again and again."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.support import PATIENCE, wait_until
from tests.system.declaring import numbers_in
from tests.system.hubs import RunningHub

PLUGIN = Path(__file__).with_name("declaring.py")


def configuration(directory: Path, more: str = "") -> str:
    return f"""
[hub]
state_dir = "{directory / "state"}"

[backends.broker]
type = "{PLUGIN}:Declaring"
records = "{directory}"
{more}
"""


def without(directory: Path, more: str = "") -> str:
    return f"""
[hub]
state_dir = "{directory / "state"}"

[backends.bus]
type = "memory"
{more}
"""


def killed_thrice(directory: Path) -> tuple[set[int], set[int]]:
    """Confirmed numbers: those that are delayed, and the others."""
    confirmed = directory / "confirmed"
    for _ in range(3):
        with RunningHub(directory, configuration(directory)) as hub:
            before = len(numbers_in(confirmed))
            wait_until(lambda: len(numbers_in(confirmed)) > before + 500, 30, "confirmations")  # noqa: B023
            hub.stop(signal.SIGKILL)
    told = set(numbers_in(confirmed))
    later = {number for number in told if not number % 10}
    return later, told - later


def test_nothing_that_was_confirmed_is_lost_and_all_is_there_without_the_backend(tmp_path: Path) -> None:
    later, now = killed_thrice(tmp_path)
    left = now - set(numbers_in(tmp_path / "read"))
    assert left
    with RunningHub(tmp_path, without(tmp_path)) as hub:
        row = hub.consumer("jobs")
        told = (row["drained_by"], row["condition"], row["topics"], row["type"])
        assert told == ("nobody", "not read", ["bound.#"], "jobs")
        assert row["backlog"] >= len(left) + len(later)
        assert row["delayed"] >= len(later)
        assert "not read" in hub.command("queue", "list").stdout

    with RunningHub(tmp_path, configuration(tmp_path, "puts = false")) as hub:
        wait_until(lambda: hub.consumer("jobs")["backlog"] == hub.consumer("jobs")["delayed"], 30, "an end")
        row = hub.consumer("jobs")
        assert (row["drained_by"], row["condition"]) == ("broker", "running")
        assert row["delayed"] >= len(later)
        assert row["dropped"] == 0
    assert now <= set(numbers_in(tmp_path / "read"))
    assert not later & set(numbers_in(tmp_path / "read"))


def test_no_consumer_gets_its_name_until_it_is_deleted(tmp_path: Path) -> None:
    with RunningHub(tmp_path, configuration(tmp_path)) as hub:
        wait_until(lambda: numbers_in(tmp_path / "confirmed"), 30, "a confirmation")
        assert hub.stop() == 0
    consumer = '[consumers.jobs]\ntype = "log"\ntopics = ["x"]\n'
    with RunningHub(tmp_path, without(tmp_path, consumer), ready=False) as hub:
        assert hub.process.wait(30 * PATIENCE) != 0
        assert "'jobs' is a declared queue" in hub.log
    with RunningHub(tmp_path, without(tmp_path)) as hub:
        hub.command("queue", "delete", "--yes", "jobs")
        hub.file.write_text(without(tmp_path, consumer))
        hub.command("reload")
        assert hub.consumer("jobs")["backlog"] == 0
        assert hub.stop() == 0
