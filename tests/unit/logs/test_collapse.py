"""Many lines of one kind."""

from __future__ import annotations

import gc
import logging
import threading
import weakref

import pytest
from twisted.internet.task import Clock

from hub.logs.collapse import LONGEST_LAST, MOST_KINDS, PER, REPEATS, Collapse, kind_of


def record(
    text: str, *values: object, level: int = logging.ERROR, name: str = "hubbub.consumer.c", **fields: object
) -> logging.LogRecord:
    made = logging.LogRecord(name, level, __file__, 1, text, values, None)
    made.__dict__.update(fields)
    return made


class Log(logging.Handler):
    """A handler that remembers what it shows."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.collapse = Collapse(self.handle, self.clock.seconds)
        self.addFilter(self.collapse)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def lines(self) -> list[str]:
        return [shown.getMessage() for shown in self.records]


def flood(log: Log, count: int = 100, text: str = "failed %d", **fields: object) -> None:
    for number in range(count):
        log.handle(record(text, number, **fields))  # type: ignore[arg-type]


def test_the_first_few_of_a_kind_are_shown() -> None:
    log = Log()
    flood(log)
    assert log.lines() == [f"failed {number}" for number in range(REPEATS)]


def test_when_the_time_is_over_the_next_record_of_any_kind_brings_the_number() -> None:
    log = Log()
    flood(log)
    log.clock.advance(PER)
    log.handle(record("another", level=logging.DEBUG))
    assert log.lines()[REPEATS:] == [f"... and {100 - REPEATS} more like it in 10 s, the last: failed 99", "another"]


def test_a_flush_brings_the_number_once_and_not_before_the_time_is_over() -> None:
    log = Log()
    flood(log)
    log.clock.advance(PER / 2)
    log.collapse.flush()
    assert len(log.records) == REPEATS
    for _ in range(3):
        log.clock.advance(PER / 2)
        log.collapse.flush()
    assert len(log.records) == REPEATS + 1


def test_the_last_flush_waits_for_nothing() -> None:
    log = Log()
    flood(log)
    log.clock.advance(3)
    log.collapse.flush(final=True)
    assert log.lines()[-1] == f"... and {100 - REPEATS} more like it in 3 s, the last: failed 99"


def test_the_number_comes_with_the_fields_of_the_last_one() -> None:
    log = Log()
    flood(log, action="bury", consumer="c")
    log.collapse.flush(final=True)
    last = log.records[-1].__dict__
    assert (last["action"], last["consumer"], last["repeated"], last["levelname"]) == ("bury", "c", 95, "ERROR")


def test_the_number_hides_no_name() -> None:
    log = Log()
    for number in range(12):
        log.handle(record("node %s has vanished", f"n{number}", node=f"n{number}"))
    log.handle(record("node %s has vanished", "n11", node="n11"))
    log.collapse.flush(final=True)
    names = ", ".join(f"n{number}" for number in range(REPEATS, 12))
    assert log.lines()[-1] == f"... and 8 more like it in 1 s ({names}), the last: node n11 has vanished"


def test_names_are_bounded() -> None:
    log = Log()
    for number in range(2000):
        log.handle(record("node has vanished", node=f"{number}" + "x" * 1000))
    log.collapse.flush(final=True)
    assert LONGEST_LAST < len(log.lines()[-1]) < LONGEST_LAST + 500
    assert " and others), the last: " in log.lines()[-1]


def test_a_flood_that_goes_on_is_told_of_in_each_period() -> None:
    log = Log()
    for _ in range(3):
        flood(log)
        log.clock.advance(PER)
    log.collapse.flush()
    assert len(log.records) == 3 * (REPEATS + 1)


def test_what_comes_seldom_is_always_shown() -> None:
    log = Log()
    for _ in range(50):
        log.handle(record("tick"))
        log.clock.advance(PER)
    log.collapse.flush(final=True)
    assert log.lines() == ["tick"] * 50


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (record("failed", consumer="a"), record("failed", consumer="b")),
        (record("failed", error="KeyError"), record("failed", error="ValueError")),
        (record("failed", action="retry"), record("failed", action="bury")),
        (record("failed"), record("failed", name="hubbub.consumer.d")),
        (record("failed"), record("failed", level=logging.INFO)),
        (record("failed"), record("broken")),
    ],
)
def test_these_are_different_kinds(one: logging.LogRecord, other: logging.LogRecord) -> None:
    assert kind_of(one) != kind_of(other)


def test_different_exceptions_are_different_kinds() -> None:
    one, other = record("failed"), record("failed")
    one.exc_info, other.exc_info = (KeyError, KeyError(), None), (ValueError, ValueError(), None)
    assert kind_of(one) != kind_of(other)


def test_texts_that_differ_in_their_values_are_one_kind_however_they_were_made() -> None:
    assert kind_of(record("failed %d", 1)) == kind_of(record("failed %d", 2))
    assert kind_of(record("message '2026-ab' failed 1 time")) == kind_of(record("message '2026-cd' failed 20 time"))


def test_what_an_operator_asked_for_is_shown_whole() -> None:
    log = Log()
    flood(log, name="hubbub.hub.process", action="reload")
    assert len(log.records) == 100


def test_the_number_of_kinds_is_bounded_and_what_is_forgotten_is_told_of() -> None:
    log = Log()
    flood(log)
    for number in range(3 * MOST_KINDS):
        log.handle(record("failed", consumer=str(number)))
    assert len(log.collapse._throttle) == MOST_KINDS
    assert sum("more like it" in line for line in log.lines()) == 1


def test_what_is_not_shown_is_not_held() -> None:
    class Large:
        pass

    log = Log()
    large = Large()
    gone = weakref.ref(large)
    flood(log)
    log.handle(record("failed %d and %s", 1, large))
    for _ in range(REPEATS):
        log.handle(record("failed %d and %s", 2, large))
    log.records.clear()
    del large
    gc.collect()
    assert gone() is None


def test_a_line_with_the_wrong_values_stops_nothing() -> None:
    log = Log()
    for _ in range(REPEATS + 1):
        log.collapse.filter(record("failed %d", "x"))
    log.collapse.flush(final=True)
    assert log.lines() == ["... and 1 more like it in 1 s, the last: failed %d"]


def test_a_line_that_can_not_say_what_it_is_stops_nothing() -> None:
    class Mute:
        def __str__(self) -> str:
            raise ValueError("no text")

    log = Log()
    for _ in range(REPEATS + 1):
        log.collapse.filter(record(Mute()))  # type: ignore[arg-type]
    log.collapse.flush(final=True)
    assert log.lines() == ["... and 1 more like it in 1 s, the last: Mute"]


def test_a_long_line_of_letters_takes_no_long_time_and_little_memory() -> None:
    """Base64 of zeros, say. From each letter anew, it would be looked at for a minute."""
    log = Log()
    for _ in range(REPEATS + 1):
        log.handle(record("it can't be read: " + "A" * 300_000))
    (burst,) = log.collapse._throttle._bursts.values()
    assert burst.last is not None
    assert len(burst.last.msg) == LONGEST_LAST


def test_threads_lose_no_line() -> None:
    log = Log()
    threads = [threading.Thread(target=flood, args=(log, 1000)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    log.collapse.flush(final=True)
    assert log.records[-1].__dict__["repeated"] == 4000 - REPEATS
    assert len(log.records) == REPEATS + 1
