"""Positions that wait for outgoing messages."""

from __future__ import annotations

from hub.queue.ack_state import AckState
from hub.queue.tied import Tied
from hub.store import CommittedState, Outgoing
from tests.unit.doubles import make_queue, message, messages, offer


def outbox(count: int) -> list[Outgoing]:
    return [Outgoing("bus", message(number)) for number in range(count)]


def send(outgoing: Outgoing, safe: bool = True) -> None:
    assert outgoing.sent is not None
    outgoing.sent(safe)


def test_it_ends_with_the_last_message_and_is_safe_only_if_all_are() -> None:
    ended: list[Tied] = []
    for safe in (True, False):
        sending = outbox(2)
        tied = Tied(sending, ended.append)
        send(sending[1], safe)
        assert tied not in ended
        send(sending[0])
        assert ended[-1] is tied
        assert tied.safe is safe


def test_its_positions_wait_until_it_ends() -> None:
    acks, sending = AckState(CommittedState(), durable=False), outbox(1)
    acks.note(True)
    tied = acks.tie(sending, acks.untie)
    acks.settle(0, 2)
    acks.settle(2, 4, (0, 1), tied)
    assert (acks.take_noted(), list(acks.waiting(0, 6))) == (([(0, 2)], []), [(4, 6), (2, 3), (3, 4)])
    send(sending[0])
    assert (acks.take_noted(), list(acks.waiting(0, 6))) == (([(2, 4)], []), [(4, 6)])


def test_those_whose_message_was_lost_are_never_told() -> None:
    acks, sending = AckState(CommittedState(), durable=False), outbox(1)
    acks.note(True)
    acks.settle(0, 1, (0, 1), acks.tie(sending, acks.untie))
    send(sending[0], safe=False)
    assert acks.take_noted() == ([], [])


def test_a_store_that_keeps_both_needs_none() -> None:
    sending = outbox(1)
    assert AckState(CommittedState(), durable=True).tie(sending, lambda tied: None) is None
    assert sending[0].sent is None


def test_a_queue_that_nobody_watches_forgets_them_too() -> None:
    queue, sending = make_queue(lambda: 0.0), outbox(1)
    offer(queue, messages(3))
    delivery = queue.take(2, timeout=0)
    assert delivery is not None
    queue.finish(delivery, 2, sending)
    assert queue.announcer.watch(0, 2, lambda ranges: None) == [(0, 1), (1, 2)]
    queue.announcer.unwatch()
    send(sending[0])
    assert queue.announcer.watch(0, 2, lambda ranges: None) == []
