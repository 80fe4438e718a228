"""Transactions: what waits for a COMMIT, within bounds."""

from __future__ import annotations

import pytest

from hub.backends.stomp.frame import Frame, ProtocolError
from hub.backends.stomp.transaction import Transactions


def send(body: bytes = b"") -> Frame:
    return Frame("SEND", {"destination": "/queue/a"}, body)


def test_frames_come_back_in_order_and_transactions_are_apart() -> None:
    transactions = Transactions(2, 10, 100)
    one, two, three = send(b"1"), send(b"2"), send(b"3")
    for name in "ab":
        transactions.begin(name)
    transactions.add("a", one)
    transactions.add("b", two)
    transactions.add("a", three)
    assert transactions.end("a") == [one, three]
    assert transactions.end("b") == [two]
    assert len(transactions) == 0


@pytest.mark.parametrize("name", ["add", "end"])
def test_one_that_is_not_open_is_an_error(name: str) -> None:
    transactions = Transactions(2, 10, 100)
    with pytest.raises(ProtocolError, match="'x'"):
        transactions.add("x", send()) if name == "add" else transactions.end("x")


def test_one_that_is_open_can_not_begin_again() -> None:
    transactions = Transactions(2, 10, 100)
    transactions.begin("a")
    with pytest.raises(ProtocolError, match="already"):
        transactions.begin("a")


def test_their_number_is_bounded() -> None:
    transactions = Transactions(2, 10, 100)
    transactions.begin("a")
    transactions.begin("b")
    with pytest.raises(ProtocolError, match="2 transactions"):
        transactions.begin("c")
    transactions.end("a")
    transactions.begin("c")


@pytest.mark.parametrize("body", [b"", b"x" * 51])
def test_what_all_of_them_hold_is_bounded_and_ends_with_them(body: bytes) -> None:
    transactions = Transactions(2, 2, 102)
    transactions.begin("a")
    transactions.begin("b")
    transactions.add("a", send(body))
    transactions.add("b", send(body))
    with pytest.raises(ProtocolError, match="too large"):
        transactions.add("a", send(b"x"))
    transactions.end("b")
    transactions.add("a", send(b"x"))
