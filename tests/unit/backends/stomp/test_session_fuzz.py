"""Random frames in random order, good and bad, from several clients: no error but those that STOMP has, and no message
that is lost or counted twice.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.backends.stomp.frame import Frame
from tests.unit.backends.stomp.bench import Bench, Line

CLIENTS = 3
NAMES = st.sampled_from(["1", "2", "", "a:b"])
DESTINATIONS = st.sampled_from(
    [
        "/queue/q",
        "/queue/q",
        "/queue/p",
        "/topic/a.b",
        "/topic/a.*",
        "/temp-queue/t",
        "/queue/DLQ.q",
        "/queue/",
        "a",
        "",
    ]
)
HEADERS: dict[str, st.SearchStrategy[str]] = {
    "destination": DESTINATIONS,
    "id": NAMES,
    "subscription": NAMES,
    "transaction": st.sampled_from(["t", "u"]),
    "receipt": st.sampled_from(["r", ""]),
    "ack": st.sampled_from(["auto", "client", "client-individual", "client-individual", "none"]),
    "prefetch-count": st.sampled_from(["1", "3", "0", "-1", "x"]),
    "reply-to": st.sampled_from(["/temp-queue/t", "/queue/q", "x"]),
    "AMQ_SCHEDULED_DELAY": st.sampled_from(["0", "1500", "soon"]),
    "expiration": st.sampled_from(["0", "1000", "x"]),
    "persistent": st.sampled_from(["true", "false"]),
    "requeue": st.sampled_from(["true", "false", "x"]),
    "selector": st.sampled_from(["a = 'x'", "a >"]),
    "durable": st.just("true"),
    "auto-delete": st.just("false"),
}
USUAL = {
    "SEND": ["destination"],
    "SUBSCRIBE": ["destination", "id", "ack"],
    "UNSUBSCRIBE": ["id"],
    "BEGIN": ["transaction"],
    "COMMIT": ["transaction"],
    "ABORT": ["transaction"],
    "DISCONNECT": [],
    "CONNECT": [],
    "PAUSE": [],
}
OFTEN = ["SEND"] * 5 + ["SUBSCRIBE"] * 3 + [*USUAL]


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    """Some command, with the headers that it needs, or others."""
    command = draw(st.sampled_from(OFTEN))
    names = USUAL[command] if draw(st.integers(0, 9)) != 9 else []
    more = draw(st.lists(st.sampled_from([*HEADERS]), max_size=2)) if draw(st.integers(0, 4)) == 4 else []
    return Frame(command, {name: draw(HEADERS[name]) for name in [*names, *more]}, draw(st.binary(max_size=3)))


def good(subscribe: bool, destination: str, ack: str) -> Frame:
    """A frame without a fault."""
    if subscribe:
        return Frame("SUBSCRIBE", {"destination": destination, "id": destination, "ack": ack}, b"")
    return Frame("SEND", {"destination": destination}, b"x")


GOOD = st.builds(
    good,
    st.booleans(),
    st.sampled_from(["/queue/q", "/queue/p", "/topic/a.b"]),
    st.sampled_from(["client", "client-individual"]),
)
CLIENT = st.integers(0, CLIENTS - 1)
STEPS = st.one_of(
    st.tuples(st.just("write"), CLIENT, st.lists(GOOD, min_size=1, max_size=4)),
    st.tuples(st.just("write"), CLIENT, st.lists(frames(), min_size=1, max_size=2)),
    st.tuples(st.just("settle"), CLIENT, st.tuples(st.sampled_from(["ACK", "ACK", "NACK"]), st.integers(0, 99))),
    st.tuples(
        st.just("settle in transaction"), CLIENT, st.tuples(st.sampled_from(["ACK", "NACK"]), st.integers(0, 99))
    ),
    st.tuples(st.just("hang up"), CLIENT, st.none()),
    st.tuples(st.just("block"), CLIENT, st.booleans()),
    st.tuples(st.just("hold"), CLIENT, st.booleans()),
    st.tuples(st.just("wait"), CLIENT, st.sampled_from([0.5, 2.0, 60.0])),
)


class Play:
    """The clients, each with what it was delivered, and was not asked to ack. One that is gone connects again."""

    def __init__(self, version: str) -> None:
        self.bench = Bench(
            queue_backlog=20, max_transactions=2, max_transaction_frames=5, max_subscriptions=3, max_temporary_queues=1
        )
        self._version = version
        self._lines = [self.bench.line(version) for _ in range(CLIENTS)]
        self._ids: list[list[tuple[str, str]]] = [[] for _ in range(CLIENTS)]

    def line(self, client: int) -> Line:
        if self._lines[client].over:
            self._lines[client], self._ids[client] = self.bench.line(self._version), []
        return self._lines[client]

    def do(self, what: str, client: int, argument: Any) -> None:
        line = self.line(client)
        if what == "write":
            line.write(*argument)
        elif what.startswith("settle"):
            command, index = argument
            headers = {"transaction": "t"} if "transaction" in what else {}
            if ids := self._ids[client]:
                id_, subscription = ids[index % len(ids)]
                name = "id" if self._version == "1.2" else "message-id"
                line.write(Frame(command, {name: id_, "subscription": subscription, **headers}, b""))
        elif what == "hang up":
            line.hang_up()
        elif what == "block":
            (line.session.blocked if argument else line.session.writable)()
        elif what == "hold":
            if argument:
                self.bench.broker.held = True
            else:
                self.bench.broker.release()
        else:
            self.bench.advance(argument)
        self.look()

    def look(self) -> None:
        """Read what the server sent, and check that the books agree."""
        for client, line in enumerate(self._lines):
            for frame in line.frames():
                assert frame.command in ("CONNECTED", "MESSAGE", "RECEIPT", "ERROR"), frame
                assert "internal error" not in frame.headers.get("message", "")
                assert frame.command != "ERROR" or line.over
                if frame.command == "MESSAGE":
                    name = "ack" if self._version == "1.2" else "message-id"
                    if name in frame.headers:
                        self._ids[client].append((frame.headers[name], frame.headers["subscription"]))
        self.check()

    def check(self) -> None:
        """What a queue has in flight is in some client's hand, and all that it received is somewhere."""
        in_hand: dict[str, int] = {}
        for session in self.bench.broker.sessions:
            assert session.commands is not None
            for active in session.commands.subscriptions._by_name.values():
                name = active.feed.queue.name
                if not active.subscription.destination.kind.startswith("/queue/DLQ."):
                    in_hand[name] = in_hand.get(name, 0) + len(active.subscription.in_hand)
                assert active.subscription.in_hand.size == sum(
                    len(one.current.body) for one in active.subscription.in_hand._in_hand.values()
                )
        for entry in self.bench.hall.queues.opened():
            if entry.queue is None:
                continue
            stats = entry.queue.stats()
            counters = stats.counters
            assert stats.in_flight == in_hand.get(entry.queue.name, 0)
            assert counters.received == counters.finished + counters.dead + counters.dropped + counters.backlog
        told = self.bench.broker.counters
        subscriptions = [one.commands.subscriptions for one in self.bench.broker.sessions if one.commands is not None]
        assert told.acked + told.nacked <= told.delivered + sum(one.delivered() for one in subscriptions)

    def end(self) -> None:
        """All clients go. A last one is given all that is left, each message once."""
        self.bench.broker.release()
        for line in self._lines:
            if not line.over:
                line.hang_up()
        self.look()
        assert not self.bench.broker.sessions
        assert not self.bench.broker.orphaned
        assert set(self.bench.broker._dispatchers) == set()
        for name in ("q", "p"):
            if self.bench.hall.declared.named(name) is not None:
                self.bench.advance(100_000.0)
                line = self.bench.line()
                backlog = self.bench.backlog(name)
                line.do("SUBSCRIBE", id="s", destination=f"/queue/{name}", ack="client-individual")
                found = line.messages()
                expired = backlog - len(found)
                assert 0 <= expired <= self.bench.broker.lifetime.expired
                assert len({one.headers["message-id"] for one in found}) == len(found)
                line.hang_up()


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
@settings(max_examples=100, deadline=None)
@given(steps=st.lists(STEPS, min_size=5, max_size=40))
def test_the_books_agree_whatever_clients_do(version: str, steps: list[tuple[str, int, Any]]) -> None:
    play = Play(version)
    for step in steps:
        play.do(*step)
    play.end()
