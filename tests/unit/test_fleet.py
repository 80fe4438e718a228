"""The backends together, on a reactor whose clock stands still."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from hub.enqueuer import Enqueuer
from hub.errors import ConfigError, HubError, MissingExtra
from hub.fleet import Fleet
from hub.interfaces import BackendContext, Intake
from hub.router import Router
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


def fleet_of(**classes: type[RecordingBackend]) -> tuple[Fleet, FakeReactor, Any]:
    reactor = FakeReactor()
    enqueuer = Enqueuer(Router([]), MemoryStore(), reactor.seconds, lambda: None)
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
        "bus": {"type": "recording", "state": "connected", "received": 0, "bytes": 0, "malformed": {}}
    }
