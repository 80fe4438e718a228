"""The manager of views of clusters: topics that are reserved, and a bus that fails."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from hub.cluster.seal import Seal
from hub.errors import HubError
from hub.parts.clusters import Clusters
from hub.subscriptions import Subscriptions
from tests.unit.configuration.configurations import configure

result_of = SynchronousTestCase().successResultOf


class Bus:
    """A backend. ``failure``: what each of its methods raises."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.published: list[Any] = []

    def publish(self, message: Any) -> None:
        if self.failure is not None:
            raise self.failure
        self.published.append(message)

    def status(self) -> dict[str, Any]:
        if self.failure is not None:
            raise self.failure
        return {"state": "connected"}


class Hub:
    def __init__(self, directory: Path) -> None:
        self.directory, self.bus = directory, Bus()
        snapshot = {"hub": {"state": "running", "not_ready": []}, "consumers": {}}
        clock = Clock()
        self.reserved: dict[str, Any] = {}
        self.flow = SimpleNamespace(backends={"bus": self.bus}, paused=False)
        resources: Any = SimpleNamespace(
            reactor=clock,
            runtime=SimpleNamespace(monotonic=clock.seconds, wall=lambda: 1.8e9 + clock.seconds()),
            state_dir=directory,
            snapshot=lambda: snapshot,
            queues=SimpleNamespace(jobs={}),
            flow=self.flow,
            publisher=SimpleNamespace(message=lambda topic, body, headers: (topic, body)),
            enqueuer=SimpleNamespace(reserved=self.reserved, subscriptions=Subscriptions()),
            periodic=SimpleNamespace(begin=lambda call, every: SimpleNamespace(running=True, stop=lambda: None)),
        )
        self.clusters = Clusters(resources, map("{:032x}".format, count()).__next__)

    def part(self, name: str, topic: str = "t") -> Any:
        text = f'[backends.bus]\ntype = "memory"\n[clusters.{name}]\nbackend = "bus"\ntopic = "{topic}"\n'
        return configure(self.directory, text).of("clusters")[name]

    def start(self, name: str = "main", topic: str = "t") -> None:
        part = self.part(name, topic)
        self.clusters.start(part, self.clusters.prepare(part))


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    made = Hub(tmp_path)
    made.start()
    return made


def announced(hub: Hub) -> list[Any]:
    return [Seal(topic).open(body) for topic, body in hub.bus.published]


def test_a_reload_is_told_as_one_and_a_stop_as_one(hub: Hub) -> None:
    part = hub.part("main")
    successor = hub.clusters.prepare(part)
    result_of(hub.clusters.retire(["main"]))
    hub.clusters.start(part, successor)
    result_of(hub.clusters.stop(1.0))
    first, left, second, stopped = announced(hub)
    assert (left.leaving, left.reload, left.start) == (True, True, first.start)
    assert (second.follows, second.start != first.start, first.follows) == (first.start, True, None)
    assert (stopped.leaving, stopped.reload) == (True, False)


def test_a_part_that_went_is_followed_by_none(hub: Hub) -> None:
    result_of(hub.clusters.retire(["main"]))
    hub.clusters.remove(["main"])
    hub.start()
    assert announced(hub)[-1].follows is None


def test_a_topic_stays_reserved_until_a_successor_has_another(hub: Hub) -> None:
    assert [topic for topic, _ in hub.bus.published] == ["t"]
    result_of(hub.clusters.retire(["main"]))
    assert len(hub.bus.published) == 2
    hub.reserved["t"]([])
    assert list(hub.reserved) == ["t"]
    hub.start(topic="u")
    assert list(hub.reserved) == ["u"]
    result_of(hub.clusters.retire(["main"]))
    hub.clusters.remove(["main"])
    assert hub.reserved == {}


def test_topics_that_are_exchanged_stay_reserved_each_for_its_view(hub: Hub) -> None:
    hub.start("other", "u")
    result_of(hub.clusters.retire(["main", "other"]))
    hub.start("main", "u")
    hub.start("other", "t")
    main, other = (hub.clusters.running[name] for name in ("main", "other"))
    assert hub.reserved == {"u": main.hear, "t": other.hear}
    result_of(hub.clusters.retire(["other"]))
    hub.clusters.remove(["other"])
    assert hub.reserved == {"u": main.hear}


def test_a_hub_that_holds_its_buses_back_goes_on_announcing_itself(hub: Hub) -> None:
    hub.flow.paused = True
    view = hub.clusters.running["main"]
    view.check()
    view.announce()
    assert [topic for topic, _ in hub.bus.published] == ["t", "t"]
    row = hub.clusters.status()["main"]
    assert (row["deaf_because"], row["announced"]) == ("this hub holds its buses back", 2)


def test_two_views_do_not_share_a_topic(hub: Hub) -> None:
    with pytest.raises(HubError, match="the topic t is that of"):
        hub.start("other")
    assert list(hub.clusters.status()) == ["main"]


def test_a_backend_that_fails_is_told_and_ends_nothing(tmp_path: Path) -> None:
    hub = Hub(tmp_path)
    hub.bus.failure = RuntimeError("a bug")
    hub.start()
    row = hub.clusters.status()["main"]
    assert (row["state"], row["deaf_because"]) == ("deaf", "backend 'bus' fails: RuntimeError: a bug")
    hub.clusters.running["main"].leave(stops=True)
    assert "backend 'bus' fails" in hub.clusters.status()["main"]["last_error"]
