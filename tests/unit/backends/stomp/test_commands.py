"""Transactions, messages with a lifetime, and what happens while the hub takes no messages."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.message import Message
from tests.unit.backends.stomp.bench import Bench, Line, frame, send


@pytest.fixture
def bench() -> Bench:
    return Bench()


def reader(bench: Bench, destination: str = "/queue/q", **headers: str) -> Line:
    line = bench.line()
    line.do("SUBSCRIBE", id="s", destination=destination, **({"ack": "client-individual"} | headers))
    return line


# -- transactions


def test_a_transaction_sends_nothing_before_its_commit_and_then_all(bench: Bench) -> None:
    line = bench.line()
    line.write(frame("BEGIN", transaction="t"), *send("/queue/q", 1, 2, transaction="t"), *send("/queue/q", 3))
    assert bench.backlog("q") == 1
    line.do("COMMIT", transaction="t", receipt="c")
    assert line.receipts() == ["c"]
    found = reader(bench).messages()
    assert [one.body for one in found] == [b"3", b"1", b"2"]
    assert not any("transaction" in one.headers for one in found)


def test_an_aborted_one_leaves_nothing(bench: Bench) -> None:
    line = bench.line()
    line.write(frame("BEGIN", transaction="t"), *send("/queue/q", 1, transaction="t"), frame("ABORT", transaction="t"))
    line.do("COMMIT", transaction="t")
    assert "no open transaction 't'" in line.error()
    assert bench.backlog("q") == 0


def test_acks_of_a_transaction_count_with_its_commit(bench: Bench) -> None:
    bench.line().write(*send("/queue/q", 1, 2, 3))
    line = reader(bench)
    ids = [one.headers["ack"] for one in line.messages()]
    line.write(frame("BEGIN", transaction="t"), frame("ACK", id=ids[0], transaction="t"))
    line.write(frame("NACK", id=ids[1], transaction="t", requeue="false"))
    assert bench.backlog("q") == 3
    line.do("COMMIT", transaction="t")
    assert bench.backlog("q") == 1
    assert len(bench.queue("q").dead_letters(0, 1000)) == 1


def test_an_ack_of_an_aborted_one_leaves_the_message_in_hand(bench: Bench) -> None:
    bench.line().write(*send("/queue/q", 1))
    line = reader(bench)
    (one,) = line.messages()
    line.write(frame("BEGIN", transaction="t"), frame("ACK", id=one.headers["ack"], transaction="t"))
    line.do("ABORT", transaction="t")
    assert bench.backlog("q") == 1
    line.do("ACK", id=one.headers["ack"])
    assert bench.backlog("q") == 0


def test_frames_that_differ_only_in_their_receipt_and_transaction_do_what_each_says(bench: Bench) -> None:
    line = bench.line()
    line.write(*send("/topic/q", 1, receipt="r1"), *send("/topic/q", 2), *send("/topic/q", 3, receipt="r3"))
    line.write(frame("BEGIN", transaction="t"), *send("/queue/q", 4, transaction="t"))
    line.write(*send("/queue/q", 5), *send("/queue/q", 67), *send("/queue/q", 8, transaction="t"), *send("/queue/q", 9))
    assert line.receipts() == ["r1", "r3"]
    line.do("COMMIT", transaction="t")
    found = reader(bench).messages()
    assert [one.body for one in found] == [b"5", b"67", b"9", b"4", b"8"]
    assert not {"receipt", "transaction"} & {name for one in found for name in one.headers}


def test_the_receipt_of_a_commit_comes_when_its_messages_are_safe(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    line = bench.line()
    line.write(frame("BEGIN", transaction="t"), *send("/queue/q", 1, 2, transaction="t", receipt="in"))
    line.write(*send("/topic/q", 3, transaction="t"), frame("COMMIT", transaction="t", receipt="c"))
    assert line.receipts() == ["in", "in"]
    bench.commit()
    assert line.receipts() == ["c"]


def test_a_kill_after_a_commit_repeats_but_loses_nothing(tmp_path: Path) -> None:
    """The messages are stored before the acks for which they were sent."""
    bench = Bench(tmp_path)
    bench.line().write(*send("/queue/in", 1))
    bench.commit()
    line = reader(bench, "/queue/in")
    (one,) = line.messages()
    line.write(frame("BEGIN", transaction="t"), frame("ACK", id=one.headers["ack"], transaction="t"))
    bench.broker.held = True
    line.write(*send("/queue/out", 1, transaction="t"), frame("COMMIT", transaction="t"))
    assert (bench.backlog("in"), bench.backlog("out")) == (1, 0)
    bench.broker.release()
    assert (bench.backlog("in"), bench.backlog("out")) == (0, 1)


@pytest.mark.parametrize("command", ["SEND", "ACK"])
def test_what_can_not_be_done_is_refused_before_the_commit(bench: Bench, command: str) -> None:
    line = bench.line()
    line.do("BEGIN", transaction="t")
    line.do(command, transaction="t", destination="/nowhere", id="none")
    assert line.error()


def test_frames_of_no_transaction_are_refused(bench: Bench) -> None:
    line = bench.line()
    line.write(*send("/queue/q", 1, transaction="t"))
    assert "no open transaction" in line.error()


def test_a_lost_connection_aborts(bench: Bench) -> None:
    line = bench.line()
    line.write(frame("BEGIN", transaction="t"), *send("/queue/q", 1, transaction="t"))
    line.hang_up()
    assert bench.backlog("q") == 0


# -- lifetimes


def test_an_expired_message_is_not_delivered_but_counted(bench: Bench) -> None:
    bench.line().write(
        *send("/queue/q", 1, expiration="2000"), *send("/queue/q", 2, expires="1001500"), *send("/queue/q", 3)
    )
    bench.advance(2.0)
    line = reader(bench)
    assert line.bodies() == ["3"]
    assert (bench.broker.lifetime.expired, bench.backlog("q")) == (2, 1)
    counters = bench.hall.queues.entry("q").opened.stats().counters
    assert (counters.finished, counters.dropped_expired) == (0, 2)


def test_a_delayed_message_comes_later_unmarked_and_passes_no_other(bench: Bench) -> None:
    line = reader(bench)
    line.write(*send("/queue/q", 1, AMQ_SCHEDULED_DELAY="3000"), *send("/queue/q", 2))
    assert line.bodies() == ["2"]
    bench.advance(2.9)
    assert line.messages() == []
    bench.advance(0.2)
    (one,) = line.messages()
    assert (one.body, one.headers.get("redelivered")) == (b"1", None)
    line.hang_up()
    again = reader(bench).messages()
    assert [(one.body, one.headers["x-delivery-count"]) for one in again] == [(b"2", "1"), (b"1", "1")]


def test_a_delayed_message_takes_no_credit_and_no_order_while_it_waits(bench: Bench) -> None:
    line = reader(bench, prefetch_count="1")
    line.write(*send("/queue/q", 1, AMQ_SCHEDULED_DELAY="3000", receipt="r"), *send("/queue/q", 2, 3))
    queue = bench.queue("q").entry.queue
    assert queue is not None
    assert queue.stats().delayed == 1
    for expected in ("2", "3"):
        (one,) = line.messages()
        assert one.body.decode() == expected
        line.do("ACK", id=one.headers["ack"])
    bench.advance(3.1)
    assert line.bodies() == ["1"]


def test_a_delay_outlives_the_hub(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    line = bench.line()
    line.write(*send("/queue/q", 1, AMQ_SCHEDULED_DELAY="3000", receipt="r"))
    assert line.receipts() == []
    bench.commit()
    assert line.receipts() == ["r"]
    bench.hall.kill()
    again = Bench(tmp_path)
    line = reader(again)
    assert line.messages() == []
    again.advance(3.1)
    (one,) = line.messages()
    assert (one.body, one.headers.get("redelivered")) == (b"1", None)


def test_a_full_queue_refuses_a_delayed_message_in_every_mode() -> None:
    bench = Bench(queue_backlog=1, queue_overflow="drop_oldest")
    line = bench.line()
    line.write(*send("/queue/q", 1), *send("/queue/q", 2, AMQ_SCHEDULED_DELAY="3000", receipt="r"))
    assert "/queue/q is full" in line.error()
    assert bench.backlog("q") == 1


def test_a_delayed_message_to_a_topic_waits_for_each_subscriber_here(bench: Bench) -> None:
    line = reader(bench, "/topic/a")
    line.write(*send("/topic/a", 1, AMQ_SCHEDULED_DELAY="3000"), *send("/topic/a", 2))
    assert line.bodies() == ["2"]
    bench.advance(3.1)
    (one,) = line.messages()
    assert (one.body, one.headers.get("redelivered")) == (b"1", None)


def test_so_does_what_a_consumer_publishes_into_a_queue(bench: Bench) -> None:
    bench.broker.publish(Message("x", "/queue/q", b"1", {"AMQ_SCHEDULED_DELAY": "3000"}))
    line = reader(bench)
    assert line.messages() == []
    bench.advance(3.1)
    assert line.bodies() == ["1"]


# -- while the hub takes nothing


def test_a_send_waits_while_acks_nacks_and_others_go_on(bench: Bench) -> None:
    bench.line().write(*send("/queue/q", 1, 2))
    line = reader(bench)
    ids = [one.headers["ack"] for one in line.messages()]
    bench.broker.held = True
    line.write(
        *send("/queue/q", 3, receipt="s"),
        frame("ACK", id=ids[0]),
        frame("NACK", id=ids[1], requeue="false", receipt="n"),
    )
    assert line.receipts() == ["n"]
    assert bench.backlog("q") == 0
    bench.broker.release()
    assert line.receipts() == ["s"]


def test_or_it_is_refused_as_configured() -> None:
    bench = Bench(when_held="refuse")
    line = bench.line()
    line.write(*send("/queue/q", 1))
    bench.broker.held = True
    line.write(*send("/queue/q", 2, receipt="r"))
    assert "takes no messages now" in line.error()
    assert bench.backlog("q") == 1


@pytest.mark.parametrize("limit", [{"max_held": 3}, {"max_held_size": 6}])
def test_what_waits_is_bounded(limit: dict[str, int]) -> None:
    bench = Bench(None, None, **limit)
    line = bench.line()
    bench.broker.held = True
    line.write(*send("/queue/q", "xx", "xx", "xx"))
    assert not line.over
    line.write(*send("/queue/q", "xx"))
    assert "too many wait" in line.error()
    bench.broker.release()
    assert bench.backlog("q") == 3


def test_what_waits_outlives_its_connection_and_a_stop_passes_it_on(bench: Bench) -> None:
    gone, line = bench.line(), bench.line()
    bench.broker.held = True
    gone.write(*send("/queue/q", 1))
    gone.hang_up()
    line.write(*send("/queue/q", 2))
    bench.broker.pass_on_all()
    assert (bench.backlog("q"), bench.broker.held) == (2, True)


def test_disconnect_waits_for_what_waits(bench: Bench) -> None:
    line = bench.line()
    bench.broker.held = True
    line.write(*send("/queue/q", 1), frame("DISCONNECT", receipt="d"))
    assert (line.receipts(), line.over) == ([], False)
    bench.broker.release()
    assert (line.receipts(), line.over) == (["d"], True)


# -- full queues


def test_a_full_queue_is_an_error_that_names_it() -> None:
    bench = Bench(queue_backlog=2)
    line = bench.line()
    line.write(*send("/queue/q", 1, 2, receipt="a"), *send("/queue/q", 3, receipt="b"))
    (error,) = (one for one in line.frames() if one.command == "ERROR")
    assert "/queue/q is full" in error.headers["message"]
    assert error.headers["receipt-id"] == "b"
    assert bench.backlog("q") == 2


def test_a_queue_that_an_operator_drains_refuses_and_says_so() -> None:
    bench = Bench()
    line = bench.line()
    line.write(*send("/queue/q", 1, receipt="a"))
    bench.hall.queues.entry("q").opened.drain()
    line.write(*send("/queue/q", 2, receipt="b"))
    assert line.error() == "/queue/q is being drained: 1 of the last messages were not taken"
    assert bench.backlog("q") == 1


def test_a_full_queue_that_blocks_holds_all_senders_until_there_is_room() -> None:
    bench = Bench(queue_backlog=2, queue_overflow="block")
    bench.line().write(*send("/queue/q", 1, 2, 3))
    assert bench.hall.flow.held_back
