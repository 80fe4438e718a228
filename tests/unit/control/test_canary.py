"""Dead letters are retried, some of them before the others: what the hub does then, on a real queue and socket."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from hub.deadletter import DeadLetter
from hub.errors import Unavailable
from hub.message import Message
from hub.queue.policy import QueuePolicy
from tests.conftest import ReactorThread
from tests.support import wait_until
from tests.unit.control_hub import ControlledHub
from tests.unit.doubles import messages, offer


class Bench(ControlledHub):
    """A hub whose consumer ``c`` is the test; ``answer`` is what a retry was answered."""

    def __init__(self, reactor_thread: ReactorThread, path: Path) -> None:
        super().__init__(reactor_thread, path)
        self.queue = self.consumers.members["c"].queue
        self.answer: list[Any] = []

    def buried(self, *ids: str) -> list[int]:
        """Dead letters of messages with these ids. Returns the numbers of all there are."""
        for id_ in ids:
            self.bury("c", DeadLetter(Message(id_, "a.b", b"{}"), "no luck", 1, 0.0))
        return [letter.number for letter in self.store.dead_letters("c")]

    def retry(self, numbers: Sequence[int], canary: int = 1, timeout: float = 20.0) -> None:
        """In another thread, for it waits."""

        def ask() -> None:
            order = {"consumer": "c", "numbers": list(numbers), "canary": canary, "timeout": timeout}
            try:
                self.answer.append(self.client().post("/retry-dead", order))
            except Unavailable as error:
                self.answer.append(error)

        self.asking = threading.Thread(target=ask, daemon=True)
        self.asking.start()

    def takes(self, outcome: Callable[[Any], object]) -> str:
        """The consumer takes one message, and that becomes of it. Returns its id."""
        wait_until(lambda: self.queue.stats().counters.backlog > 0)
        taken = self.queue.take(1, timeout=0)
        assert taken is not None
        id_ = str(taken.current.id)
        outcome(taken)
        return id_

    def finishes(self) -> str:
        return self.takes(lambda taken: self.queue.finish(taken, 1))

    def dies(self, reason: str = "no luck again") -> str:
        return self.takes(lambda taken: self.queue.bury(taken, True, DeadLetter(taken.current, reason, 1, 0.0)))

    def answered(self) -> Any:
        self.asking.join(20)
        return self.answer[0]

    def letters(self) -> list[str]:
        return [letter.message.id for letter in self.store.dead_letters("c")]


@pytest.fixture
def hub(reactor_thread: ReactorThread, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(reactor_thread, tmp_path / "hub.sock")
    made.listen()
    yield made
    made.close()


def test_the_rest_follows_when_the_first_got_through(hub: Bench) -> None:
    hub.retry(hub.buried("1", "2", "3"))
    wait_until(lambda: hub.letters() == ["2", "3"])
    assert (hub.finishes(), hub.letters(), hub.answer) == ("1", ["2", "3"], [])
    assert hub.answered() == {"start": 0, "stop": 3, "count": 3}
    assert (hub.letters(), hub.finishes(), hub.finishes()) == ([], "2", "3")


def test_where_there_is_no_rest_it_is_waited_for_all_the_same(hub: Bench) -> None:
    hub.retry(hub.buried("1"))
    wait_until(lambda: hub.letters() == [])
    assert hub.answer == []
    hub.dies("'y'")
    assert hub.answered()["problem"] == "1 failed again, the first with: 'y': the rest was left"


def test_the_rest_is_left_when_one_of_the_first_died_again(hub: Bench) -> None:
    hub.retry(hub.buried("1", "2", "3"), canary=2)
    hub.finishes()
    assert hub.dies() == "2"
    answer = hub.answered()
    assert (answer["count"], answer["problem"]) == (
        2,
        "1 failed again, the first with: no luck again: the rest was left",
    )
    assert hub.letters() == ["3", "2"]
    assert '"outcome":"1 failed again' in hub.path.with_name("audit.log").read_text()


def test_others_that_die_meanwhile_are_no_matter(hub: Bench) -> None:
    hub.retry(hub.buried("1", "2"))
    wait_until(lambda: hub.letters() == ["2"])
    hub.buried("9")
    hub.finishes()
    assert hub.answered()["count"] == 2
    assert hub.letters() == ["9"]


def test_an_older_letter_of_the_same_message_is_no_matter(hub: Bench) -> None:
    numbers = hub.buried("1", "2", "1")
    hub.retry(numbers[:2])
    hub.finishes()
    assert hub.answered()["count"] == 2
    assert hub.letters() == ["1"]


@pytest.mark.parametrize(
    ("room", "canary", "count", "left", "problem"),
    [
        (0, 1, 0, ["1", "2", "3"], "the queue of c took 0 of 1 dead letter: it is full, so 1 stayed"),
        (1, 2, 1, ["2", "3"], "the queue of c took 1 of 2 dead letters: it is full, so 1 stayed"),
    ],
)
def test_a_full_queue_ends_it(hub: Bench, room: int, canary: int, count: int, left: list[str], problem: str) -> None:
    numbers = hub.buried("1", "2", "3")
    hub.queue.adopt(QueuePolicy(max_backlog=1))
    offer(hub.queue, messages(1 - room))
    hub.retry(numbers, canary=canary)
    answer = hub.answered()
    assert (answer["count"], answer["problem"], hub.letters()) == (count, problem, left)


def test_a_queue_that_takes_some_of_the_rest_is_told(hub: Bench) -> None:
    hub.queue.adopt(QueuePolicy(max_backlog=1))
    hub.retry(hub.buried("1", "2", "3"))
    hub.finishes()
    answer = hub.answered()
    assert (answer["count"], answer["not_taken"]) == (2, 1)
    assert answer["problem"] == "the queue of c took 1 of 2 dead letters: it is full, so 1 stayed"
    assert hub.letters() == ["3"]


def test_letters_that_had_gone_before_are_told(hub: Bench) -> None:
    (number,) = hub.buried("1")
    hub.retry([number, number + 7], canary=2)
    assert hub.answered()["problem"] == "the queue of c took 1 of 2 dead letters: 1 had gone before"


def test_one_that_is_never_through_leaves_the_rest(hub: Bench) -> None:
    hub.retry(hub.buried("1", "2"), timeout=0.0)
    assert hub.answered()["problem"] == "the canaries were not settled after 0s: the rest was left"
    assert hub.letters() == ["2"]


def test_the_rest_is_left_when_nobody_waits_any_more(hub: Bench) -> None:
    numbers = hub.buried("1", "2")
    impatient = hub.client(timeout=0.2)
    with pytest.raises(Unavailable, match="did not answer"):
        impatient.post("/retry-dead", {"consumer": "c", "numbers": numbers, "canary": 1})
    audit = hub.path.with_name("audit.log")
    wait_until(lambda: audit.exists() and "the client hung up: the rest was left" in audit.read_text())
    assert (hub.finishes(), hub.letters()) == ("1", ["2"])


def test_a_death_that_is_not_committed_does_not_pass_for_a_life(hub: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting: list[Callable[[], object]] = []
    numbers = hub.buried("1", "2")
    monkeypatch.setattr(hub.store, "when_stored", waiting.append)
    hub.retry(numbers)
    wait_until(lambda: len(waiting) == 1)  # that the queue has taken it
    hub.takes(lambda taken: hub.queue.finish(taken, 1))
    waiting.pop()()
    wait_until(lambda: len(waiting) == 1)  # that what became of it is on the disk
    assert (hub.answer, hub.letters()) == ([], ["2"])
    hub.buried("1")  # the commit lists its death
    waiting.pop()()
    assert hub.answered()["problem"].startswith("1 failed again")
    assert hub.letters() == ["2", "1"]


def test_a_disk_that_takes_nothing_leaves_the_rest(hub: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub.store, "when_stored", lambda call: None)
    monkeypatch.setattr("hub.control.hub.STORE_TIMEOUT", 0.02)
    hub.retry(hub.buried("1", "2"), timeout=0.1)
    hub.finishes()
    answer = hub.answered()
    assert (answer["problem"], answer["stored"]) == (
        "the canaries were not settled after 100ms: the rest was left",
        False,
    )
    assert hub.letters() == ["2"]
