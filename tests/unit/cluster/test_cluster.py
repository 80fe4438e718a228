"""A hub's view of its cluster: it announces itself, hears others, and tells what it knows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail

from hub.cluster.cluster import Cluster, Config, default_node
from hub.cluster.own import queues_of, reasons_of
from hub.cluster.seal import Seal
from hub.cluster_access import ClusterContext
from hub.errors import ConfigError, Unavailable
from hub.message import Message
from hub.status.catalogue import metrics
from tests.unit.cluster.news import WALL, A, announcement, queue
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

    def __init__(self, directory: Path, **settings: Any) -> None:
        self.now = 0.0
        self.sent: list[bytes] = []
        self.answer: Callable[[], Deferred[None] | None] = lambda: None
        self.deaf: str | None = None
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
            )
        )

    def _send(self, topic: str, body: bytes) -> Deferred[None] | None:
        assert topic == "hubbub.cluster"
        self.sent.append(body)
        return self.answer()

    def hear(self, body: bytes, backend: str = "bus") -> None:
        self.view.hear([Message("1", "hubbub.cluster", body, backend=backend)])

    @property
    def status(self) -> Any:
        return self.view.status()


@pytest.fixture
def bus(tmp_path: Path) -> Bus:
    made = Bus(tmp_path)
    made.view.start()
    return made


def told(seal: Seal, **more: Any) -> bytes:
    return seal.close(announcement(**more))


OPEN = Seal("hubbub.cluster", None)


def test_it_announces_its_queues_and_shows_itself(bus: Bus) -> None:
    bus.view.announce()
    (body,) = bus.sent
    own = OPEN.open(body)
    assert (own.node, own.start, own.number, own.queues[0].name, own.queues[0].backlog) == ("own", OWN, 1, "mail", 4)
    node = bus.status["nodes"]["own"]
    assert (node["own"], node["state"], node["backlog"], node["ready"]) == (True, "present", 4, True)
    assert (bus.status["announced"], bus.status["backlog"], bus.status["nodes_present"]) == (1, 4, 1)


def test_it_sums_what_others_announce(bus: Bus) -> None:
    bus.hear(told(OPEN, queues=[queue("mail", 100, 90), queue("irc")]))
    bus.view.announce()
    status = bus.status
    assert (status["queues"]["mail"]["backlog"], status["queues"]["irc"]["backlog"], status["backlog"]) == (14, 6, 20)
    assert (status["heard"], status["nodes_present"]) == (1, 2)
    bus.now = 10.0
    bus.view.check()
    bus.view.announce()
    status = bus.status
    assert (status["nodes_vanished"], status["backlog"], status["nodes"]["alpha"]["state"]) == (1, 4, "vanished")
    assert not status["nodes"]["alpha"]["ready"]


def test_an_announcement_waits_for_nothing(bus: Bus) -> None:
    waiting: Deferred[None] = Deferred()
    bus.answer = lambda: waiting
    bus.view.announce()
    bus.view.announce()
    bus.view.announce()
    assert len(bus.sent) == 1
    waiting.callback(None)
    bus.answer = lambda: None
    bus.view.announce()
    assert OPEN.open(bus.sent[-1]).number == 4
    assert (bus.status["announced"], bus.status["not_announced"]) == (2, 2)


def test_a_hub_that_hears_nothing_announces_itself_and_judges_nobody(bus: Bus) -> None:
    bus.hear(told(OPEN))
    bus.deaf = "this hub holds its buses back"
    bus.now = 100.0
    bus.view.check()
    bus.view.announce()
    assert [OPEN.open(body).number for body in bus.sent] == [1]
    status = bus.status
    assert (status["state"], status["deaf_because"], status["announced"]) == ("deaf", bus.deaf, 1)
    assert status["nodes"]["alpha"]["state"] == "present"


def test_of_a_bus_that_is_away_nothing_is_made_up_for_and_its_backend_tells(bus: Bus) -> None:
    bus.deaf, bus.answer = "no connection", lambda: fail(Unavailable("away"))
    bus.view.announce()
    assert (bus.status["not_announced"], bus.status["last_error"]) == (1, "Unavailable: away")
    assert not any("can't announce" in line for line in bus.log.lines())
    bus.deaf = None
    bus.view.announce()
    assert any("can't announce" in line for line in bus.log.lines())


def test_a_bus_that_takes_none_is_told_once(bus: Bus) -> None:
    bus.answer = lambda: fail(Unavailable("away"))
    bus.view.announce()
    bus.view.announce()
    assert bus.status["last_error"] == "Unavailable: away"
    assert len([line for line in bus.log.lines() if "can't announce" in line]) == 1
    bus.answer = lambda: None
    bus.view.announce()
    assert bus.status["last_error"] is None


def test_it_says_that_it_leaves(bus: Bus) -> None:
    bus.view.leave()
    assert OPEN.open(bus.sent[-1]).leaving


def test_what_can_not_be_trusted_is_counted_and_told_once_a_while(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY + "\n")
    bus = Bus(tmp_path, key=f"file:{tmp_path / 'key'}")
    bus.view.start()
    signed = Seal("hubbub.cluster", KEY.encode())
    bus.hear(told(signed, node="beta", start=A))
    for _ in range(3):
        bus.hear(told(Seal("hubbub.cluster", b"another key, another key")))
    bus.hear(told(OPEN))
    bus.hear(told(signed), backend="other")
    bus.hear(told(signed, number=1))
    assert bus.status["refused"] == {"forged": 3, "unsigned": 1, "elsewhere": 1, "replayed": 1}
    assert list(bus.status["nodes"]) == ["beta"]
    assert len([line for line in bus.log.lines() if "(forged)" in line]) == 1
    bus.now = 61.0
    bus.view.check()
    assert any("2 further announcements refused (forged)" in line for line in bus.log.lines())
    assert bus.status["signed"]
    assert not any("not signed: whoever" in line for line in bus.log.lines())


def test_nothing_is_heard_before_the_key_is_known(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY + "\n")
    bus = Bus(tmp_path, key=f"file:{tmp_path / 'key'}")
    bus.hear(told(OPEN))
    bus.view.start()
    assert (bus.status["nodes"], bus.status["heard"], bus.status["refused"]) == ({}, 0, {})
    bus.hear(told(Seal("hubbub.cluster", KEY.encode())))
    assert list(bus.status["nodes"]) == ["alpha"]


def test_a_key_that_is_too_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("short")
    with pytest.raises(ConfigError, match="at least 16 characters"):
        Bus(tmp_path, key=f"file:{tmp_path / 'key'}").view.start()


def test_without_a_key_it_says_what_that_means(bus: Bus) -> None:
    assert any("announcements are not signed: whoever can publish to backend bus" in line for line in bus.log.lines())


def test_a_crowded_catalogue_has_all_numbers(bus: Bus) -> None:
    bus.hear(told(OPEN, queues=[queue("mail")]))
    bus.view.announce()
    readings = {(m.section, m.key, name) for m, name, _ in metrics({"clusters": {"main": bus.status}})}
    assert ("clusters", "nodes_vanished", "main") in readings
    assert ("nodes", "state", "main/alpha") in readings
    assert ("queues", "backlog", "main/mail") in readings


def test_hubs_of_one_machine_have_names_of_their_own() -> None:
    assert default_node("box", Path("/var/lib/hubbub")) == "box"
    assert default_node("box", Path("/srv/a/state")) == "box:/srv/a/state"


def test_what_a_hub_says_of_itself() -> None:
    status: dict[str, Any] = {
        "hub": {"not_ready": ["consumer mail is failing to start: KeyError: 'secret'"]},
        "consumers": {
            "jobs": row(received=5, backlog=5, rate_in=-1e-9),
            "one": row(received=20, backlog=5, dropped=4, dropped_by={"newest": 1, "drained": 1, "oldest": 2}),
            "client": row(summed_in="clients"),
            "odd": row(received=3, backlog=5),
        },
    }
    jobs, one, odd = queues_of(status, {"jobs"})
    assert (jobs.shared, jobs.rate_in, one.shared) == (True, 0.0, False)
    assert (one.settled, one.dropped, one.dropped_on_arrival) == (15, 4, 2)
    assert odd.backlog == 3
    assert reasons_of(status) == ["consumer mail is failing to start"]
