"""A hub's view of its cluster, on a bus of the tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from hub.cluster.cluster import Cluster, Config
from hub.cluster.seal import Seal
from hub.cluster_access import ClusterContext
from hub.message import Message
from tests.unit.cluster.news import WALL, announcement
from tests.unit.doubles import RecordingLog

KEY = "a key of enough characters"
OWN = "0" * 32


def row(**more: Any) -> dict[str, Any]:
    numbers = dict.fromkeys(("received", "backlog", "dropped", "in_flight", "delayed", "dead_letters"), 0)
    rest: dict[str, Any] = {
        "dropped_by": {},
        "consume_histogram": None,
        "threads": 1,
        "paused": False,
        "oldest_age": None,
    }
    rates = {"rate_in": None, "rate_out": None, "catch_up_seconds": None, "trend": None, "summed_in": None}
    return {**numbers, **rest, **rates, **more}


class Bus:
    """What a view is given: a bus, clocks and a status."""

    def __init__(self, directory: Path, follows: str | None = None, **settings: Any) -> None:
        self.now = 0.0
        self.sent: list[bytes] = []
        self.answer: Callable[[], Deferred[None] | None] = lambda: None
        self.deaf: str | None = None
        self.echoes = False
        self.log = RecordingLog()
        hub = {"state": "running", "not_ready": []}
        self.snapshot: dict[str, Any] = {"hub": hub, "consumers": {"mail": row(received=9, backlog=4)}}
        self.view = Cluster(
            ClusterContext(
                "main",
                Config.model_validate({"backend": "bus", "node": "own", **settings}),
                self.log,
                lambda: self.now,
                lambda: WALL + self.now,
                OWN,
                directory,
                lambda: self.snapshot,
                lambda: frozenset({"jobs"}),
                self._send,
                lambda: self.deaf,
                lambda: self.echoes,
                follows,
            )
        )

    def _send(self, topic: str, body: bytes) -> Deferred[None] | None:
        assert topic == "hubbub.cluster"
        self.sent.append(body)
        return self.answer()

    def pass_time(self, until: float, *hear: str) -> None:
        """Look every second, and announce every three. :param hear: names of nodes that announce themselves with it,
        and ``own``: what this hub announces comes back."""
        while self.now < until:
            self.now += 1.0
            if self.now % 3 == 0:
                self.view.announce()
                self.speak(*hear)
            self.view.check()

    def speak(self, *names: str) -> None:
        """Have nodes announce themselves."""
        for name in names:
            number = int(self.now) + 10
            self.hear(self.sent[-1] if name == "own" else told(OPEN, node=name, start=name[0] * 32, number=number))

    def hear(self, body: bytes, backend: str = "bus") -> None:
        self.view.hear([Message("1", "hubbub.cluster", body, backend=backend)])

    @property
    def status(self) -> Any:
        return self.view.status()


def told(seal: Seal, **more: Any) -> bytes:
    return seal.close(announcement(**more))


OPEN = Seal("hubbub.cluster")
