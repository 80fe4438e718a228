"""The backends together, on a reactor whose clock stands still."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from hub.configuration.schema import Configuration, HubSettings, Part
from hub.configuration.section import Phase
from hub.enqueuer import Enqueuer
from hub.errors import ConfigError, HubError, MissingExtra
from hub.filestate import FileState
from hub.http.mounts import PluginMounts
from hub.interfaces import BackendContext, Intake
from hub.parts.backends import Backends
from hub.parts.flow_control import FlowControl
from hub.parts.parts import Parts
from hub.router import Router
from hub.store import Store
from hub.store.memory import MemoryStore
from hub.testing.stand_ins import declared_queues
from tests.unit.doubles import FakeReactor, RecordingBackend, backend_part, messages


class Lossy(RecordingBackend):
    holds_back = False


class Unmakeable(RecordingBackend):
    def __init__(self, context: BackendContext) -> None:
        raise HubError("it needs 'connect' or 'bind'")


class Hangs(RecordingBackend):
    def stop(self) -> Any:
        return Deferred()


def failing(error: HubError) -> type[RecordingBackend]:
    class Failing(RecordingBackend):
        def start(self, intake: Intake) -> Any:
            raise error

    return Failing


class Rig:
    """Backends on a reactor whose clock stands still, announced as a hub does before it starts them."""

    def __init__(self, store: Store | None = None, **classes: type[Any]) -> None:
        self.reactor, self.flow = FakeReactor(), FlowControl()
        kept = store or MemoryStore()
        enqueuer = Enqueuer(Router([]), kept, self.reactor.seconds, lambda: None)
        declared = declared_queues(enqueuer, kept)
        self.manager = Backends(self.flow, self.reactor, enqueuer, self.reactor.seconds, declared)
        self.parts = Parts({"backends": self.manager}, PluginMounts())
        self.begun = configuration_of({name: backend_part(name, cls) for name, cls in classes.items()})
        self.prepared = self.parts.prepare({"backends": self.begun.of("backends").values()})
        self.parts.announce(self.begun, self.prepared)

    def start(self) -> Deferred[list[str]]:
        return self.parts.start(Phase.SOURCES, self.begun, self.prepared)

    def apply(
        self, parts: dict[str, Part], removed: tuple[str, ...] = (), made: dict[str, Any] | None = None
    ) -> Deferred[list[str]]:
        made = made or {name: self.manager.prepare(part) for name, part in parts.items()}
        return self.parts.replace("backends", parts, made, removed)

    def stop(self) -> Deferred[None]:
        return self.parts.stop(Phase.SOURCES, 5.0)


def configuration_of(backends: dict[str, Part]) -> Configuration:
    nowhere = Path("/nonexistent")
    return Configuration(None, HubSettings(), nowhere, nowhere, {"backends": backends})


def backends_of(store: Store | None = None, **classes: type[Any]) -> tuple[Rig, FakeReactor, Any]:
    rig = Rig(store, **classes)
    return rig, rig.reactor, rig.manager.running


def start(rig: Rig) -> None:
    SynchronousTestCase().successResultOf(rig.start())


def test_each_backend_is_started_with_an_intake_of_its_own() -> None:
    rig, _, backends = backends_of(one=RecordingBackend, two=RecordingBackend)
    start(rig)
    assert backends["one"].intake is not backends["two"].intake


def test_what_the_store_has_is_confirmed_to_the_backend_it_came_from() -> None:
    rig, _, backends = backends_of(one=RecordingBackend, two=RecordingBackend)
    start(rig)
    backends["two"].intake.receive(messages(2), ["a", "b"])
    assert ("confirm", ["a", "b"]) in backends["two"].calls
    assert "confirm" not in [call for call, _ in backends["one"].calls]


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (HubError("address in use"), HubError, "backends.bus: address in use"),
        (ConfigError(["no key", "no name"]), ConfigError, "backends.bus: no key\nbackends.bus: no name"),
        (
            MissingExtra("AMQP", "amqp"),
            HubError,
            "backends.bus: AMQP needs an optional library: pip install 'hubbub[amqp]'",
        ),
    ],
)
def test_a_backend_that_can_not_start_says_which_it_is_and_why(
    error: HubError, kind: type[HubError], text: str
) -> None:
    rig, _, _ = backends_of(bus=failing(error))
    failure = SynchronousTestCase().failureResultOf(rig.start())
    assert failure.type is kind
    assert str(failure.value) == text


def test_a_backend_that_can_not_be_made_is_an_error_of_configuration() -> None:
    with pytest.raises(ConfigError, match=r"backends\.bus: it needs 'connect' or 'bind'"):
        backends_of(bus=Unmakeable)


def test_the_backends_holds_back_only_if_every_bus_does() -> None:
    assert backends_of(a=RecordingBackend, b=RecordingBackend)[0].flow.holds_back
    assert not backends_of(a=RecordingBackend, b=Lossy)[0].flow.holds_back


def test_all_subscribe_to_the_same_patterns() -> None:
    rig, _, backends = backends_of(a=RecordingBackend, b=RecordingBackend)
    rig.manager.subscribe(["x.#"])
    assert [backend.calls for backend in backends.values()] == [[("subscribe", ["x.#"])]] * 2


def test_stop_waits_for_all_but_not_longer_than_told() -> None:
    rig, reactor, backends = backends_of(a=RecordingBackend, b=Hangs)
    start(rig)
    done: list[object] = []
    rig.stop().addCallback(done.append)
    assert ("stop", None) in backends["a"].calls
    reactor.pump([0.1] * 40)
    assert done == []
    reactor.pump([0.1] * 20)
    assert done == [None]


def test_a_backend_that_never_started_is_not_stopped() -> None:
    rig, _, running = backends_of(a=RecordingBackend, b=failing(HubError("address in use")), c=RecordingBackend)
    backends = dict(running)
    SynchronousTestCase().failureResultOf(rig.start())
    SynchronousTestCase().successResultOf(rig.stop())
    assert [("stop", None) in backend.calls for backend in backends.values()] == [True, False, False]


def test_the_status_names_the_type_of_each() -> None:
    rig, _, _ = backends_of(bus=RecordingBackend)
    assert rig.manager.status() == {
        "bus": {"type": "recording", "state": "connected", "received": 0, "bytes": 0, "malformed": {}, "refused": 0}
    }


# -- reload


class Flexible(RecordingBackend):
    """Takes new settings while it runs."""

    def reconfigure(self, config: Any) -> bool:
        self.calls.append(("reconfigure", config))
        return True


class Stiff(RecordingBackend):
    def reconfigure(self, config: Any) -> bool:
        return False


def applied(rig: Rig, reactor: FakeReactor, removed: tuple[str, ...] = (), **classes: type[Any]) -> list[str]:
    done = rig.apply({name: backend_part(name, cls) for name, cls in classes.items()}, removed)
    reactor.pump([0.1] * 12)
    lines: list[str] = SynchronousTestCase().successResultOf(done)
    return lines


def test_a_reload_starts_what_is_new_and_stops_what_is_gone() -> None:
    rig, reactor, backends = backends_of(gone=RecordingBackend, kept=RecordingBackend)
    start(rig)
    rig.manager.subscribe(["x.#"])
    gone, kept = backends["gone"], backends["kept"]
    assert applied(rig, reactor, ("gone",), new=RecordingBackend) == []
    assert gone.calls[-1] == ("stop", None)
    assert kept.calls == [("start", None), ("subscribe", ["x.#"])]
    assert backends["new"].calls == [("subscribe", ["x.#"]), ("start", None)]
    assert list(rig.manager.status()) == ["kept", "new"]


@pytest.mark.parametrize("cls", [RecordingBackend, Stiff])
def test_one_that_changed_is_replaced(cls: type[Any]) -> None:
    rig, reactor, backends = backends_of(bus=cls)
    start(rig)
    old = backends["bus"]
    applied(rig, reactor, bus=cls)
    assert old.calls[-1] == ("stop", None)
    assert backends["bus"] is not old
    assert backends["bus"].intake is not None


def test_one_that_can_take_its_new_settings_goes_on() -> None:
    rig, reactor, backends = backends_of(bus=Flexible)
    start(rig)
    old = backends["bus"]
    applied(rig, reactor, bus=Flexible)
    assert backends["bus"] is old
    assert [name for name, _ in old.calls] == ["start", "reconfigure"]


def test_one_whose_secret_has_changed_is_replaced_as_it_has_read_it() -> None:
    rig, _, _ = backends_of(bus=Flexible)
    start(rig)
    part = rig.manager.parts["bus"]
    assert rig.manager.reconfigure(part)
    assert not rig.manager.reconfigure(replace(part, secrets={"password": FileState(1, 2, 3, 4)}))


def test_one_that_can_not_start_at_a_reload_is_named_and_not_there() -> None:
    rig, reactor, _ = backends_of(kept=RecordingBackend)
    start(rig)
    lines = applied(rig, reactor, bad=failing(HubError("address in use")), good=RecordingBackend)
    assert lines == ["backends.bad: address in use"]
    assert list(rig.manager.status()) == list(rig.manager.parts) == ["kept", "good"]


def test_one_that_does_not_start_with_its_new_settings_goes_on_with_the_old() -> None:
    rig, reactor, backends = backends_of(bus=RecordingBackend)
    start(rig)
    rig.manager.subscribe(["x.#"])
    old, part = backends["bus"], rig.manager.parts["bus"]
    rig.flow.hold("disk", "the disk is full")
    lines = applied(rig, reactor, bus=failing(HubError("address in use")))
    assert lines == ["backends.bus: address in use; it keeps its old settings"]
    assert old.calls[-1] == ("stop", None)
    assert backends["bus"].calls == [("subscribe", ["x.#"]), ("start", None), ("pause", None)]
    assert rig.manager.parts == {"bus": part}


class Unable(RecordingBackend):
    """Needs an address that is in use, at the first so many attempts."""

    failures = 99

    def reconfigure(self, config: Any) -> bool:
        self.calls.append(("reconfigure", config))
        if self.calls.count(("reconfigure", config)) <= self.failures:
            raise HubError("address in use")
        return True


class Late(Unable):
    failures = 1


def test_one_that_can_not_take_its_new_settings_goes_on_with_the_old() -> None:
    rig, reactor, backends = backends_of(bus=Unable)
    start(rig)
    old, part = backends["bus"], rig.manager.parts["bus"]
    assert applied(rig, reactor, bus=Unable) == ["backends.bus: address in use; it keeps its old settings"]
    assert (backends["bus"], rig.manager.parts["bus"]) == (old, part)
    assert ("stop", None) not in old.calls


def test_one_that_needs_what_another_lets_go_takes_its_new_settings() -> None:
    rig, reactor, backends = backends_of(bus=Late, gone=RecordingBackend)
    start(rig)
    old, part = backends["bus"], rig.manager.parts["bus"]
    assert applied(rig, reactor, ("gone",), bus=Late) == []
    assert [name for name, _ in old.calls] == ["start", "reconfigure", "reconfigure"]
    assert rig.manager.parts["bus"] is not part


def test_what_is_started_while_the_buses_are_held_back_is_held_back_too() -> None:
    rig, reactor, backends = backends_of(kept=RecordingBackend)
    start(rig)
    rig.flow.hold("disk", "the disk is full")
    applied(rig, reactor, new=RecordingBackend)
    assert backends["new"].calls[-1] == ("pause", None)


def test_a_drained_hub_takes_nothing_in_at_its_start() -> None:
    rig, _, backends = backends_of(a=RecordingBackend, b=RecordingBackend)
    rig.flow.draining = True
    start(rig)
    assert [backend.calls[-2:] for backend in backends.values()] == [[("start", None), ("pause", None)]] * 2


class Buggy(RecordingBackend):
    def start(self, intake: Intake) -> Any:
        raise KeyError("its own mistake")


def test_a_backend_with_a_bug_does_not_end_a_reload_half_way() -> None:
    rig, reactor, _ = backends_of(kept=RecordingBackend)
    start(rig)
    lines = applied(rig, reactor, bad=Buggy, good=RecordingBackend)
    assert lines == ["backends.bad: KeyError: 'its own mistake'"]
    assert list(rig.manager.status()) == ["kept", "good"]


# -- a reload that meets what it should not


class Raises(RecordingBackend):
    def reconfigure(self, config: object) -> bool:
        raise ValueError("somebody else's bug")


def test_one_that_fails_to_take_its_settings_goes_on_and_the_others_are_changed() -> None:
    rig, reactor, backends = backends_of(a=Raises, b=RecordingBackend)
    start(rig)
    old, parts = dict(backends), {"a": backend_part("a", Raises, "v2"), "b": backend_part("b", RecordingBackend, "v2")}
    made = {name: rig.manager.prepare(part) for name, part in parts.items()}
    done: list[object] = []
    rig.apply(parts, made=made).addCallback(done.append)
    reactor.pump([0.1] * 5)
    assert done == [["backends.a: ValueError: somebody else's bug; it keeps its old settings"]]
    assert (backends["a"], backends["b"]) == (old["a"], made["b"])
    assert [rig.manager.parts[name].plugin.fingerprint for name in ("a", "b")] == ["v1", "v2"]


def test_no_backend_starts_once_all_were_told_to_stop() -> None:
    rig, reactor, _ = backends_of(a=Hangs)
    start(rig)
    part = backend_part("a", Hangs, "v2")
    made = rig.manager.prepare(part)
    assert isinstance(made, Hangs)
    done: list[object] = []
    rig.apply({"a": part}, made={"a": made}).addCallback(done.append)
    rig.stop()
    reactor.pump([0.1] * 60)
    assert done == [["the hub stops; it does not start with its old settings either: the hub stops"]]
    assert made.calls == []
