"""What backends are asked for, and what their messages pass on the way in."""

from __future__ import annotations

from typing import Any

import pytest

from hub.configuration.schema import BackendSettings, Part
from hub.errors import ConfigError
from hub.pipeline import Checks
from hub.plugins import Plugin
from hub.settings import Settings
from tests.unit.doubles import RecordingBackend, message
from tests.unit.parts.test_backends import backends_of, start
from tests.unit.stages import MemoryStage, SteppedPool


def test_a_pattern_that_several_want_is_asked_for_until_the_last_one_wants_it_no_more() -> None:
    rig, _, backends = backends_of(bus=RecordingBackend)
    rig.manager.subscribe(["x.#", "y"])
    context = backends["bus"].context
    client = context.subscribe(["x.#", "z"], lambda batch: None)
    rig.manager.subscribe(["y", "w"])
    client.cancel()
    calls = [("subscribe", ["x.#", "y"]), ("subscribe", ["z"]), ("subscribe", ["w"])]
    assert backends["bus"].calls[:3] == calls
    assert sorted(backends["bus"].calls[3:]) == [("unsubscribe", ["x.#"]), ("unsubscribe", ["z"])]


def test_messages_of_a_backend_that_has_checks_pass_them_before_they_are_taken_in_and_a_stop_waits_for_that() -> None:
    rig, _, backends = backends_of(bus=RecordingBackend, other=RecordingBackend)
    pool = SteppedPool()
    rig.manager.checks_of = lambda part: Checks([MemoryStage()], pool.run) if part.name == "bus" else None
    start(rig)
    received = rig.manager._enqueuer.counters
    for backend in backends.values():
        backend.intake.receive([message(1), message(2, "drop.x")])
    assert received.received == 2
    stopped: list[object] = []
    rig.stop().addCallback(stopped.append)
    assert stopped == []
    pool.step()
    assert (received.received, received.refused, len(stopped)) == (3, 1, 1)
    assert rig.manager.status()["bus"]["checks"] == {"waiting": 0, "dropped": {"dropped by memory": 1}, "buried": 0}
    assert "checks" not in rig.manager.status()["other"]


def told_after_work(name: str, cls: type[Any]) -> Part:
    return Part(name, Plugin(cls, "v1"), BackendSettings(type="recording", confirm="settled"), Settings())


class Silent(RecordingBackend):
    confirms = False


class Flexible(RecordingBackend):
    def reconfigure(self, config: Any) -> bool:
        raise AssertionError("its intake is another one")


def test_a_bus_without_confirmations_can_not_be_told_after_the_work() -> None:
    rig, _, _ = backends_of()
    with pytest.raises(ConfigError, match=r"backends\.bus\.confirm: .* no sender on this bus waits"):
        rig.manager.prepare(told_after_work("bus", Silent))


def test_a_reload_that_changes_when_a_bus_is_told_replaces_its_backend() -> None:
    rig, reactor, backends = backends_of(bus=Flexible)
    start(rig)
    old = backends["bus"]
    rig.apply({"bus": told_after_work("bus", Flexible)})
    reactor.pump([0.1] * 3)
    assert (old.calls[-1], backends["bus"] is old) == (("stop", None), False)
    assert rig.manager.status()["bus"]["unconfirmed"] == 0


def test_only_those_that_are_told_after_the_work_are_paused_before_the_workers_stop() -> None:
    rig, reactor, backends = backends_of(one=RecordingBackend, other=RecordingBackend)
    start(rig)
    assert not rig.manager.pause_told_after_work()
    rig.apply({"other": told_after_work("other", RecordingBackend)})
    reactor.pump([0.1] * 3)
    assert rig.manager.pause_told_after_work()
    assert [backend.calls[-1] for backend in backends.values()] == [("start", None), ("pause", None)]
