"""Messages that were in hand when the hub was killed are given one at a time, over all queues."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from hub.deadletter import DeadLetter
from hub.enqueuer import Enqueuer
from hub.message import Message
from hub.queue.delivery import Delivery
from hub.queue.poison import LONGEST_TRIAL, Trial
from hub.queue.policy import KeyOf, QueuePolicy
from hub.queue.queue import Queue
from hub.queue.waiters import NO_WAIT
from hub.queue.work import LOOK_AGAIN
from hub.router import Router
from hub.store.durable import DurableStore
from tests.unit.doubles import RecordingLog, letter_of


class Killed:
    """Two queues that had two messages each in hand when the hub was killed; a third one waits behind them."""

    def __init__(self, directory: Path, key_of: KeyOf | None = None) -> None:
        self.directory, self.policy = directory, QueuePolicy(key_of=key_of)
        self.clock = Clock()
        self.clock.advance(1e9)
        self.last: Delivery | None = None
        self.lives = 0
        self.open()
        routes = Router([([name], queue) for name, queue in self.queues.items()])
        batch = [Message(f"{name}{n}", name, b"{}", {}, 1e9) for n in range(3) for name in "ab"]
        Enqueuer(routes, self.store, self.clock.seconds, lambda: None).receive(batch, None)
        self.slots["a"].hold(0, 2)
        self.slots["b"].hold(0, 2)
        self.die()

    def open(self) -> None:
        seconds, trial = self.clock.seconds, Trial(self.clock.seconds)
        self.store = DurableStore(self.directory, RecordingLog(), wall=seconds, threaded=False, sync=False)
        self.queues = {name: Queue(name, self.policy, self.store, seconds, seconds, trial=trial) for name in ("a", "b")}
        self.slots = {name: self.store.slot(name) for name in self.queues}

    def die(self) -> None:
        """Killed, and started again on what the disk has."""
        self.store.writer.step()
        self.lives += 1
        copy = self.directory.parent / f"life-{self.lives}"
        shutil.copytree(self.directory, copy)
        self.store.close()
        self.directory = copy
        self.open()

    def take(self, name: str, limit: int = 9) -> list[str]:
        self.last = self.queues[name].take(limit, timeout=0)
        return [message.id for message in self.last.messages] if self.last else []

    def finish(self, name: str) -> None:
        assert self.last is not None
        self.queues[name].finish(self.last, len(self.last.messages))

    def letters(self, name: str) -> Sequence[DeadLetter]:
        self.store.writer.step()
        return self.store.dead_letters(name)


@pytest.fixture(params=[None, lambda message: message.topic], ids=["arrival", "lanes"])
def killed(request: pytest.FixtureRequest, tmp_path: Path) -> Killed:
    (tmp_path / "life-0").mkdir()
    return Killed(tmp_path / "life-0", request.param)


def test_one_is_in_hand_at_a_time_over_all_queues_and_nobody_passes_those_that_wait(killed: Killed) -> None:
    assert killed.take("a") == ["a0"]
    held = killed.last
    for name in ("a", "b", "b"):
        assert killed.take(name) == []
    killed.last = held
    killed.finish("a")
    assert killed.take("a") == ["a1"]
    killed.finish("a")
    killed.clock.advance(2 * LOOK_AGAIN)
    for one in ("b0", "b1", "b2"):
        assert killed.take("b") == [one]
        killed.finish("b")
    assert killed.take("a") == ["a2"]


def test_the_next_begins_when_the_one_on_trial_is_retried_buried_or_given_back(killed: Killed) -> None:
    assert killed.take("a") == ["a0"]
    assert killed.last is not None
    killed.queues["a"].retry(killed.last, 60.0, failed=True)
    assert killed.take("b") == ["b0"]
    killed.queues["b"].bury(killed.last, True, letter_of(killed.last))
    assert killed.take("b") == ["b1"]
    killed.queues["b"].give_back(killed.last)
    assert killed.take("b") == ["b1"]


def test_while_another_is_on_trial_a_queue_looks_again_every_moment(killed: Killed) -> None:
    assert killed.take("a") == ["a0"]
    held = killed.last
    assert killed.take("b") == []
    killed.last = held
    killed.finish("a")
    queue = killed.queues["b"]
    assert queue.in_flight.halted_until == killed.clock.seconds() + LOOK_AGAIN
    assert queue.seconds_to_wait(killed.clock.seconds(), NO_WAIT) == pytest.approx(LOOK_AGAIN)
    assert killed.take("b") == []
    killed.clock.rightNow = queue.in_flight.halted_until
    assert queue.seconds_to_wait(killed.clock.seconds(), NO_WAIT) == 0.0
    assert killed.take("b") == ["b0"]


def test_one_that_hangs_does_not_keep_the_others_for_ever(killed: Killed) -> None:
    assert killed.take("a") == ["a0"]
    killed.clock.advance(LONGEST_TRIAL - 1)
    assert killed.take("b") == []
    killed.clock.advance(2)
    assert killed.take("b") == ["b0"]


def test_only_what_was_on_trial_is_counted_again_and_buried(killed: Killed) -> None:
    """The message b0 kills the hub each time, while all others are done."""
    done: set[str] = set()
    for _ in range(2):
        while one := killed.take("a"):
            done.update(one)
            killed.finish("a")
            killed.clock.advance(2 * LOOK_AGAIN)
        assert killed.take("b") == ["b0"]
        killed.slots["b"].hold(0, 1)
        killed.die()
    assert [letter.message.id for letter in killed.letters("b")] == ["b0"]
    assert (done, killed.letters("a")) == ({"a0", "a1", "a2"}, [])
    assert killed.take("b") == ["b1"]


def test_each_suspect_is_named_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "life-0").mkdir()
    Killed(tmp_path / "life-0")
    said = [line for line in caplog.messages if "was in flight when the hub was killed" in line]
    assert len(said) == 4
    assert said[0] == "message 'a0' of a was in flight when the hub was killed, 1 of 3 times: it is delivered alone"
