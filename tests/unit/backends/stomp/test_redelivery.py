"""What comes back: from lost clients, after UNSUBSCRIBE, after NACK; and dead letters."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.backends.stomp.bench import Bench, ack, fill, subscribe


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize("mode", ["client", "client-individual"])
def test_what_a_lost_client_had_goes_to_others_first_in_order_marked_and_counted(bench: Bench, mode: str) -> None:
    line = subscribe(bench, mode, prefetch_count="3")
    fill(bench, 5)
    assert line.bodies() == list("012")
    line.hang_up()
    again = subscribe(bench, prefetch_count="1")
    seen = []
    for _ in range(5):
        (one,) = again.messages()
        seen.append((one.body.decode(), one.headers.get("redelivered"), one.headers.get("x-delivery-count")))
        ack(again, one.headers["ack"])
    assert seen == [("0", "true", "1"), ("1", "true", "1"), ("2", "true", "1"), ("3", None, None), ("4", None, None)]


def test_a_message_that_ends_its_workers_is_counted_each_time(bench: Bench) -> None:
    fill(bench, 1)
    counts = []
    for _ in range(4):
        line = subscribe(bench)
        counts.append(line.messages()[0].headers.get("x-delivery-count"))
        line.hang_up()
    assert counts == [None, "1", "2", "3"]


@pytest.mark.parametrize("selector", [{}, {"selector": "a = 'x'"}])
def test_a_message_that_ends_its_workers_too_often_is_a_dead_letter_and_those_behind_it_are_not(
    tmp_path: Path, selector: dict[str, str]
) -> None:
    """The count holds across a restart of the hub; the reader's own letters say why."""
    bench = Bench(tmp_path, max_deliveries=3)
    fill(bench, 3, a="x")
    bench.commit()
    for _ in range(2):
        line = subscribe(bench, **selector)
        assert line.bodies() == ["0", "1", "2"]
        line.hang_up()
        bench.commit()
    bench.hall.kill()
    bench = Bench(tmp_path, max_deliveries=3)
    line = subscribe(bench, **selector)
    (last, *_) = line.messages()
    assert (last.body, last.headers["x-delivery-count"]) == (b"0", "2")
    line.hang_up()
    bench.commit()
    (letter,) = subscribe(bench, destination="/queue/DLQ.q").messages()
    assert (letter.body, letter.headers["dead-letter-attempts"]) == (b"0", "3")
    assert letter.headers["dead-letter-reason"] == "delivered 3 times, and the connection of its client was lost"
    good = subscribe(bench, **selector)
    found = good.messages()
    assert [(one.body, one.headers["x-delivery-count"]) for one in found] == [(b"1", "3"), (b"2", "3")]
    ack(good, *[one.headers["ack"] for one in found])
    assert bench.backlog("q") == 0


@pytest.mark.parametrize("how", ["DISCONNECT", "UNSUBSCRIBE", "closed", "acked", "unlimited"])
def test_what_is_not_the_messages_fault_is_not_held_against_it(bench: Bench, how: str) -> None:
    bench = Bench(max_deliveries=0 if how == "unlimited" else 2)
    fill(bench, 1)
    for _ in range(4):
        line = subscribe(bench)
        (one,) = line.messages()
        if how in ("DISCONNECT", "UNSUBSCRIBE"):
            line.do(how, id="s")
        elif how == "closed":
            line.close()
        if how == "acked":
            ack(line, one.headers["ack"])
            fill(bench, 1)
        if not line.over:
            line.hang_up()
    row = bench.hall.row("q")
    assert (row["dead"], row["backlog"]) == (0, 1)


def test_after_unsubscribe_others_get_what_was_unacked(bench: Bench) -> None:
    first = subscribe(bench)
    fill(bench, 2)
    assert first.bodies() == ["0", "1"]
    first.do("UNSUBSCRIBE", id="s")
    other = subscribe(bench)
    assert other.bodies() == ["0", "1"]


def test_an_ack_that_crosses_unsubscribe_settles_if_nobody_has_the_message_yet(bench: Bench) -> None:
    fill(bench, 3)
    line = subscribe(bench)
    ids = [one.headers["ack"] for one in line.messages()]
    line.do("UNSUBSCRIBE", id="s")
    ack(line, ids[1], receipt="r")
    assert line.receipts() == ["r"]
    assert (bench.backlog("q"), bench.broker.counters.late_acks) == (2, 0)
    found = subscribe(bench).messages()
    assert [(one.body, one.headers["x-delivery-count"]) for one in found] == [(b"0", "1"), (b"2", "1")]


def test_an_ack_that_comes_when_somebody_else_has_it_does_nothing_and_is_counted(bench: Bench) -> None:
    fill(bench, 1)
    line = subscribe(bench)
    (found,) = line.messages()
    line.do("UNSUBSCRIBE", id="s")
    other = subscribe(bench)
    assert other.bodies() == ["0"]
    ack(line, found.headers["ack"], receipt="r")
    assert line.receipts() == ["r"]
    assert (bench.backlog("q"), bench.broker.counters.late_acks) == (1, 1)
    other.hang_up()
    assert subscribe(bench).bodies() == ["0"]


@pytest.mark.parametrize("how", ["paused", "behind"])
def test_an_ack_after_unsubscribe_settles_wherever_the_message_waits(tmp_path: Path, how: str) -> None:
    bench = Bench(tmp_path)
    fill(bench, 2)
    bench.turn()
    line = subscribe(bench)
    ids = [one.headers["ack"] for one in line.messages()]
    line.do("UNSUBSCRIBE", id="s")
    if how == "paused":
        bench.hall.queues.entry("q").opened.pause()
    for _ in range(4 if how == "behind" else 0):  # of the higher priority, only the first are in memory
        fill(bench, 2600, priority="9")
        bench.turn()
    ack(line, ids[1], receipt="r")
    assert line.receipts() == ["r"]
    counters = bench.hall.queues.entry("q").opened.stats().counters
    assert (counters.finished, bench.broker.counters.late_acks) == (1, 0)
    assert bench.backlog("q") == (1 if how == "paused" else 10_401)


def test_a_purge_drops_what_a_lost_client_gave_back_and_leaves_what_others_have(bench: Bench) -> None:
    fill(bench, 6)
    lost, other = subscribe(bench, prefetch_count="2"), subscribe(bench, prefetch_count="2")
    assert len(lost.messages()) == 2
    (kept, refused) = other.messages()
    ack(other, refused.headers["ack"], command="NACK")
    other.frames()
    lost.hang_up()
    other.messages()
    held = bench.hall.queues.entry("q").opened.stats().in_flight
    assert bench.hall.queues.entry("q").opened.purge() == 6 - held
    bench.advance(60.0)
    assert other.messages() == []
    assert (bench.backlog("q"), kept.body) == (held, b"2")


def test_a_late_nack_does_nothing(bench: Bench) -> None:
    fill(bench, 1)
    line = subscribe(bench)
    (found,) = line.messages()
    line.do("UNSUBSCRIBE", id="s")
    ack(line, found.headers["ack"], command="NACK")
    assert (line.over, bench.broker.counters.late_acks) == (False, 1)
    assert subscribe(bench).bodies() == ["0"]


# -- NACK


def test_a_nack_lets_a_message_come_again_later_and_in_the_end_buries_it(bench: Bench) -> None:
    bench = Bench(max_attempts=3, backoff="1s", backoff_limit="5m")
    fill(bench, 1)
    line = subscribe(bench)
    for count, wait in ((None, 1.0), ("1", 2.0), ("2", None)):
        (found,) = line.messages()
        assert found.headers.get("x-delivery-count") == count
        ack(line, found.headers["ack"], command="NACK")
        if wait is not None:
            bench.advance(wait - 0.01)
            assert line.messages() == []
            bench.advance(0.02)
    assert line.messages() == []
    (letter,) = bench.queue("q").dead_letters(0, 1000)
    assert (letter.reason, letter.attempts, bench.backlog("q")) == ("NACK", 3, 0)


def test_requeue_false_buries_at_once_and_dead_letters_can_be_read(bench: Bench) -> None:
    fill(bench, 3, kind="x")
    line = subscribe(bench)
    first, second, third = line.messages()
    ack(line, first.headers["ack"], command="NACK", requeue="false")
    ack(line, second.headers["ack"], command="NACK", requeue="false")
    reader = subscribe(bench, destination="/queue/DLQ.q")
    letters = reader.messages()
    assert [one.body for one in letters] == [b"0", b"1"]
    headers = letters[0].headers
    assert (headers["destination"], headers["original-destination"], headers["kind"]) == (
        "/queue/DLQ.q",
        "/queue/q",
        "x",
    )
    assert headers["dead-letter-reason"] == "NACK with requeue:false"
    assert headers["dead-letter-attempts"] == "1"
    ack(reader, letters[1].headers["ack"])
    assert [one.message.body for one in bench.queue("q").dead_letters(0, 1000)] == [b"0"]
    reader.hang_up()
    auto = subscribe(bench, "auto", destination="/queue/DLQ.q")
    assert auto.bodies() == ["0"]
    assert bench.queue("q").dead_letters(0, 1000) == []
    ack(line, third.headers["ack"], command="NACK", requeue="false")
    assert auto.bodies() == []
    bench.advance(1.0)
    assert auto.bodies() == ["2"]


def test_a_dead_letter_is_in_one_hand_and_comes_back_from_it(bench: Bench) -> None:
    fill(bench, 2)
    line = subscribe(bench)
    for one in line.messages():
        ack(line, one.headers["ack"], command="NACK", requeue="false")
    first, second = (subscribe(bench, destination="/queue/DLQ.q") for _ in range(2))
    found = first.messages()
    assert [one.body for one in found] == [b"0", b"1"]
    assert second.messages() == []
    first.do("UNSUBSCRIBE", id="s")
    ack(first, found[0].headers["ack"])
    bench.advance(1.0)
    assert second.bodies() == ["1"]
    ack(first, found[1].headers["ack"])
    assert bench.broker.counters.late_acks == 1


def test_dead_letters_of_a_queue_that_is_not_there_are_an_error(bench: Bench) -> None:
    line = subscribe(bench, destination="/queue/DLQ.none")
    assert "no queue 'none'" in line.error()


def test_a_cumulative_nack_is_for_all_before_it(bench: Bench) -> None:
    fill(bench, 4)
    line = subscribe(bench, "client")
    ack(line, line.messages()[2].headers["ack"], command="NACK", requeue="false")
    assert len(bench.queue("q").dead_letters(0, 1000)) == 3
    assert bench.broker.counters.nacked == 3


def test_requeue_is_true_or_false(bench: Bench) -> None:
    fill(bench, 1)
    line = subscribe(bench)
    ack(line, line.messages()[0].headers["ack"], command="NACK", requeue="maybe")
    assert "requeue" in line.error()
