"""Server-sent events."""

from __future__ import annotations

import re
from typing import Any

import pytest
from twisted.internet.task import Clock

from hub.errors import Forbidden
from hub.http.access import Access, Caller
from hub.monitoring.web.events import MOST, PATIENCE, Events
from hub.monitoring.web.sampler import Sampler, Snapshot
from hub.monitoring.web.site import WebSite
from tests.unit.doubles import RecordingLog
from tests.unit.monitoring.web.web_server import Answer, Wire, api_of, connect


class Doorman:
    """Shows all to who has the ``token``, and the numbers to who has none."""

    def __init__(self) -> None:
        self.token = "good"

    def trusts(self, request: Any) -> bool:
        return bool(request.getHeader("Authorization") == self.token)

    def who(self, request: Any) -> str:
        return "a browser"

    def admit(self, request: Any, access: Access, any_host: bool = False, any_origin: bool = False) -> Caller:
        if request.getHeader("Authorization") and not self.trusts(request):
            raise Forbidden("not the token", 401)
        return Caller("a browser", self.trusts(request))


class Bench:
    """The page's source; ``number`` is in each snapshot, and the secret reason of something."""

    def __init__(self) -> None:
        self.clock, self.number, self.guard = Clock(), 0, Doorman()
        self.sampler = Sampler(self.snapshot, self.clock, self.clock.seconds, self.clock.seconds, RecordingLog())
        self.events = Events(self.sampler, self.guard.trusts, self.clock.seconds)
        self.site = WebSite(api_of(self.events, guard=self.guard), self.clock, lambda failure: None)

    def snapshot(self) -> dict[str, Any]:
        self.number += 1
        return {"hub": {"number": self.number, "store": {"reason": "secret"}}, "consumers": {}}

    def open(self, method: str = "GET", token: str = "") -> tuple[Any, Wire]:
        channel, wire = connect(self.site)
        more = f"Authorization: {token}\r\n" if token else ""
        channel.dataReceived(f"{method} /events HTTP/1.1\r\nHost: localhost\r\n{more}\r\n".encode())
        return channel, wire

    def beat(self, seconds: float = 1.0) -> Snapshot:
        """A second passes."""
        self.clock.advance(seconds)
        snapshot = self.sampler.latest()
        self.events.send(snapshot)
        return snapshot


@pytest.fixture
def bench() -> Bench:
    return Bench()


def numbers(wire: Wire) -> list[int]:
    """Of the snapshots that came, in order."""
    return [int(number) for number in re.findall(rb'data: {"hub":{"number":(\d+)', content(wire))]


def content(wire: Wire) -> bytes:
    found: bytes = wire.value()  # type: ignore[no-untyped-call]
    return found


def test_a_browser_gets_a_snapshot_at_once_and_then_every_second(bench: Bench) -> None:
    _, wire = bench.open()
    assert numbers(wire) == [1]
    bench.beat()
    bench.beat()
    assert numbers(wire) == [1, 2, 3]
    answer = Answer(wire.value())  # type: ignore[no-untyped-call]
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-accel-buffering"] == "no"


def test_with_the_token_there_is_all_and_without_it_the_numbers(bench: Bench) -> None:
    _, trusted = bench.open(token="good")
    _, wire = bench.open()
    bench.beat()
    assert numbers(trusted) == numbers(wire) == [1, 2]
    assert content(trusted).count(b"secret") == 2
    assert b"secret" not in content(wire)


def test_a_wrong_token_is_refused(bench: Bench) -> None:
    _, wire = bench.open(token="wrong")
    assert Answer(content(wire)).code == 401
    assert bench.events.streams == set()


def test_who_opened_it_with_a_token_that_is_good_no_more_is_let_go_of(bench: Bench) -> None:
    _, trusted = bench.open(token="good")
    _, wire = bench.open()
    bench.guard.token = "new"
    bench.beat()
    assert numbers(trusted) == [1]
    assert content(trusted).endswith(b"0\r\n\r\n")
    assert numbers(wire) == [1, 2]
    assert len(bench.events.streams) == 1


def test_where_nobody_listens_nothing_is_encoded_and_where_many_do_it_is_once(bench: Bench) -> None:
    def made(snapshot: Snapshot) -> set[str]:
        return {"numbers", "_open", "_whole"} & set(snapshot.__dict__)

    assert made(bench.beat()) == set()
    for _ in range(3):
        bench.open()
    assert made(bench.beat()) == {"numbers", "_open"}
    bench.open(token="good")
    assert made(bench.beat()) == {"numbers", "_open", "_whole"}


def test_a_browser_that_does_not_read_skips_and_gets_the_newest(bench: Bench) -> None:
    channel, wire = bench.open()
    channel.pauseProducing()
    for _ in range(10):
        bench.beat()
    assert numbers(wire) == [1]
    channel.resumeProducing()
    assert numbers(wire) == [1, 11]
    channel.pauseProducing()
    channel.resumeProducing()
    bench.beat()
    assert numbers(wire) == [1, 11, 12]


def test_it_holds_nothing_up_for_the_others(bench: Bench) -> None:
    stuck, _ = bench.open()
    _, wire = bench.open()
    stuck.pauseProducing()
    bench.beat()
    assert numbers(wire) == [1, 2]


def test_one_that_does_not_read_for_long_makes_room(bench: Bench) -> None:
    channel, wire = bench.open()
    channel.pauseProducing()
    bench.beat(PATIENCE - 1)
    assert not wire.aborted
    bench.beat(2)
    assert wire.aborted
    assert bench.events.cut == 1
    channel.connectionLost()
    assert bench.events.streams == set()
    bench.beat()


def test_one_that_hangs_up_is_forgotten(bench: Bench) -> None:
    channel, wire = bench.open()
    channel.connectionLost()
    bench.beat()
    assert bench.events.streams == set()
    assert numbers(wire) == [1]


def test_one_too_many_is_told_to_come_later(bench: Bench) -> None:
    for _ in range(MOST):
        bench.open()
    _, wire = bench.open()
    answer = Answer(wire.value())  # type: ignore[no-untyped-call]
    assert answer.code == 503
    assert answer.headers["retry-after"] == "10"
    assert len(bench.events.streams) == MOST


def test_one_with_a_token_has_the_place_of_the_first_one_without(bench: Bench) -> None:
    wires = []
    for _ in range(MOST):
        wires.append(bench.open()[1])
        bench.clock.advance(0.001)
    _, wire = bench.open(token="good")
    assert Answer(wire.value()).code == 200  # type: ignore[no-untyped-call]
    assert [one.aborted for one in wires] == [True] + [False] * (MOST - 1)
    assert len(bench.events.streams) == MOST
    assert bench.events.cut == 1


def test_of_those_with_a_token_none_has_to_go(bench: Bench) -> None:
    for _ in range(MOST):
        bench.open(token="good")
    _, wire = bench.open(token="good")
    assert Answer(wire.value()).code == 503  # type: ignore[no-untyped-call]


def test_where_the_numbers_can_not_be_had_the_connection_is_seen_to_live(bench: Bench) -> None:
    _, wire = bench.open()
    bench.events.send(None)
    assert wire.value().endswith(b": the status is not available\n\n\r\n")  # type: ignore[no-untyped-call]


def test_who_asks_for_the_head_alone_is_no_browser(bench: Bench) -> None:
    _, wire = bench.open("HEAD")
    assert Answer(wire.value()).headers["content-type"] == "text/event-stream"  # type: ignore[no-untyped-call]
    assert bench.events.streams == set()


def test_when_it_closes_all_are_finished(bench: Bench) -> None:
    wires = [bench.open()[1] for _ in range(3)]
    bench.events.close()
    assert [wire.value().endswith(b"0\r\n\r\n") for wire in wires] == [True] * 3  # type: ignore[no-untyped-call]
    assert bench.events.streams == set()
