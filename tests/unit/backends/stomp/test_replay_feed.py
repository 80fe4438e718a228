"""Subscriptions to the hub's log: ``x-stream-offset``."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hub.backends.stomp import replay_feed
from hub.backends.stomp.frame import Frame
from hub.backends.stomp.settings import UserRights
from hub.store import PER_PAGE, log_reader
from tests.unit.backends.stomp.bench import Bench, Line, send


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, keep=1000.0)


def subscribe(bench: Bench, offset: str | int = "first", line: Line | None = None, /, **headers: str) -> Line:
    line = line or bench.line()
    wanted = {"id": "s", "destination": "/topic/a.#", "x_stream_offset": str(offset), **headers}
    line.do("SUBSCRIBE", **wanted)
    return line


def publish(bench: Bench, *bodies: object, topic: str = "a.b", **headers: str) -> None:
    """Each in a page of its own."""
    line = bench.line()
    for body in bodies:
        line.write(*send(f"/topic/{topic}", body, **headers))
        bench.commit()


def offsets(found: list[Frame]) -> list[int]:
    return [int(one.headers["x-stream-offset"]) for one in found]


def texts(found: list[Frame]) -> list[str]:
    return [one.body.decode() for one in found]


def test_what_was_sent_before_comes_first_and_then_what_is_sent(bench: Bench) -> None:
    publish(bench, "1", "2", kind="new")
    line = subscribe(bench)
    found = line.messages()
    assert texts(found) == ["1", "2"]
    assert offsets(found) == [PER_PAGE, 2 * PER_PAGE]
    assert found[0].headers["kind"] == "new"
    assert (found[0].headers["subscription"], found[0].headers["destination"]) == ("s", "/topic/a.b")
    assert "ack" not in found[0].headers
    publish(bench, "3")
    found = line.messages()
    assert (texts(found), offsets(found)) == (["3"], [3 * PER_PAGE])


def test_a_number_resumes_there(bench: Bench) -> None:
    publish(bench, *range(5))
    found = subscribe(bench).messages()
    again = subscribe(bench, offsets(found)[2])
    after = subscribe(bench, f"offset={offsets(found)[3] + 1}")
    assert (again.bodies(), after.bodies()) == (["2", "3", "4"], ["4"])


def test_next_last_and_a_time(bench: Bench) -> None:
    publish(bench, "before")
    bench.advance(100)
    now = int(bench.reactor.seconds())
    publish(bench, "x", "y")
    lines = [subscribe(bench, one) for one in ("next", "last", f"timestamp={now}")]
    bench.commit()
    publish(bench, "z")
    assert [line.bodies() for line in lines] == [["z"], ["y", "z"], ["x", "y", "z"]]


def test_next_has_not_what_its_own_client_sent_before(bench: Bench) -> None:
    line = bench.line()
    line.write(*send("/topic/a.b", "mine"))
    subscribe(bench, "next", line)
    line.write(*send("/topic/a.b", "after"))
    bench.commit()
    assert line.bodies() == ["after"]


def test_other_topics_and_what_a_selector_leaves_out_are_not_in_it(bench: Bench) -> None:
    publish(bench, 1, kind="old")
    publish(bench, 2, kind="new")
    publish(bench, 3, topic="b", kind="new")
    publish(bench, 4, topic="a", kind="new")
    line = subscribe(bench, selector="kind = 'new'")
    assert line.bodies() == ["2", "4"]
    assert subscribe(bench, destination="/topic/*").bodies() == ["3", "4"]


def test_what_went_into_a_queue_is_not_in_it(bench: Bench) -> None:
    bench.line().write(*send("/queue/q", "job"))
    publish(bench, "news")
    assert subscribe(bench, destination="/topic/>").bodies() == ["news"]


def test_rights_hold_for_the_past(tmp_path: Path) -> None:
    rights = {"*": UserRights(read=["/topic/a.public"], write=["/topic/#"])}
    bench = Bench(tmp_path, keep=1000.0, rights=rights)
    publish(bench, "secret")
    publish(bench, "news", topic="a.public")
    assert subscribe(bench, destination="/topic/a.public").bodies() == ["news"]
    assert "may not subscribe to /topic/a.#" in subscribe(bench).error()


@pytest.mark.parametrize("offset", ["first", "last", "timestamp=1", "5"])
@pytest.mark.parametrize("durable", [True, False])
def test_a_hub_without_history_says_so(tmp_path: Path, offset: str, durable: bool) -> None:
    bench = Bench(tmp_path if durable else None)
    line = subscribe(bench, offset)
    assert "this hub keeps no history: only 'next' is possible, unless 'keep' in [hub] is set" in line.error()


def test_without_history_next_is_a_plain_subscription(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    line = subscribe(bench, "next")
    publish(bench, "x")
    (found,) = line.messages()
    assert "x-stream-offset" not in found.headers


def test_a_number_beyond_the_end_is_refused(bench: Bench) -> None:
    publish(bench, "x")
    assert "offset 9000000 is beyond the end of the log" in subscribe(bench, 9_000_000).error()


@pytest.mark.parametrize("mode", ["client", "client-individual"])
def test_acks_make_room_and_settle_nothing(bench: Bench, mode: str) -> None:
    publish(bench, *range(6))
    line = subscribe(bench, ack=mode, prefetch_count="2")
    first = line.messages()
    assert texts(first) == ["0", "1"]
    line.do("ACK", id=first[1].headers["ack"])
    second = line.messages()
    assert texts(second) == (["2", "3"] if mode == "client" else ["2"])
    line.do("NACK", id=first[0].headers["ack"] if mode != "client" else second[0].headers["ack"])
    assert texts(line.messages()) == (["4"] if mode == "client" else ["3"])
    assert subscribe(bench).bodies() == [str(number) for number in range(6)]


def test_bytes_in_hand_are_bounded(tmp_path: Path) -> None:
    bench = Bench(tmp_path, keep=1000.0, prefetch_size=25)
    publish(bench, *["x" * 10] * 4)
    line = subscribe(bench, ack="client")
    found = line.messages()
    assert len(found) == 2
    line.do("ACK", id=found[-1].headers["ack"])
    assert len(line.messages()) == 2


def test_a_slow_reader_is_given_nothing_and_loses_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_reader, "STEP_MESSAGES", 3)
    publish(bench, *range(4))
    line = subscribe(bench)
    assert line.bodies() == ["0", "1", "2", "3"]
    line.session.blocked()
    publish(bench, *range(4, 20))
    assert line.bodies() == []
    (active,) = line.session.commands.subscriptions._by_name.values()  # type: ignore[union-attr]
    feed: Any = active.feed
    assert len(feed._replay._taken) <= 4
    line.session.writable()
    assert [one for _ in range(4) for one in line.bodies()] == [str(number) for number in range(4, 20)]


def test_a_connection_that_becomes_slow_in_the_middle_is_given_no_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_feed, "at_once", lambda taken: 1)
    publish(bench, *range(5))
    line, sent = bench.line(), list[bytes]()

    def send_all(frames: Sequence[bytes]) -> None:
        sent.extend(frames)
        if len(sent) == 2:
            line.session.blocked()

    client: Any = line.session.commands.subscriptions._client  # type: ignore[union-attr]
    client.send = send_all
    subscribe(bench, "first", line)
    bench.turn()
    assert len(sent) == 2
    line.session.writable()
    bench.turn()
    assert [frame.rpartition(b"\n\n")[2] for frame in sent] == [b"%d\0" % number for number in range(5)]


def test_many_messages_leave_the_reactor_its_turns(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_feed, "MOST_AT_ONCE", 3)
    publish(bench, *range(10))
    line = subscribe(bench)
    assert line.bodies() + line.bodies() == [str(number) for number in range(10)]
    assert line.writes > 3


def test_unsubscribe_in_the_middle_ends_it(bench: Bench) -> None:
    publish(bench, *range(6))
    line = subscribe(bench, ack="client-individual", prefetch_count="2")
    found = line.messages()
    line.do("UNSUBSCRIBE", id="s", receipt="r")
    line.do("ACK", id=found[0].headers["ack"], receipt="late")
    publish(bench, "more")
    assert line.receipts() == ["r", "late"]
    assert bench.broker.counters.late_acks == 1
    assert len(bench.hall.enqueuer.subscriptions) == 0
    subscribe(bench, offsets(found)[1], line)
    assert line.bodies() == ["1", "2", "3", "4", "5", "more"]


def test_what_has_expired_is_left_out_and_a_delay_is_not_waited_for(bench: Bench) -> None:
    publish(bench, "old", expiration="5000")
    publish(bench, "late", AMQ_SCHEDULED_DELAY="900000")
    publish(bench, "plain")
    bench.advance(10)
    assert subscribe(bench).bodies() == ["late", "plain"]
    assert bench.broker.lifetime.expired == 1


def test_a_publisher_s_own_offset_is_not_passed_on(bench: Bench) -> None:
    live = bench.line()
    live.do("SUBSCRIBE", id="s", destination="/topic/a.b")
    publish(bench, "x", x_stream_offset="77")
    assert offsets(subscribe(bench).messages()) == [PER_PAGE]
    assert "x-stream-offset" not in live.messages()[0].headers


@pytest.mark.usefixtures("no_collection")
def test_a_session_that_ends_frees_its_replay(bench: Bench) -> None:
    publish(bench, *range(6))
    line = subscribe(bench, ack="client", prefetch_count="2")
    assert len(line.messages()) == 2
    (active,) = line.session.commands.subscriptions._by_name.values()  # type: ignore[union-attr]
    feed: Any = active.feed
    refs = [weakref.ref(line.session), weakref.ref(feed), weakref.ref(feed._replay)]
    line.hang_up()
    del line.session, active, feed
    bench.turn()
    assert [ref() for ref in refs] == [None] * 3
    assert len(bench.hall.enqueuer.subscriptions) == 0
