"""Sends: the receipts of what was taken, and the ERROR for what was not."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.backends.stomp.frame import encode
from hub.backends.stomp.sends import REFUSAL_WAITS
from tests.unit.backends.stomp.bench import Bench, Line, fill, frame, send


@pytest.fixture
def small(tmp_path: Path) -> Bench:
    return Bench(tmp_path, queue_backlog=2)


def test_what_was_stored_has_its_receipts_before_the_error(small: Bench) -> None:
    """Those of another queue and of a topic, too, and also where receipts have the same id."""
    line = small.line()
    line.write(
        *send("/queue/q", 1, receipt="same"),
        *send("/topic/t", 2, receipt="topic"),
        *send("/queue/q", 3, 4, receipt="same"),
        *send("/queue/other", 5, receipt="other"),
        *send("/queue/q", 6, receipt="six"),
    )
    assert line.receipts() == ["topic"]
    assert not line.over
    line.do("SEND", b"7", destination="/queue/third", receipt="late")  # sent before the client knows
    small.commit()
    found = line.frames()
    assert sorted(one.headers["receipt-id"] for one in found[:-1]) == ["other", "same", "same"]
    assert (found[-1].command, found[-1].headers["receipt-id"]) == ("ERROR", "same")
    assert "/queue/q is full: 2 of the last messages were not taken" in found[-1].headers["message"]
    assert (small.backlog("q"), small.backlog("other"), line.over) == (2, 1, True)
    assert small.hall.declared.named("third") is None


def test_a_frame_that_is_wrong_takes_no_receipts_from_those_before_it(small: Bench) -> None:
    line = small.line()
    line.write(*send("/queue/q", 1, receipt="a"), frame("SEND", b"2", destination="nowhere", receipt="b"))
    assert line.frames() == []
    small.commit()
    assert [(one.command, one.headers["receipt-id"]) for one in line.frames()] == [("RECEIPT", "a"), ("ERROR", "b")]


def test_a_stream_that_breaks_takes_no_receipts_from_the_frames_before(small: Bench) -> None:
    line = small.line()
    line.write(*send("/queue/q", 1, receipt="a"))
    error = encode("ERROR", {"message": "it can't be parsed"})
    line.session.broken(lambda: line.close(error))
    assert not line.over
    small.commit()
    assert [one.command for one in line.frames()] == ["RECEIPT", "ERROR"]


def test_a_stream_that_breaks_ends_at_once_where_nothing_has_a_receipt_to_come(small: Bench) -> None:
    ended: list[object] = []
    small.line().session.broken(lambda: ended.append("logged in"))
    Line(small).session.broken(lambda: ended.append("not logged in"))
    assert ended == ["logged in", "not logged in"]


def test_an_error_waits_only_so_long_for_a_disk_that_is_full(small: Bench) -> None:
    line = small.line()
    line.write(*send("/queue/q", 1, 2, 3, receipt="a"))
    small.advance(REFUSAL_WAITS - 0.1)
    assert line.frames() == []
    small.advance(0.1)
    assert "is full" in line.error()


def test_a_disconnect_after_a_refused_send_has_no_receipt(small: Bench) -> None:
    line = small.line()
    line.write(*send("/queue/q", 1, 2, 3), frame("DISCONNECT", receipt="bye"))
    small.commit()
    assert [one.command for one in line.frames()] == ["ERROR"]


def test_a_commit_without_room_settles_nothing_and_has_no_receipt_and_others_have(small: Bench) -> None:
    fill(small, 2, "/queue/in")
    small.commit()
    line = small.line()
    line.do("SUBSCRIBE", id="s", destination="/queue/in", ack="client-individual")
    first, second = (one.headers["ack"] for one in line.messages())
    for name in ("good", "bad"):
        line.do("BEGIN", transaction=name)
    line.do("SEND", b"1", destination="/queue/q", transaction="good")
    line.do("ACK", id=first, transaction="good")
    for body in (b"2", b"3"):
        line.do("SEND", body, destination="/queue/q", transaction="bad")
    line.do("ACK", id=second, transaction="bad")
    line.write(*(frame("COMMIT", transaction=name, receipt=name) for name in ("good", "bad")))
    small.commit()
    assert [(one.command, one.headers.get("receipt-id")) for one in line.frames()] == [
        ("RECEIPT", "good"),
        ("ERROR", None),
    ]
    assert small.backlog("in") == 1
