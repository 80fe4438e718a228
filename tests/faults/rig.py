"""A hub with the recording consumers and the counting backend, started again and again on one directory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from tests.faults.checker import Findings, Records, Wants
from tests.support import wait_until
from tests.system.hubs import RunningHub

HERE = Path(__file__).parent
Settings = Mapping[str, Mapping[str, Any]]
"""Of parts, by name."""


def wants(*modulo: int) -> Wants:
    """Numbers that are one of these modulo 8; none given: all."""
    return lambda number: not modulo or number % 8 in modulo


def topics(*modulo: int) -> list[str]:
    """The topics of these."""
    return [f"t.{rest}" for rest in modulo] or ["#"]


class Rig:
    """:ivar records: outlive every hub. :param consumers: their settings, by name; ``type`` is a class's name."""

    def __init__(self, directory: Path, consumers: Settings) -> None:
        self.directory = directory
        self.records = Records(directory / "records")
        self.records.directory.mkdir()
        self.consumers = consumers
        self.hub_settings: dict[str, Any] = {}

    def configuration(self, **bus: Any) -> str:
        """``hub.conf``. :param bus: settings of the backend."""
        records = str(self.records.directory)
        tables: dict[str, Mapping[str, Any]] = {"hub": self.hub_settings}
        tables["backends.bus"] = {"type": f"{HERE}/backend.py:Counting", "records": records, **bus}
        for name, settings in self.consumers.items():
            kind = {"type": f"{HERE}/consumers.py:{settings['type']}", "records": records}
            tables[f"consumers.{name}"] = {**settings, **kind}
        return "\n".join(_table(name, content) for name, content in tables.items())

    def hub(self, ready: bool = True, **bus: Any) -> RunningHub:
        """A hub, to be entered."""
        return RunningHub(self.directory, self.configuration(**bus), ready)

    def quiet_hub(self) -> RunningHub:
        """A hub to which no more messages come."""
        return self.hub(total=0)

    def open_gate(self) -> None:
        """Let the ``Gated`` consumers work."""
        (self.records.directory / "gate").touch()

    def findings(self, hub: RunningHub, queue: str, wants: Wants) -> Findings:
        """What the records say of that queue."""
        return self.records.check(queue, wants, letters(hub, queue))


def _table(name: str, content: Mapping[str, Any]) -> str:
    return "\n".join([f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in content.items())])


def letters(hub: RunningHub, queue: str) -> list[int]:
    """The numbers of its dead letters."""
    found = hub.client.get(f"/dead/{queue}")["dead_letters"]
    return [int(msgspec.json.decode(letter["body"])["n"]) for letter in found]


def drain(hub: RunningHub, timeout: float = 60) -> None:
    """Wait until nothing is left, in the queues and on the way to the disk."""

    def empty() -> bool:
        return all(row["backlog"] == 0 for row in hub.status()["consumers"].values() if row["state"] != "orphan")

    wait_until(empty, timeout, lambda: f"an empty backlog: {depths(hub)}")
    hub_status: Any = hub.status()["hub"]
    wait_until(lambda: hub.status()["hub"]["store"]["pending"] == 0, 20, f"the store: {hub_status['store']}")
    # Dead letters are counted at once, and read from the disk.
    rows = {name: row["dead_letters"] for name, row in hub.status()["consumers"].items() if row["state"] != "orphan"}
    wait_until(lambda: {name: len(letters(hub, name)) for name in rows} == rows, 20, "dead letters on the disk")


def depths(hub: RunningHub) -> dict[str, int]:
    """The backlog of each queue."""
    return {name: row["backlog"] for name, row in hub.status()["consumers"].items()}


def consistent(hub: RunningHub) -> None:
    """received == finished + dead + dropped + backlog, for each queue."""
    for name, row in hub.status()["consumers"].items():
        settled = row["finished"] + row["dead"] + row["dropped"]
        assert row["received"] == settled + row["backlog"], (name, row)
        assert row["dropped"] == 0, (name, row)
