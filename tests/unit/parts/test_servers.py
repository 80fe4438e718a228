"""The servers together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from hub.configuration.schema import Part, ServerSettings
from hub.errors import ConfigError, HubError
from hub.http.mounts import PluginMounts
from hub.interfaces import ServerContext
from hub.parts.parts import Parts
from hub.parts.servers import STOP_TIMEOUT, Servers
from hub.plugins import Plugin
from hub.settings import Settings
from tests.unit.doubles import FakeReactor, RecordingLog
from tests.unit.monitoring.web.web_server import RecordingAudit

result_of = SynchronousTestCase().successResultOf


class Recorder:
    Config = Settings

    def __init__(self, context: ServerContext) -> None:
        self.context = context
        self.calls: list[str] = []

    def start(self) -> Any:
        self.calls.append("start")

    def stop(self) -> Any:
        self.calls.append("stop")

    def status(self) -> Mapping[str, Any]:
        return {"state": "listening"}


class Unmakeable(Recorder):
    def __init__(self, context: ServerContext) -> None:
        raise HubError("its token can't be read")


class InUse(Recorder):
    def start(self) -> Any:
        raise HubError("the address is in use")


class Hangs(Recorder):
    def stop(self) -> Any:
        return Deferred()


class FailsToStop(Recorder):
    def stop(self) -> Any:
        raise OSError("gone already")


def part(name: str, cls: type[Any] = Recorder) -> Part:
    return Part(name, Plugin(cls, "v1"), ServerSettings(type="recorder"), Settings())


def servers() -> tuple[Servers, FakeReactor]:
    reactor = FakeReactor()

    def context(part: Part) -> ServerContext:
        log, snapshot = RecordingLog(), dict[str, Any]
        given = (reactor, log, reactor.seconds, Path(), snapshot)
        return ServerContext(part.name, part.config, *given, [], dict, RecordingAudit())

    return Servers(reactor, context), reactor


def running(made: Servers, name: str, cls: type[Any] = Recorder) -> Any:
    server = made.prepare(part(name, cls))
    result_of(made.start(part(name, cls), server))
    return server


def test_one_that_runs_is_in_the_status_with_its_type() -> None:
    made, _ = servers()
    running(made, "web")
    assert made.status() == {"web": {"type": "recorder", "state": "listening"}}


def test_one_that_can_not_be_made_is_an_error_of_configuration() -> None:
    with pytest.raises(ConfigError, match=r"servers\.web: its token can't be read"):
        servers()[0].prepare(part("web", Unmakeable))


def test_one_that_can_not_start_says_which_and_why() -> None:
    made, _ = servers()
    failure = SynchronousTestCase().failureResultOf(made.start(part("web", InUse), made.prepare(part("web", InUse))))
    assert str(failure.value) == "servers.web: the address is in use"
    assert made.status() == {}


def test_a_reload_stops_what_goes_and_starts_what_comes() -> None:
    made, reactor = servers()
    old, other = running(made, "web"), running(made, "other")
    fresh: Any = made.prepare(part("web"))
    done = replace(made, {"web": part("web")}, {"web": fresh}, ["other"])
    reactor.pump([0.1] * 3)
    assert result_of(done) == []
    assert (old.calls, other.calls, fresh.calls) == (["start", "stop"], ["start", "stop"], ["start"])
    assert made.running == {"web": fresh}


class Counting(Recorder):
    def status(self) -> dict[str, Any]:
        return {"state": "listening", "wrong_tokens": 2, "connections": 1}


def test_the_counts_of_one_that_is_replaced_stay() -> None:
    made, reactor = servers()
    running(made, "web", Counting)
    done = replace(made, {"web": part("web", Counting)}, {"web": made.prepare(part("web", Counting))}, [])
    reactor.pump([0.1] * 3)
    assert result_of(done) == []
    assert (made.status()["web"]["wrong_tokens"], made.status()["web"]["connections"]) == (4, 1)


def test_one_that_can_not_start_at_a_reload_is_named_and_the_others_start() -> None:
    made, reactor = servers()
    parts = {"bad": part("bad", InUse), "good": part("good")}
    done = replace(made, parts, {name: made.prepare(one) for name, one in parts.items()}, [])
    reactor.pump([0.1] * 3)
    assert result_of(done) == ["servers.bad: the address is in use"]
    assert set(made.running) == {"good"}


def test_one_that_does_not_start_with_its_new_settings_goes_on_with_the_old() -> None:
    made, reactor = servers()
    old, before = running(made, "web"), made.parts["web"]
    done = replace(made, {"web": part("web", InUse)}, {"web": made.prepare(part("web", InUse))}, [])
    reactor.pump([0.1] * 3)
    assert result_of(done) == ["servers.web: the address is in use; it keeps its old settings"]
    assert (old.calls, made.running["web"].calls) == (["start", "stop"], ["start"])  # type: ignore[attr-defined]
    assert made.parts == {"web": before}


def replace(made: Servers, parts: dict[str, Part], prepared: dict[str, Any], removed: list[str]) -> Deferred[list[str]]:
    return Parts({"servers": made}, PluginMounts()).replace("servers", parts, prepared, removed)


@pytest.mark.parametrize("cls", [Hangs, FailsToStop])
def test_one_that_does_not_stop_is_left_behind(cls: type[Any]) -> None:
    made, reactor = servers()
    running(made, "bad", cls)
    good = running(made, "good")
    done = made.retire(["bad", "good", "nobody"])
    reactor.pump([0.1] * int(STOP_TIMEOUT * 10 + 2))
    assert result_of(done) is None
    assert (good.calls, made.running) == (["start", "stop"], {})
