"""What is kept of an attempt that failed."""

from __future__ import annotations

from hub.errors import Reject
from hub.failure import LONGEST, Failure, latest, told
from tests.unit.doubles import Bench, message


def test_it_names_the_error_the_message_and_the_attempt() -> None:
    failure = Failure.of(KeyError("user"), 5.0, message(7, "a.b"), 2)
    assert failure == Failure(5.0, "KeyError", "'user'", "a.b", "7", 2)


def test_a_long_text_is_cut() -> None:
    assert len(Failure.of(ValueError("x" * 10 * LONGEST), 0.0, message(1), 1).text) == LONGEST


def test_a_text_that_utf_8_does_not_have_can_be_told_all_the_same() -> None:
    """A status with the text in it is JSON."""
    failure = Failure.of(ValueError("name\udcff"), 0.0, message(1), 1)
    assert failure.text == "name\\udcff"
    assert told(ValueError("\ud800")) == "ValueError: \\ud800"


def test_so_can_that_of_a_dead_letter() -> None:
    bench = Bench(max_attempts=1)
    bench.consumer.script = {"0": [Reject("no \ud800")], "1": [ValueError("\udcff")]}
    bench.offer(message(0), message(1))
    bench.run_to_the_end()
    rejected, failed = bench.queue.stored.dead_letters()
    assert rejected.reason == "no \\ud800"
    assert failed.traceback.endswith("ValueError: \\udcff\n")


def test_the_latest_is_the_last_by_its_time() -> None:
    first, second = (Failure.of(OSError(), now, message(1), 1) for now in (1.0, 2.0))
    assert latest(None, second, first) is second
    assert latest(None, None) is None


class Mute(Exception):
    def __str__(self) -> str:
        raise ZeroDivisionError


def test_an_error_that_can_not_say_what_it_is_is_named_all_the_same() -> None:
    assert told(Mute()) == "Mute: (its text can't be shown: ZeroDivisionError)"
    assert told(KeyError("x")) == "KeyError: 'x'"


def test_such_an_error_costs_no_worker_its_life() -> None:
    bench = Bench(max_attempts=2)
    bench.consumer.script = {"0": [Mute(), Mute()]}
    bench.offer(message(0), message(1))
    bench.run_to_the_end()
    counters = bench.queue.stats().counters
    assert (counters.finished, counters.dead) == (1, 1)
