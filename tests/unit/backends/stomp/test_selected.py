"""Selectors on queues: each message goes to a subscription that wants it, and waits for one if none does."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.backends.stomp import lookahead
from tests.unit.backends.stomp.bench import Bench, Line, ack, send, subscribe


@pytest.fixture
def bench() -> Bench:
    return Bench()


def put(bench: Bench, *bodies: object, to: str = "/queue/q", **headers: str) -> None:
    bench.line().write(*send(to, *bodies, **headers))


def red(bench: Bench, colour: str = "red", **headers: str) -> Line:
    return subscribe(bench, selector=f"colour = '{colour}'", **headers)


def test_what_one_does_not_want_goes_to_others_and_holds_nobody_up(bench: Bench) -> None:
    for number in range(3):
        put(bench, f"r{number}", colour="red")
        put(bench, f"b{number}", colour="blue")
        put(bench, f"n{number}")
    first, second = red(bench), red(bench, "blue")
    assert (first.bodies(), second.bodies()) == (["r0", "r1", "r2"], ["b0", "b1", "b2"])
    assert bench.backlog("q") == 9
    put(bench, "r3", colour="red")
    assert first.bodies() == ["r3"]
    assert subscribe(bench).bodies() == ["n0", "n1", "n2"]


def test_a_message_that_nobody_wants_waits_and_is_seen_and_can_be_purged(bench: Bench) -> None:
    line = red(bench)
    put(bench, *range(5), colour="blue")
    assert line.messages() == []
    row = bench.hall.row()
    assert (row["backlog"], row["in_flight"]) == (5, 0)
    opened = bench.hall.queues.entry("q").opened
    assert [(state, one.body) for _, state, one, _ in opened.inspect.peek(9)] == [
        ("waiting", b"%d" % number) for number in range(5)
    ]
    assert opened.inspect.state_of(2).kind == "waiting"
    assert opened.purge() == 5
    put(bench, "new", colour="blue")
    assert red(bench, "blue").bodies() == ["new"]
    assert bench.backlog("q") == 1


def test_a_paused_queue_delivers_nothing_also_of_what_was_set_aside(bench: Bench) -> None:
    red(bench)
    every = subscribe(bench, prefetch_count="5")
    put(bench, *range(20), colour="blue")
    held = every.messages()
    assert len(held) == 5
    opened = bench.hall.queues.entry("q").opened
    opened.pause()
    for one in held:
        ack(every, one.headers["ack"])
    assert every.messages() == []
    assert bench.backlog("q") == 15
    opened.resume()
    assert every.bodies() == [str(number) for number in range(5, 10)]


def test_one_without_room_holds_up_no_other(bench: Bench) -> None:
    slow, fast = red(bench, prefetch_count="1"), red(bench, "blue")
    put(bench, *(f"r{number}" for number in range(500)), colour="red")
    put(bench, "b", colour="blue")
    assert fast.bodies() == ["b"]
    (one,) = slow.messages()
    assert one.body == b"r0"
    for number in range(1, 4):
        ack(slow, one.headers["ack"])
        (one,) = slow.messages()
        assert one.body == b"r%d" % number


def test_those_with_one_selector_share_and_in_turn(bench: Bench) -> None:
    lines = [red(bench) for _ in range(2)]
    put(bench, *range(64), colour="red")
    found = [line.bodies() for line in lines]
    assert [len(bodies) for bodies in found] == [32, 32]
    assert sorted(found[0] + found[1], key=int) == [str(number) for number in range(64)]


@pytest.mark.parametrize("how", ["lost", "unsubscribed"])
def test_what_a_client_had_goes_to_the_next_that_wants_it_first_in_order(bench: Bench, how: str) -> None:
    put(bench, *range(5), colour="red")
    put(bench, "blue", colour="blue")
    line = red(bench, prefetch_count="2")
    assert line.bodies() == ["0", "1"]
    if how == "lost":
        other = red(bench, "green")
        line.hang_up()
        assert other.messages() == []
    else:
        line.do("UNSUBSCRIBE", id="s")
    found = red(bench).messages()
    assert [(one.body.decode(), one.headers.get("x-delivery-count")) for one in found] == [
        *(("0", "1"), ("1", "1")),
        *(("2", None), ("3", None), ("4", None)),
    ]


def test_when_all_have_gone_everything_waits_in_its_order_for_anybody(bench: Bench) -> None:
    for number in range(6):
        put(bench, number, colour="red" if number % 2 else "blue")
    line = red(bench)
    assert line.bodies() == ["1", "3", "5"]
    line.hang_up()
    assert bench.hall.row()["in_flight"] == 0
    found = subscribe(bench).messages()
    assert [one.body.decode() for one in found] == list("012345")
    assert [one.body.decode() for one in found if "redelivered" in one.headers] == list("135")


def test_a_nack_brings_it_back_to_one_that_wants_it(bench: Bench) -> None:
    first, _ = red(bench), red(bench, "blue")
    put(bench, "r", colour="red")
    ack(first, first.messages()[0].headers["ack"], command="NACK")
    assert first.messages() == []
    bench.advance(60.0)
    (again,) = first.messages()
    assert (again.body, again.headers["x-delivery-count"]) == (b"r", "1")


def test_a_late_ack_finds_a_message_that_nobody_wants_now(bench: Bench) -> None:
    line, _ = red(bench), red(bench, "blue")
    put(bench, "r", colour="red")
    (one,) = line.messages()
    line.do("UNSUBSCRIBE", id="s")
    ack(line, one.headers["ack"], receipt="r")
    assert line.receipts() == ["r"]
    assert (bench.backlog("q"), bench.broker.counters.late_acks) == (0, 0)


def test_the_highest_priority_comes_first_among_those_that_match(bench: Bench) -> None:
    put(bench, "low", colour="red", priority="1")
    put(bench, "middle", colour="red")
    line = red(bench, prefetch_count="1")
    assert line.bodies() == ["middle"]
    put(bench, "other", colour="blue", priority="9")
    put(bench, "high", colour="red", priority="9")
    line.do("UNSUBSCRIBE", id="s")
    assert red(bench).bodies() == ["high", "middle", "low"]


def test_beyond_the_bound_nothing_is_looked_at_until_there_is_room(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookahead, "MOST_MESSAGES", 50)
    put(bench, *range(200), colour="blue")
    put(bench, "r", colour="red")
    line = red(bench)
    assert line.messages() == []
    assert len(bench.broker._dispatchers["q"]._ahead) < 1100, "a take may exceed it"
    other = red(bench, "blue", ack="auto")
    assert other.bodies() == [str(number) for number in range(200)]
    assert line.bodies() == ["r"]


def test_what_is_purged_or_expires_makes_room_to_look_further(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookahead, "MOST_MESSAGES", 50)
    soon = str(int(bench.reactor.seconds() * 1000) + 5000)
    line = red(bench, prefetch_count="10")
    put(bench, *range(60), colour="blue", expires=soon)
    put(bench, *range(60), colour="green")
    put(bench, "r", colour="red")
    assert line.messages() == []
    bench.advance(1.0)
    assert line.messages() == []
    bench.advance(5.0)
    bench.advance(1.0)
    assert line.messages() == []
    assert bench.broker.lifetime.expired == 60
    counters = bench.hall.queues.entry("q").opened.stats().counters
    assert (counters.finished, counters.dropped_expired) == (0, 60)
    bench.hall.queues.entry("q").opened.purge()
    put(bench, "s", colour="red")
    bench.advance(1.0)
    assert line.bodies() == ["s"]
    line.hang_up()
    bench.turn()


def test_a_purge_makes_room_to_look_further_also_where_all_was_delivered_before(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookahead, "MOST_MESSAGES", 50)
    put(bench, *range(50), colour="blue")
    line, lost = red(bench), subscribe(bench, prefetch_count="50")
    assert len(lost.messages()) == 50
    lost.hang_up()
    put(bench, "r", colour="red")
    bench.advance(1.0)
    assert line.messages() == []
    assert bench.hall.queues.entry("q").opened.purge() == 51
    put(bench, "s", colour="red")
    bench.advance(1.0)
    assert line.bodies() == ["s"]


def test_a_temporary_queue_has_selectors_and_dead_letters_have_not(bench: Bench) -> None:
    line = red(bench, destination="/temp-queue/a")
    worker = bench.line()
    line.write(*send("/queue/work", "?", reply_to="/temp-queue/a"))
    to = subscribe(bench, destination="/queue/work").messages()[0].headers["reply-to"]
    worker.write(*send(to, "b", colour="blue"), *send(to, "r", colour="red"))
    assert line.bodies() == ["r"]
    line = red(bench, destination="/queue/DLQ.q")
    assert "a selector on dead letters is not supported" in line.error()


def test_an_operator_deletes_the_queue_under_them(bench: Bench) -> None:
    line = red(bench)
    put(bench, 1, colour="blue")
    assert line.messages() == []
    bench.hall.queues.delete("q")
    assert "deleted" in line.error()
    put(bench, 2, colour="red")
    assert red(bench).bodies() == ["2"]


def test_a_kill_costs_nothing_that_was_set_aside(tmp_path: Path) -> None:
    first = Bench(tmp_path)
    put(first, *range(3), colour="blue")
    first.commit()
    assert red(first).messages() == []
    first.commit()
    first.hall.kill()
    second = Bench(tmp_path)
    found = subscribe(second).messages()
    assert [one.body for one in found] == [b"0", b"1", b"2"]
    assert not any("redelivered" in one.headers for one in found)
    second.hall.end()


COLOURS = st.sampled_from(["red", "blue", "green"])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_at_random_each_message_goes_once_to_one_that_wants_it_in_order(data: st.DataObject) -> None:
    bench = Bench(prefetch=3)
    sender, lines = bench.line(), list[tuple[str | None, Line]]()
    colours: dict[str, str] = {}
    done: set[str] = set()
    for _ in range(data.draw(st.integers(5, 25))):
        step = data.draw(st.sampled_from(["put", "put", "subscribe", "ack", "ack", "leave"]))
        if step == "put":
            colour = data.draw(COLOURS)
            for _ in range(data.draw(st.integers(1, 6))):
                name = str(len(colours))
                colours[name] = colour
                sender.write(*send("/queue/q", name, colour=colour))
        elif step == "subscribe":
            wanted = data.draw(st.none() | COLOURS)
            lines.append((wanted, subscribe(bench) if wanted is None else red(bench, wanted)))
        elif lines and step == "ack":
            wanted, line = data.draw(st.sampled_from(lines))
            found = line.messages()
            names = [one.body.decode() for one in found]
            fresh = [int(name) for name, one in zip(names, found, strict=True) if "redelivered" not in one.headers]
            assert fresh == sorted(fresh)
            assert not done & {*names}
            assert wanted is None or {colours[name] for name in names} <= {wanted}
            ack(line, *(one.headers["ack"] for one in found))
            done |= {*names}
        elif lines:
            lines.remove(gone := data.draw(st.sampled_from(lines)))
            gone[1].hang_up()
        bench.turn()
        assert bench.backlog("q") == len(colours) - len(done) if colours else True
    last = [red(bench, colour, prefetch_count="1000") for colour in ("red", "blue", "green")]
    for _, line in lines:
        line.hang_up()
    left = {one.body.decode() for line in last for one in line.messages()}
    assert left == {*colours} - done
