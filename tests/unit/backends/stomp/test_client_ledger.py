"""Which deliveries the broker is told about, and when."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from hub.backends.stomp.client_ledger import Delivery, Ledger, Told, Verdict

ACK, NACK = Verdict.ACK, Verdict.NACK


def ids(told: list[Told]) -> list[str]:
    return [f"{'+' if verdict is ACK else '-'}{one.ack_id}" for verdict, one in told]


def filled(ledger: Ledger, *names: str) -> list[Delivery]:
    """Deliveries; the first letter of a name is its subscription."""
    return [ledger.add(name[0], name) for name in names]


def test_one_ack_settles_the_beginning() -> None:
    ledger = Ledger(cumulative=True)
    one, two, three = filled(ledger, "a1", "a2", "a3")
    assert ids(ledger.settle([three, one], ACK)) == ["+a1"]
    assert len(ledger) == 2
    assert ids(ledger.settle([two], ACK)) == ["+a3"]
    assert len(ledger) == 0


def test_each_subscription_of_the_beginning_has_its_ack() -> None:
    ledger = Ledger(cumulative=True)
    deliveries = filled(ledger, "a1", "b2", "a3", "b4")
    assert ids(ledger.settle(deliveries[:3], ACK)) == ["+a3", "+b2"]


def test_a_nack_takes_no_earlier_one_along() -> None:
    ledger = Ledger(cumulative=True)
    one, two, three = filled(ledger, "a1", "a2", "a3")
    assert ledger.settle([two], NACK) == []
    assert ids(ledger.settle([three], ACK)) == []
    assert ids(ledger.settle([one], ACK)) == ["+a1", "-a2", "+a3"]


def test_individual_ones_are_told_at_once() -> None:
    ledger = Ledger(cumulative=False)
    one, two, three = filled(ledger, "a1", "a2", "a3")
    assert ids(ledger.settle([three, one], ACK)) == ["+a3", "+a1"]
    assert len(ledger) == 1
    assert ids(ledger.settle([two], NACK)) == ["-a2"]
    assert len(ledger) == 0


def test_a_delivery_is_settled_once() -> None:
    for cumulative in (True, False):
        ledger = Ledger(cumulative)
        (one,) = filled(ledger, "a1")
        assert ids(ledger.settle([one, one], ACK)) != []
        assert ledger.settle([one], NACK) == []
        assert len(ledger) == 0


def test_those_of_another_connection_are_left_out() -> None:
    old, new = Ledger(cumulative=True), Ledger(cumulative=True)
    late, mine = filled(old, "a1")[0], filled(new, "a1")[0]
    assert ids(new.settle([late, mine], ACK)) == ["+a1"]
    assert len(old) == 1


@given(st.lists(st.sampled_from("ab"), min_size=1, max_size=30), st.randoms(use_true_random=False), st.booleans())
def test_a_broker_never_forgets_what_is_not_settled(order: str, chance: random.Random, crossing: bool) -> None:
    """However a broker counts: an ACK is cumulative in its subscription, or, as in RabbitMQ, in all of them."""
    ledger = Ledger(cumulative=True)
    deliveries = [ledger.add(subscription, str(number)) for number, subscription in enumerate(order)]
    held = dict(enumerate(order))
    buried: set[int] = set()
    settled: set[int] = set()
    shuffled = list(deliveries)
    chance.shuffle(shuffled)
    for delivery in shuffled:
        verdict = chance.choice([ACK, ACK, ACK, NACK])
        settled.add(int(delivery.ack_id))
        for told, one in ledger.settle([delivery], verdict):
            reach = [n for n, name in held.items() if n <= int(one.ack_id) and (crossing or name == one.subscription)]
            for number in reach:
                del held[number]
                assert number in settled
                if told is NACK:
                    buried.add(number)
    assert held == {}
    assert buried == {int(one.ack_id) for one in deliveries if one.verdict is NACK}


def test_the_open_ones_of_a_subscription_are_counted() -> None:
    for cumulative in (True, False):
        ledger = Ledger(cumulative)
        one, _, three = filled(ledger, "a1", "a2", "b3")
        assert (ledger.of("a"), ledger.of("b"), ledger.of("c"), len(ledger)) == (2, 1, 0, 3)
        ledger.settle([one], ACK)
        ledger.settle([three], NACK)
        assert (ledger.of("a"), ledger.of("b")) == (1, 1 if cumulative else 0)
