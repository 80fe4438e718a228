"""One instance of a consumer for each worker; what an instance says of itself."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

import pytest
from twisted.internet.task import Clock

from hub.consumer import Consumer
from hub.workers.crew import Crew
from hub.workers.instances import MOST_STATUS, Instance, Instances
from tests.support import wait_until
from tests.unit.crews import Watched, crew_of, end, finished, offer
from tests.unit.doubles import RecordingLog, Scripted, messages


class Each(Watched):
    """A consumer that wants an instance for each worker."""

    per_worker = True


class Several:
    """A crew of such, and all of its instances."""

    def __init__(self, threads: int, every: float | None = None, fails: int = 0) -> None:
        self.made: list[Each] = []
        self.fails = fails
        self.crew: Crew = crew_of(self.make(), threads, every=every, make=self.make)

    def make(self) -> Each:
        self.made.append(Each())
        self.made[-1].start_errors = [OSError("not yet") for _ in range(self.fails)]
        return self.made[-1]

    def threads(self, what: str) -> list[set[str]]:
        return [{thread for name, thread in one.calls if name == what} for one in self.made]


def test_each_worker_starts_uses_and_stops_its_own_in_its_own_thread() -> None:
    several = Several(3, fails=1)
    gate = threading.Barrier(3)
    several.crew.start()
    wait_until(lambda: [one.names().count("start") for one in several.made] == [2, 2, 2])
    for one in several.made:
        one.on_consume = lambda _: gate.wait(10)
    offer(several.crew, messages(3))
    wait_until(lambda: finished(several.crew) == 3)
    end(several.crew)
    assert several.threads("start") == several.threads("consume") == several.threads("stop")
    assert several.threads("start") == [{f"hubbub-c-{number}"} for number in (1, 2, 3)]
    assert [one.names().count("stop") for one in several.made] == [1, 1, 1]


def test_one_that_is_dismissed_stops_its_own_and_a_new_one_has_a_new_one() -> None:
    several = Several(2)
    several.crew.start()
    wait_until(lambda: all("start" in one.names() for one in several.made) and several.crew.started.is_set())
    several.crew.resize(1)
    wait_until(lambda: "stop" in several.made[1].names())
    assert "stop" not in several.made[0].names()
    several.crew.resize(2)
    wait_until(lambda: len(several.made) == 3 and "start" in several.made[2].names())
    end(several.crew)
    assert [one.names().count("stop") for one in several.made] == [1, 1, 1]


def test_each_is_ticked() -> None:
    several = Several(2, every=0.001)
    several.crew.start()
    wait_until(lambda: all(one.names().count("tick") > 1 for one in several.made))
    end(several.crew)
    assert several.threads("tick") == [{"hubbub-c-tick"}] * 2


class Dies(BaseException):
    """Ends a thread, where the queue raises it."""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_thread_that_takes_the_place_of_a_dead_one_goes_on_with_its_instance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    several, deaths = Several(1), [Dies()]
    finish = several.crew.source.finish

    def die_once(*given: object) -> None:
        if deaths:
            raise deaths.pop()
        finish(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(several.crew.source, "finish", die_once)
    offer(several.crew, messages(1))
    several.crew.start()
    wait_until(lambda: not deaths and not several.crew.workers[0][1].is_alive())
    assert several.crew.replace_dead() == 1
    wait_until(lambda: finished(several.crew) == 1)
    end(several.crew)
    (one,) = several.made
    assert (one.names().count("start"), one.names().count("stop")) == (1, 1)


def test_without_the_wish_all_share_one() -> None:
    made: list[Watched] = []
    crew = crew_of(Watched(), 3, make=lambda: made.append(Watched()) or made[-1])  # type: ignore[func-returns-value]
    crew.start()
    assert crew.started.wait(10)
    end(crew)
    assert made == []


# -- what it says of itself


def instance_of(consumer: Consumer, log: RecordingLog | None = None, clock: Clock | None = None) -> Instance:
    return Instance(consumer, log or RecordingLog(), (clock or Clock()).seconds)


def status_of(answer: Callable[[], object]) -> object:
    consumer = Scripted()
    consumer.status = answer  # type: ignore[method-assign]
    return instance_of(consumer).status()


def test_what_it_says_is_shown_as_json_has_it() -> None:
    assert status_of(lambda: {"open": 3, "names": ("a", "b")}) == {"open": 3, "names": ["a", "b"]}
    assert status_of(lambda: 0) == 0


def test_without_a_status_nothing_is_shown() -> None:
    assert instance_of(Scripted()).status() is None
    consumer = Scripted()
    consumer.status = "idle"  # type: ignore[assignment, method-assign]
    assert instance_of(consumer).status() is None


def test_an_error_takes_its_place() -> None:
    assert status_of(lambda: 1 / 0) == {"error": "ZeroDivisionError: division by zero"}
    assert "Encoding objects of type" in str(status_of(lambda: {"lock": threading.Lock()}))

    async def later() -> int:
        return 1

    assert "NotDone" in str(status_of(later))
    assert status_of(lambda: sys.exit(3)) == {"error": "SystemExit: 3"}


def test_a_slow_one_is_asked_again_when_a_hundred_times_as_long_has_passed() -> None:
    """A status is made once a second or more often; a call of a second each time would stop the hub."""
    clock, log, calls = Clock(), RecordingLog(), [0.0]

    def ask() -> int:
        calls[0] += 1
        clock.advance(2.0 if calls[0] < 3 else 0.01)
        return int(calls[0])

    consumer = Scripted()
    consumer.status = ask  # type: ignore[method-assign]
    instance = instance_of(consumer, log, clock)
    assert instance.status() == 1
    clock.advance(197.9)
    assert instance.status() == 1
    clock.advance(0.1)
    assert instance.status() == 2
    assert log.actions() == ["status", "status"]
    clock.advance(198.0)
    assert [instance.status(), instance.status()] == [3, 4]
    assert log.actions() == ["status", "status"]


def test_what_is_too_large_is_not_shown() -> None:
    assert status_of(lambda: "x" * (MOST_STATUS - 2)) == "x" * (MOST_STATUS - 2)
    said = str(status_of(lambda: "x" * (MOST_STATUS - 1)))
    assert f"returned {MOST_STATUS + 1} bytes of JSON; {MOST_STATUS} are shown at most" in said


class Counting(Each):
    """Says how many of its methods were called."""

    def status(self) -> object:
        return {"calls": len(self.calls)}


def test_a_crew_tells_it_while_its_consumer_has_started_and_of_several_all() -> None:
    instances = Instances(Counting(), Counting, RecordingLog(), lambda: 0.0)
    first, second = instances.another(), instances.another()
    assert instances.status() is None
    first.start()
    assert instances.status() == [{"calls": 1}]
    second.start()
    second.consumer.tick()
    assert instances.status() == [{"calls": 1}, {"calls": 2}]
    shared = Instances(Counting(), None, RecordingLog(), lambda: 0.0)
    assert shared.another() is shared.another()
    shared.another().start()
    assert shared.status() == {"calls": 1}


def test_a_thread_can_not_be_interrupted() -> None:
    crew = crew_of(Watched())
    crew.start()
    assert crew.started.wait(10)
    (worker, _), *_ = crew.workers
    assert not crew.interrupt(worker)
    end(crew)


def test_an_instance_is_forgotten_unless_it_is_the_last() -> None:
    instances = Instances(Each(), Each, RecordingLog(), lambda: 0.0)
    first, second = instances.another(), instances.another()
    first.start()
    second.start()
    instances.forget(second)
    assert instances.started() == [first]
    instances.forget(first)
    assert instances.started() == [first]
