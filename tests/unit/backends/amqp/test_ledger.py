"""Which acknowledgements a channel is sent."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.backends.amqp.ledger import Ledger


def filled(count: int) -> Ledger:
    ledger = Ledger()
    for tag in range(1, count + 1):
        ledger.add(tag)
    return ledger


def test_a_settled_beginning_is_one_acknowledgement() -> None:
    ledger = filled(5)
    assert ledger.acknowledge([2, 1, 3]) == [(3, True)]
    assert len(ledger) == 2


def test_what_is_settled_beyond_it_waits_for_none() -> None:
    ledger = filled(5)
    assert ledger.acknowledge([3, 5]) == [(3, False), (5, False)]
    assert len(ledger) == 3
    # 3 was told of: the broker does not know it any more, and would end the channel.
    assert ledger.acknowledge([1, 2]) == [(2, True)]
    assert ledger.acknowledge([4]) == [(4, True)]
    assert len(ledger) == 0


def test_settled_and_unknown_ones_are_left_out() -> None:
    ledger = filled(2)
    assert ledger.acknowledge([1, 1]) == [(1, True)]
    assert ledger.acknowledge([1, 3]) == []
    assert ledger.refuse(2)
    assert not ledger.refuse(2)


def test_what_follows_one_that_is_worked_on_for_long_takes_no_memory() -> None:
    ledger = Ledger()
    ledger.add(1)
    for tag in range(2, 5000):
        ledger.add(tag)
        assert ledger.acknowledge([tag]) == [(tag, False)]
    assert len(ledger) == 1
    assert max(len(one) for one in vars(ledger).values() if hasattr(one, "__len__")) == 1


@given(st.data())
def test_a_broker_is_told_of_each_message_once_and_never_of_one_it_forgot(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 20))
    ledger, unacked, settled = filled(count), set(range(1, count + 1)), set[int]()
    for _ in range(data.draw(st.integers(1, 10))):
        tags, refused = data.draw(st.tuples(st.lists(st.integers(1, count)), st.booleans()))
        if tags and refused:
            if ledger.refuse(tags[0]):
                unacked.remove(tags[0])
            settled.add(tags[0])
            continue
        settled.update(tags)
        for tag, multiple in ledger.acknowledge(tags):
            assert tag in unacked  # else RabbitMQ closes the channel
            unacked -= {one for one in unacked if one <= tag} if multiple else {tag}
        assert unacked == set(range(1, count + 1)) - settled
        assert len(ledger) == len(unacked)
