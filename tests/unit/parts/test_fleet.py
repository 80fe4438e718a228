"""The backends together, on a reactor whose clock stands still."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from hub.enqueuer import Enqueuer
from hub.errors import ConfigError, HubError, MissingExtra
from hub.interfaces import BackendContext, Intake
from hub.parts.fleet import Fleet
from hub.router import Router
from hub.store import Store
from hub.store.memory import MemoryStore
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


def fleet_of(store: Store | None = None, **classes: type[RecordingBackend]) -> tuple[Fleet, FakeReactor, Any]:
    reactor = FakeReactor()
    enqueuer = Enqueuer(Router([]), store or MemoryStore(), reactor.seconds, lambda: None)
    parts = {name: backend_part(name, cls) for name, cls in classes.items()}
    fleet = Fleet(parts, reactor, enqueuer, reactor.seconds)
    return fleet, reactor, fleet.backends


def start(fleet: Fleet) -> None:
    SynchronousTestCase().successResultOf(fleet.start())


def test_each_backend_is_started_with_an_intake_of_its_own() -> None:
    fleet, _, backends = fleet_of(one=RecordingBackend, two=RecordingBackend)
    start(fleet)
    assert backends["one"].intake is not backends["two"].intake


def test_what_the_store_has_is_confirmed_to_the_backend_it_came_from() -> None:
    fleet, _, backends = fleet_of(one=RecordingBackend, two=RecordingBackend)
    start(fleet)
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
    fleet, _, _ = fleet_of(bus=failing(error))
    failure = SynchronousTestCase().failureResultOf(fleet.start())
    assert failure.type is kind
    assert str(failure.value) == text


def test_a_backend_that_can_not_be_made_is_an_error_of_configuration() -> None:
    with pytest.raises(ConfigError, match=r"backends\.bus: it needs 'connect' or 'bind'"):
        fleet_of(bus=Unmakeable)


def test_the_fleet_holds_back_only_if_every_bus_does() -> None:
    assert fleet_of(a=RecordingBackend, b=RecordingBackend)[0].holds_back
    assert not fleet_of(a=RecordingBackend, b=Lossy)[0].holds_back


def test_holding_back_pauses_all_once_and_letting_go_resumes_them() -> None:
    fleet, _, backends = fleet_of(a=RecordingBackend, b=RecordingBackend)
    fleet.let_go()
    fleet.hold_back("a queue is full")
    fleet.hold_back("the disk is full")
    assert fleet.held_back_by == "the disk is full"
    fleet.let_go()
    fleet.let_go()
    assert [backend.calls for backend in backends.values()] == [[("pause", None), ("resume", None)]] * 2


def test_all_subscribe_to_the_same_patterns() -> None:
    fleet, _, backends = fleet_of(a=RecordingBackend, b=RecordingBackend)
    fleet.subscribe(["x.#"])
    assert [backend.calls for backend in backends.values()] == [[("subscribe", ["x.#"])]] * 2


def test_stop_waits_for_all_but_not_longer_than_told() -> None:
    fleet, reactor, backends = fleet_of(a=RecordingBackend, b=Hangs)
    start(fleet)
    done: list[object] = []
    fleet.stop(5.0).addCallback(done.append)
    assert ("stop", None) in backends["a"].calls
    reactor.pump([0.1] * 40)
    assert done == []
    reactor.pump([0.1] * 20)
    assert done == [None]


def test_a_backend_that_never_started_is_not_stopped() -> None:
    fleet, _, backends = fleet_of(a=RecordingBackend, b=failing(HubError("address in use")), c=RecordingBackend)
    SynchronousTestCase().failureResultOf(fleet.start())
    SynchronousTestCase().successResultOf(fleet.stop(5.0))
    assert [("stop", None) in backend.calls for backend in backends.values()] == [True, False, False]


def test_the_status_names_the_type_of_each() -> None:
    fleet, _, _ = fleet_of(bus=RecordingBackend)
    assert fleet.status() == {
        "bus": {"type": "recording", "state": "connected", "received": 0, "bytes": 0, "malformed": {}, "refused": 0}
    }


# -- drained by an operator


def test_a_drain_pauses_all_and_its_end_resumes_them() -> None:
    fleet, _, backends = fleet_of(a=RecordingBackend)
    fleet.drain(True)
    fleet.drain(True)
    fleet.drain(False)
    fleet.drain(False)
    assert backends["a"].calls == [("pause", None), ("resume", None)]


def test_a_full_queue_in_a_drain_changes_nothing_and_the_last_of_the_two_reasons_lets_go() -> None:
    fleet, _, backends = fleet_of(a=RecordingBackend)
    fleet.drain(True)
    fleet.hold_back("a queue is full")
    fleet.let_go()
    assert backends["a"].calls == [("pause", None)]
    fleet.hold_back("a queue is full")
    fleet.drain(False)
    assert backends["a"].calls == [("pause", None)]
    fleet.let_go()
    assert backends["a"].calls == [("pause", None), ("resume", None)]


# -- reload


class Flexible(RecordingBackend):
    """Takes new settings while it runs."""

    def reconfigure(self, config: Any) -> bool:
        self.calls.append(("reconfigure", config))
        return True


class Stiff(RecordingBackend):
    def reconfigure(self, config: Any) -> bool:
        return False


def applied(fleet: Fleet, reactor: FakeReactor, removed: tuple[str, ...] = (), **classes: type[Any]) -> list[str]:
    parts = {name: backend_part(name, cls) for name, cls in classes.items()}
    done = fleet.apply(parts, {name: fleet.make(part) for name, part in parts.items()}, removed, 1.0)
    reactor.pump([0.1] * 12)
    lines: list[str] = SynchronousTestCase().successResultOf(done)
    return lines


def test_a_reload_starts_what_is_new_and_stops_what_is_gone() -> None:
    fleet, reactor, backends = fleet_of(gone=RecordingBackend, kept=RecordingBackend)
    start(fleet)
    fleet.subscribe(["x.#"])
    gone, kept = backends["gone"], backends["kept"]
    assert applied(fleet, reactor, ("gone",), new=RecordingBackend) == []
    assert gone.calls[-1] == ("stop", None)
    assert kept.calls == [("start", None), ("subscribe", ["x.#"])]
    assert backends["new"].calls == [("subscribe", ["x.#"]), ("start", None)]
    assert list(fleet.status()) == ["kept", "new"]


@pytest.mark.parametrize("cls", [RecordingBackend, Stiff])
def test_one_that_changed_is_replaced(cls: type[Any]) -> None:
    fleet, reactor, backends = fleet_of(bus=cls)
    start(fleet)
    old = backends["bus"]
    applied(fleet, reactor, bus=cls)
    assert old.calls[-1] == ("stop", None)
    assert backends["bus"] is not old
    assert backends["bus"].intake is not None


def test_one_that_can_take_its_new_settings_goes_on() -> None:
    fleet, reactor, backends = fleet_of(bus=Flexible)
    start(fleet)
    old = backends["bus"]
    applied(fleet, reactor, bus=Flexible)
    assert backends["bus"] is old
    assert [name for name, _ in old.calls] == ["start", "reconfigure"]


def test_one_that_can_not_start_at_a_reload_is_named_and_not_there() -> None:
    fleet, reactor, _ = fleet_of(kept=RecordingBackend)
    start(fleet)
    lines = applied(fleet, reactor, bad=failing(HubError("address in use")), good=RecordingBackend)
    assert lines == ["backends.bad: address in use"]
    assert list(fleet.status()) == list(fleet.parts) == ["kept", "good"]


def test_one_that_does_not_start_with_its_new_settings_goes_on_with_the_old() -> None:
    fleet, reactor, backends = fleet_of(bus=RecordingBackend)
    start(fleet)
    fleet.subscribe(["x.#"])
    old, part = backends["bus"], fleet.parts["bus"]
    fleet.hold_back("the disk is full")
    lines = applied(fleet, reactor, bus=failing(HubError("address in use")))
    assert lines == ["backends.bus: address in use; it goes on with its old settings"]
    assert old.calls[-1] == ("stop", None)
    assert backends["bus"].calls == [("subscribe", ["x.#"]), ("start", None), ("pause", None)]
    assert fleet.parts == {"bus": part}


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
    fleet, reactor, backends = fleet_of(bus=Unable)
    start(fleet)
    old, part = backends["bus"], fleet.parts["bus"]
    assert applied(fleet, reactor, bus=Unable) == ["backends.bus: address in use; it goes on with its old settings"]
    assert (backends["bus"], fleet.parts["bus"]) == (old, part)
    assert ("stop", None) not in old.calls


def test_one_that_needs_what_another_lets_go_takes_its_new_settings() -> None:
    fleet, reactor, backends = fleet_of(bus=Late, gone=RecordingBackend)
    start(fleet)
    old, part = backends["bus"], fleet.parts["bus"]
    assert applied(fleet, reactor, ("gone",), bus=Late) == []
    assert [name for name, _ in old.calls] == ["start", "reconfigure", "reconfigure"]
    assert fleet.parts["bus"] is not part


def test_what_is_started_while_the_buses_are_held_back_is_held_back_too() -> None:
    fleet, reactor, backends = fleet_of(kept=RecordingBackend)
    start(fleet)
    fleet.hold_back("the disk is full")
    applied(fleet, reactor, new=RecordingBackend)
    assert backends["new"].calls[-1] == ("pause", None)


def test_a_drained_hub_takes_nothing_in_at_its_start() -> None:
    fleet, _, backends = fleet_of(a=RecordingBackend, b=RecordingBackend)
    fleet.draining = True
    start(fleet)
    assert [backend.calls[-2:] for backend in backends.values()] == [[("start", None), ("pause", None)]] * 2


class Buggy(RecordingBackend):
    def start(self, intake: Intake) -> Any:
        raise KeyError("its own mistake")


def test_a_backend_with_a_bug_does_not_end_a_reload_half_way() -> None:
    fleet, reactor, _ = fleet_of(kept=RecordingBackend)
    start(fleet)
    lines = applied(fleet, reactor, bad=Buggy, good=RecordingBackend)
    assert lines == ["bad failed: KeyError: 'its own mistake'"]
    assert list(fleet.status()) == ["kept", "good"]


# -- a reload that meets what it should not


class Raises(RecordingBackend):
    def reconfigure(self, config: object) -> bool:
        raise ValueError("somebody else's bug")


def test_one_that_fails_to_take_its_settings_goes_on_and_the_others_are_changed() -> None:
    fleet, reactor, backends = fleet_of(a=Raises, b=RecordingBackend)
    start(fleet)
    old, parts = dict(backends), {"a": backend_part("a", Raises, "v2"), "b": backend_part("b", RecordingBackend, "v2")}
    made = {name: fleet.make(part) for name, part in parts.items()}
    done: list[object] = []
    fleet.apply(parts, made, [], 5.0).addCallback(done.append)
    reactor.pump([0.1] * 5)
    assert done == [["backends.a: ValueError: somebody else's bug; it goes on with its old settings"]]
    assert (backends["a"], backends["b"]) == (old["a"], made["b"])
    assert [fleet.parts[name].plugin.fingerprint for name in ("a", "b")] == ["v1", "v2"]


def test_no_backend_starts_once_all_were_told_to_stop() -> None:
    fleet, reactor, _ = fleet_of(a=Hangs)
    start(fleet)
    part = backend_part("a", Hangs, "v2")
    made = fleet.make(part)
    assert isinstance(made, Hangs)
    done: list[object] = []
    fleet.apply({"a": part}, {"a": made}, [], 5.0).addCallback(done.append)
    fleet.stop(5.0)
    reactor.pump([0.1] * 60)
    assert done == [["the hub stops; nor does it start with its old settings: the hub stops"]]
    assert made.calls == []
