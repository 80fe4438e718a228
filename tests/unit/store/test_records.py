"""Records: what goes in comes out, and whatever happened to it on the disk is noticed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.deadletter import DeadLetter
from hub.message import NO_HEADERS, HeaderValue, Message
from hub.stats.counters import Counters
from hub.store import records as r
from hub.store.records import DamagedError
from tests.unit.doubles import message, messages

texts = st.text(max_size=9)
anything = st.builds(
    Message,
    id=texts,
    topic=texts,
    body=st.binary(max_size=20),
    headers=st.dictionaries(texts, texts | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9), max_size=2),
    received_at=st.floats(allow_nan=False),
    backend=texts,
)


def page(batch: list[Message]) -> r.PlainPage:
    return r.Page.of(7, 12.5, batch, [(1, 100, None), (2, 50, [0])])


def back(value: bytes | bytearray) -> r.Page:
    return r.unseal(r.PAGE, r.pages, bytes(value))


@given(st.lists(anything, min_size=1, max_size=5))
def test_the_messages_of_a_page_come_back_byte_for_byte(batch: list[Message]) -> None:
    found = back(r.seal(r.PAGE, page(batch)))
    assert found.messages() == batch
    assert (found.number, found.stored_at, found.shares) == (7, 12.5, [(1, 100, None), (2, 50, [0])])


@given(anything, st.integers(2, 9))
def test_so_do_many_that_are_alike(one: Message, count: int) -> None:
    assert back(r.seal(r.PAGE, page([one] * count))).messages() == [one] * count


def test_a_column_of_equal_values_is_written_once() -> None:
    found = page(messages(5))
    assert (len(found.topics), len(found.backends), len(found.headers)) == (1, 1, 1)
    assert (len(found.ids), len(found.received_at)) == (5, 5)


@pytest.mark.parametrize("others", [(True, 1.0), ("1",), (1,), (0.0, -0.0, 0, False)])
def test_headers_that_are_equal_and_not_alike_keep_their_types(others: tuple[HeaderValue, ...]) -> None:
    batch = [Message("x", "t", b"", {"h": value}) for value in (1, *others)]
    found = back(r.seal(r.PAGE, page(batch))).messages()
    assert [repr(one.headers["h"]) for one in found] == [repr(value) for value in (1, *others)]


def test_a_header_that_no_bus_may_bring_is_no_reason_to_write_no_page() -> None:
    odd: Any = {"l": [1], "big": 1 << 70}
    with pytest.raises(TypeError):
        page([Message("x", "t", b"", odd)])
    assert r.cleaned(Message("x", "t", b"", odd)).headers == {"l.json": "[1]", "big.json": str(1 << 70)}


def test_messages_without_headers_share_none() -> None:
    found = back(r.seal(r.PAGE, page(messages(2)))).messages()
    assert all(one.headers is NO_HEADERS for one in found)


@given(st.data())
def test_a_flipped_bit_is_noticed_wherever_it_is(data: st.DataObject) -> None:
    value = r.seal(r.PAGE, page(messages(3)))
    at = data.draw(st.integers(0, len(value) - 1))
    value[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(DamagedError):
        back(value)


@given(st.data())
def test_so_is_a_part_that_is_missing(data: st.DataObject) -> None:
    value = r.seal(r.PAGE, page(messages(3)))
    with pytest.raises(DamagedError):
        back(value[: data.draw(st.integers(0, len(value) - 1))])


@given(st.binary(max_size=40))
def test_what_follows_a_record_does_not_matter(rest: bytes) -> None:
    assert back(bytes(r.seal(r.PAGE, page(messages(2)))) + rest).messages() == messages(2)


@given(st.binary(max_size=200))
def test_noise_is_damaged(noise: bytes) -> None:
    with pytest.raises(DamagedError):
        back(noise)


def test_a_record_of_another_kind_is_none() -> None:
    with pytest.raises(DamagedError, match="no record of this kind"):
        r.unseal(r.QUEUE, r.queues, bytes(r.seal(r.PAGE, page(messages(1)))))


def test_content_that_was_sealed_wrong_is_damaged() -> None:
    with pytest.raises(DamagedError, match="can't be decoded"):
        r.unseal(r.PAGE, r.pages, bytes(r.seal(r.PAGE, ["no", "page"])))


def test_a_view_of_the_disk_will_do() -> None:
    value = bytes(r.seal(r.PAGE, page(messages(2))))
    found = r.unseal(r.PAGE, r.pages, memoryview(value))
    assert found.messages() == messages(2)


def test_a_queue_comes_back() -> None:
    counters = Counters(received=9, finished=3, dropped_oldest=1)
    record = r.QueueRecord(3, "q", 1.5, 9, 2, [(4, 6)], counters, 77, 5, 2, 1)
    assert r.unseal(r.QUEUE, r.queues, bytes(r.seal(r.QUEUE, record))) == record


def test_a_dead_letter_comes_back_with_its_number() -> None:
    letter = DeadLetter(message(1, header="é"), "réason", 3, 99.5, "KeyError", "Traceback")
    value = r.seal(r.LETTER, r.LetterRecord.of(2, 8, letter))
    found = r.unseal(r.LETTER, r.letters, bytes(value)).letter()
    assert found == DeadLetter(message(1, header="é"), "réason", 3, 99.5, "KeyError", "Traceback", 8)


def test_a_dead_letter_of_any_text_can_be_written() -> None:
    """The error about a file whose name is not UTF-8 has lone surrogates."""
    letter = DeadLetter(message(1), "no file \udcff", 3, 99.5, "Error\udcff", "Traceback \udcff")
    found = r.unseal(r.LETTER, r.letters, bytes(r.seal(r.LETTER, r.LetterRecord.of(2, 8, letter)))).letter()
    assert found.reason == "no file \\udcff"


def test_an_outgoing_message_comes_back() -> None:
    record = r.OutgoingRecord(5, "bus", r.flat(message(3, header="x")))
    found = r.unseal(r.OUTGOING, r.outgoings, bytes(r.seal(r.OUTGOING, record)))
    assert (found.number, found.backend, r.unflat(found.message)) == (5, "bus", message(3, header="x"))


def test_a_message_of_any_text_can_be_cleaned() -> None:
    one = Message("id\udcff", "t\udcff", b"\xff", {"h\udcff": "v\udcff"}, 3, "b")
    assert r.cleaned(one) == Message("id\\udcff", "t\\udcff", b"\xff", {"h\\udcff": "v\\udcff"}, 3.0, "b")
