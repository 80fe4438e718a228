"""Tallies say how many were sent to whom, in bounded space."""

from __future__ import annotations

import threading

from hub import jsontext
from hub.consumers.sending.tally import MOST_REMEMBERED, MOST_SHOWN, Tally


def test_numbers_by_destination_and_their_sums() -> None:
    tally = Tally(lambda: 5.0)
    tally.sent("a")
    tally.sent("a")
    tally.temporary("a")
    tally.for_good("b")
    tally.left_out()
    assert tally.status() == {
        "sent": 2,
        "temporary": 1,
        "for_good": 1,
        "last": 5.0,
        "left_out": 1,
        "destinations": {
            "b": {"sent": 0, "temporary": 0, "for_good": 1, "last": 0.0},
            "a": {"sent": 2, "temporary": 1, "for_good": 0, "last": 5.0},
        },
    }


def test_it_is_bounded_whatever_names_come() -> None:
    tally = Tally(lambda: 1.7e9)
    for number in range(MOST_REMEMBERED + 50):
        tally.sent(f"{number}\n\x1b[31m" + "\U0001f600" * 300)
    assert len(tally._counts) == MOST_REMEMBERED
    found = tally.status()
    assert (found["sent"], len(found["destinations"])) == (MOST_REMEMBERED + 50, MOST_SHOWN)
    assert len(jsontext.write(found)) < 4096
    assert "\n" not in str(found)
    assert "\x1b" not in str(found)


def test_threads_lose_no_count() -> None:
    tally = Tally(lambda: 1.0)

    def count() -> None:
        for _ in range(2000):
            tally.sent("a")

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tally.status()["sent"] == 8000
