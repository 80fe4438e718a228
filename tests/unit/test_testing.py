"""The bench that authors of consumers test on: it does what the hub does, and shows it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from hub import Consumer, Message, Retry
from hub.errors import ConfigError
from hub.testing.bench import Bench, Benches
from tests.unit.doubles import Scripted
from tests.unit.greeter import Greeter, ids


class Batches(Scripted):
    batch_wait = "10m"
    batches: list[list[str]]

    def start(self) -> None:
        self.batches = []

    def consume_batch(self, messages: Sequence[Message]) -> None:
        self.batches.append([message.id for message in messages])
        for message in messages:
            if self.script.get(message.id):
                raise self.script[message.id].pop(0)


def scripted(bench: Bench[Batches] | Bench[Scripted], id_: str, *errors: BaseException) -> None:
    """What the consumer raises for that message, one after the other."""
    bench.consumer.script[id_] = list(errors)


# -- making


def test_settings_are_checked_as_those_of_the_file_are(hubbub: Benches) -> None:
    with pytest.raises(ConfigError) as found:
        hubbub(Greeter, greting="hello", threads="3", pause="soon")
    assert [problem.partition(", not ")[0] for problem in sorted(found.value.problems)] == [
        "test: consumers.greeter.greting: unknown setting; did you mean 'greeting'?",
        "test: consumers.greeter.pause: expected a duration such as '250ms', '30s' or '1h30m'",
        "test: consumers.greeter.threads: expected a whole number",
    ]


def test_a_class_that_can_not_serve_is_told_so(hubbub: Benches) -> None:
    class Async(Consumer):
        async def consume(self, message: Message) -> None:  # type: ignore[override]
            pass

    class Failing(Scripted):
        def __init__(self, context: object) -> None:
            raise OSError("no")

    with pytest.raises(ConfigError, match=r"has an async consume\(\)"):
        hubbub(Async)
    with pytest.raises(ConfigError, match=r"consumers\.failing: Failing\(\) failed: OSError"):
        hubbub(Failing)


def test_relative_paths_and_the_state_are_in_the_tests_directory(hubbub: Benches, tmp_path: Path) -> None:
    bench = hubbub(Greeter, place="file.db", greeting="hello")
    assert (bench.consumer.config.place, bench.consumer.context.state_dir) == (tmp_path / "file.db", tmp_path)
    assert bench.consumer.config.greeting == "hello"


# -- what becomes of messages


def test_a_message_is_finished_and_what_was_published_for_it_goes_out(hubbub: Benches) -> None:
    bench = hubbub(Greeter, greeting="hello")
    bench.deliver("org.example.a", {"n": 1}, {"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"})
    assert (bench.backlog, bench.finished, bench.published) == (1, [], [])
    bench.run()
    assert ids(bench.finished) == ["1"]
    (published,) = bench.published
    assert (published.topic, published.json(), published.backend) == ("org.example.greeting", {"said": "hello"}, "bus")
    assert str(published.headers["traceparent"]).split("-")[1] == "a" * 32
    assert (bench.backlog, bench.counters.received, bench.counters.finished) == (0, 1, 1)


def test_bodies_ids_and_headers_are_as_they_were_delivered(hubbub: Benches) -> None:
    bench = hubbub(Scripted)
    assert [bench.deliver("a", b"\xff"), bench.deliver("a", "text", id="x"), bench.deliver("a", [1])] == ["1", "x", "3"]
    bench.deliver("a", 1, {"color": "red"})
    bench.run()
    assert [message.body for message in bench.finished] == [b"\xff", b"text", b"[1]", b"1"]
    assert bench.finished[3].headers == {"color": "red"}


def test_what_is_not_of_its_topics_does_not_reach_it(hubbub: Benches) -> None:
    bench = hubbub(Greeter)
    bench.deliver("com.example.a", {})
    bench.run()
    assert (bench.backlog, bench.finished, bench.unrouted) == (0, [], 1)
    other = hubbub(Greeter, topics=["com.#"])
    other.deliver("com.example.a", {})
    other.run()
    assert ids(other.finished) == ["1"]


def test_a_retry_comes_after_its_delay_and_counts_as_no_failure(hubbub: Benches) -> None:
    bench = hubbub(Scripted, max_attempts=2)
    scripted(bench, "1", Retry(5, "busy"), Retry(0.1), Retry(0.1))
    bench.deliver("a", {})
    bench.run()
    (delayed,) = bench.retries
    assert (delayed.message.id, delayed.attempts, delayed.due_in, delayed.why) == ("1", 1, 5.0, "Retry: busy")
    bench.advance(4)
    bench.run()
    assert (bench.retries[0].due_in, bench.finished) == (1.0, [])
    bench.advance(1)
    bench.run()
    assert bench.retries[0].attempts == 2
    bench.run_to_the_end()
    assert (ids(bench.finished), bench.retries, bench.counters.failed, bench.counters.retried) == (["1"], [], 0, 3)


def test_what_was_sent_before_a_retry_or_a_rejection_is_not_published(hubbub: Benches) -> None:
    bench = hubbub(Greeter, max_attempts=1)
    for said in ("retry", "reject", "fail"):
        bench.deliver("org.example.a", {said: "why"})
    bench.run()
    assert (bench.published, len(bench.retries), len(bench.dead_letters)) == ([], 1, 2)


def test_a_rejected_message_is_a_dead_letter_at_once(hubbub: Benches) -> None:
    bench = hubbub(Greeter)
    bench.deliver("org.example.a", {"reject": "no rev"})
    bench.run()
    (letter,) = bench.dead_letters
    assert (letter.reason, letter.error, letter.attempts, letter.message.id) == ("no rev", "Reject", 1, "1")


def test_a_failure_is_tried_again_with_backoff_and_then_a_dead_letter(hubbub: Benches) -> None:
    bench = hubbub(Greeter, max_attempts=3, backoff="2s", backoff_limit="3s")
    bench.deliver("org.example.a", {"fail": "rev"})
    bench.run()
    assert (bench.retries[0].due_in, bench.retries[0].why) == (2.0, "KeyError: 'rev'")
    bench.advance(2)
    bench.run()
    assert bench.retries[0].due_in == 3.0
    bench.advance(3)
    bench.run()
    (letter,) = bench.dead_letters
    assert (letter.error, letter.attempts, bench.counters.failed) == ("KeyError", 3, 3)
    assert "in consume" in letter.traceback


def test_dead_letters_beyond_max_dead_go(hubbub: Benches) -> None:
    bench = hubbub(Greeter, max_dead=2)
    for number in range(3):
        bench.deliver("org.example.a", {"reject": str(number)})
    bench.run()
    assert [letter.reason for letter in bench.dead_letters] == ["1", "2"]


def test_run_to_the_end_says_so_if_there_is_none(hubbub: Benches) -> None:
    class Never(Consumer):
        def consume(self, message: Message) -> None:
            raise Retry(1)

    bench = hubbub(Never)
    bench.deliver("a", {})
    with pytest.raises(AssertionError, match=r"never is not done after 10000 rounds: .*Retry"):
        bench.run_to_the_end()


def test_batches_are_batches_and_a_bad_message_goes_alone(hubbub: Benches) -> None:
    bench = hubbub(Batches, batch_size=3, max_attempts=1)
    scripted(bench, "2", KeyError("a"), KeyError("b"))
    for _ in range(4):
        bench.deliver("a", {})
    began = time.monotonic()
    bench.run()
    assert time.monotonic() - began < 60, "batch_wait is not waited for"
    assert bench.consumer.batches == [["1", "2", "3"], ["1"], ["2"], ["3"], ["4"]]
    assert (ids(bench.finished), ids([one.message for one in bench.dead_letters])) == (["1", "3", "4"], ["2"])


def test_a_batch_that_is_to_come_later_pauses_the_worker(hubbub: Benches) -> None:
    bench = hubbub(Batches, batch_size=2)
    scripted(bench, "1", Retry(7))
    for _ in range(3):
        bench.deliver("a", {})
    bench.run()
    assert ([one.due_in for one in bench.retries], bench.finished) == ([7.0, 7.0], [])
    bench.run_to_the_end()
    assert ids(bench.finished) == ["1", "2", "3"]


def test_strict_order_lets_nothing_pass(hubbub: Benches) -> None:
    bench = hubbub(Scripted, ordering="strict")
    scripted(bench, "1", Retry(1))
    bench.deliver("a", {})
    bench.deliver("a", {})
    bench.run()
    assert (bench.finished, len(bench.retries), bench.backlog) == ([], 1, 2)
    bench.advance(1)
    bench.run()
    assert ids(bench.finished) == ["1", "2"]


def test_what_becomes_too_old_is_dropped(hubbub: Benches) -> None:
    bench = hubbub(Scripted, max_age="10s")
    bench.deliver("a", {})
    bench.advance(11)
    bench.run()
    assert (bench.finished, bench.counters.dropped_expired) == ([], 1)


def test_a_full_queue_holds_the_bus_back_and_lets_it_go(hubbub: Benches) -> None:
    bench = hubbub(Scripted, max_backlog=2)
    for _ in range(5):
        bench.deliver("a", {})
    assert bench.backlog < 5
    bench.run()
    assert ids(bench.finished) == ["1", "2", "3", "4", "5"]
    dropping = hubbub(Scripted, max_backlog=2, overflow="drop_newest")
    for _ in range(5):
        dropping.deliver("a", {})
    dropping.run()
    assert (ids(dropping.finished), dropping.counters.dropped_newest) == (["1", "2"], 3)
