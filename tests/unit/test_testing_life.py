"""The bench's buses, clock and life, and the fixture as pytest finds it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from hub import Consumer, Message
from hub.errors import CannotPublish
from hub.testing.bench import Benches
from tests.unit.doubles import Scripted
from tests.unit.greeter import Greeter, ids

pytest_plugins = ("pytester",)


def test_a_consumer_may_choose_between_buses(hubbub: Benches) -> None:
    class Choosing(Consumer):
        def consume(self, message: Message) -> None:
            self.context.publish("a", 1, backend=str(message.headers["bus"]) if "bus" in message.headers else None)

    hubbub.buses = ("one", "two")
    bench = hubbub(Choosing, max_attempts=1)
    for headers in ({"bus": "two"}, {"bus": "one"}, {"bus": "three"}, {}):
        bench.deliver("a", {}, headers)
    bench.run()
    assert [message.backend for message in bench.published] == ["two", "one"]
    assert [letter.error for letter in bench.dead_letters] == [CannotPublish.__name__] * 2


def test_tick_is_called_when_the_test_says_so_and_publishes_at_once(hubbub: Benches) -> None:
    bench = hubbub(Greeter)
    bench.tick()
    bench.tick()
    assert [message.json() for message in bench.published] == [1, 2]


def test_the_clock_stands_still_where_it_was_told_to(hubbub: Benches) -> None:
    hubbub.began = 1_000_000.0
    bench = hubbub(Scripted)
    bench.deliver("a", {})
    bench.advance(60)
    bench.deliver("a", {})
    bench.run()
    assert [message.received_at for message in bench.finished] == [1_000_000.0, 1_000_060.0]


def test_start_comes_first_and_what_it_raises_comes_out(hubbub: Benches) -> None:
    class Starting(Scripted):
        starts = 0
        away = True

        def start(self) -> None:
            self.starts += 1
            if self.away:
                raise OSError("away")

    bench = hubbub(Starting)
    bench.deliver("a", {})
    with pytest.raises(OSError, match="away"):
        bench.run()
    assert (bench.backlog, bench.consumer.starts) == (1, 1)
    bench.consumer.away = False
    bench.run()
    bench.run()
    assert (ids(bench.finished), bench.consumer.starts) == (["1"], 2)


def test_consumers_that_have_started_are_stopped(tmp_path: Path) -> None:
    benches = Benches(tmp_path)
    begun, never = benches(Greeter), benches(Greeter)
    begun.start()
    benches.stop()
    assert [bench.consumer.stopped for bench in (begun, never)] == [True, False]


# -- as a plugin of pytest

SAMPLE = """
from hub import Consumer, Reject

class Picky(Consumer):
    topics = ("a.#",)

    def consume(self, message):
        if not message.json():
            raise Reject("empty")
        self.log.warning("I have it")

    def stop(self):
        print("stopped")

def test_it_is_picky(hubbub, caplog):
    bench = hubbub(Picky)
    bench.deliver("a.b", {})
    bench.deliver("a.b", {"n": 1})
    bench.run()
    assert [letter.reason for letter in bench.dead_letters] == ["empty"]
    assert len(bench.finished) == 1
    assert "I have it" in caplog.text

def test_it_fails(hubbub):
    assert hubbub(Picky).finished
"""


def test_pytest_finds_the_fixture_without_being_told(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SAMPLE)
    result = pytester.runpytest_subprocess("-rP")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*stopped*"])
    pytester.runpytest_subprocess("--fixtures").stdout.fnmatch_lines(
        ["hubbub*testing*", "*puts a consumer on a bench*"]
    )


LOADED = """
import sys
import hub.testing
print([name for name in ("twisted", "lmdb", "zmq", "sqlalchemy", "click", "rich") if name in sys.modules])
"""


def test_a_run_of_pytest_that_does_not_use_it_imports_next_to_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_bench_has_no_threads(hubbub: Benches, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr("threading.Thread.start", started.append)
    run: Callable[[], None] = hubbub(Scripted, threads=4).run
    run()
    assert started == []


class Careless(Consumer):
    """Publishes what its message names."""

    BODIES: ClassVar[dict[str, Any]] = {"text": "plain words", "bytes": b"\xff", "large": {"x": "y" * 9_000_000}}
    sent = 0

    def consume(self, message: Message) -> None:
        headers: Any = {"attempt": [5]} if message.topic == "header" else None
        self.context.publish("out.x", self.BODIES.get(message.topic, {}), headers)
        self.sent += 1


@pytest.mark.parametrize(
    ("topic", "error"),
    [("text", CannotPublish), ("bytes", CannotPublish), ("large", CannotPublish), ("header", TypeError)],
)
def test_what_no_bus_would_take_raises_in_the_consumer_as_on_the_hub(
    hubbub: Benches, topic: str, error: type[Exception]
) -> None:
    bench = hubbub(Careless, max_attempts=1)
    bench.deliver(topic, {})
    bench.deliver("fine", {})
    bench.run()
    assert (bench.consumer.sent, len(bench.published), [one.error for one in bench.dead_letters]) == (
        *(1, 1),
        [error.__name__],
    )


def test_a_raw_bus_takes_any_bytes(hubbub: Benches) -> None:
    hubbub.format = "raw"
    bench = hubbub(Careless, max_attempts=1)
    for topic in ("text", "bytes", "large"):
        bench.deliver(topic, {})
    bench.run()
    assert ([len(one.body) for one in bench.published], [one.error for one in bench.dead_letters]) == (
        [11, 1],
        ["CannotPublish"],
    )
