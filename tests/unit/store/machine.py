"""The part of the stateful tests that all of them share: a hub's queues on a durable store, and its crashes."""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from twisted.internet.task import Clock

from hub.enqueuer import Enqueuer
from hub.message import Message
from hub.queue.delivery import Delivery
from hub.queue.policy import KeyOf, QueuePolicy, Window
from hub.queue.queue import Queue
from hub.router import Router
from hub.store import Outgoing, Slot, Try
from hub.store import writer as writer_module
from tests.unit.doubles import message, outbox_of
from tests.unit.store.integrity import check
from tests.unit.store.queue_model import SETTLED, QueueModel
from tests.unit.store.rig import FullDisk, RacedStore

NAMES = ("one", "two", "three")
ONE_COMMIT = 400
"""Bytes of bodies: small, so that a step makes several commits."""
names = st.sampled_from(NAMES)


@dataclass(eq=False)
class InHand:
    """What a worker has."""

    name: str
    taken: Delivery
    slot: Slot


class HubMachine(RuleBasedStateMachine):
    """Every rule does one thing to the queues and the same to their models."""

    window = Window(4, 200)
    key_of: KeyOf | None = None
    """How messages are sorted into lanes."""

    @initialize(keep=st.sampled_from([0.0, 0.0, 20.0]))
    def begin(self, keep: float) -> None:
        self.keep = keep
        self.directory = Path(tempfile.mkdtemp(prefix="hubbub-model-"))
        self.clock = Clock()
        self.offset = 1_000_000.0
        self.steady = True
        """True if the wall clock never went back."""
        self.still = True
        """True if it never went but with the monotonic one."""
        self.policies = {
            name: QueuePolicy(None, None, window=self.window, max_kills=2, key_of=type(self).key_of) for name in NAMES
        }
        self.models = {name: QueueModel(self.policies[name]) for name in NAMES}
        self.stored = dict.fromkeys(NAMES, 0)
        self.arrivals: list[dict[str, int]] = []
        """By batch that is not committed, up to where each queue is then."""
        self.confirmed: list[int] = []
        self.expected: list[int] = []
        """Batches whose senders are to be told."""
        self.batches = 0
        self.seen: dict[tuple[str, str], int] = {}
        """Counters that were shown, through all crashes."""
        self.unsent: dict[int, Outgoing] = {}
        self.posted: list[Outgoing] = []
        self.made = 0
        self.most_bytes, writer_module.MOST_BYTES = writer_module.MOST_BYTES, ONE_COMMIT
        self.open([])

    def wall(self) -> float:
        return self.clock.seconds() + self.offset

    def open(self, held: list[InHand]) -> None:
        """After a crash ``held`` was in slot."""
        self.hands: list[InHand] = []
        self.store = RacedStore(self.directory, wall=self.wall, keep=self.keep)
        self.store.writer._monotonic = self.clock.seconds
        self.store.watch(lambda state, reason: None, self.goes_out)
        self.arrivals, self.posted = [], []
        assert {number: one.id for number, one in outbox_of(self.store)} == {
            number: one.message.id for number, one in self.unsent.items()
        }
        self.queues = {}
        for name in NAMES:
            spans = [(one.taken.positions[0], one.taken.positions[-1] + 1) for one in held if one.name == name]
            self.models[name].begin_again(spans, self.clock.seconds(), self.wall())
            self.queues[name] = Queue(name, self.policies[name], self.store, self.clock.seconds, self.wall)
            self.comply(name)
            self.store.limit_dead_letters(name, self.models[name].limit)
            self.stored[name] = len(self.models[name].fates)
        self.enqueuer = Enqueuer(Router([]), self.store, self.wall, lambda: None)

    def goes_out(self, first: int, outbox: list[Outgoing]) -> None:
        self.unsent |= dict(enumerate(outbox, first))
        for one in outbox:
            self.posted.remove(one)

    def comply(self, name: str) -> None:
        """A pause and a drain outlive the queue's time in memory."""
        model, queue = self.models[name], self.queues[name]
        if model.paused:
            queue.pause()
        if model.draining:
            queue.drain()

    # -- what the rules need

    def message(self, size: int) -> Message:
        number = self.made
        self.made += 1
        body = bytes((number + at) % 256 for at in range(size))
        one = message(number, f"topic.{number % 3}", body, **({"header": str(number)} if number % 2 else {}))
        return Message(one.id, one.topic, one.body, one.headers, self.wall(), one.backend)

    def pick(self, data: st.DataObject) -> InHand:
        return self.hands[data.draw(st.integers(0, len(self.hands) - 1))]

    def put_down(self, one: InHand) -> None:
        if not one.taken.left:
            self.hands.remove(one)
            one.slot.drop()

    def finish_all(self) -> None:
        for one in self.hands[:]:
            for position in one.taken.positions[one.taken.done :]:
                self.models[one.name].settle(position, "finished", "finished")
            self.queues[one.name].finish(one.taken, len(one.taken.messages))
            self.put_down(one)

    # -- what is too old

    @rule(name=names, max_age=st.sampled_from([None, None, 3.0]))
    def limit_age(self, name: str, max_age: float | None) -> None:
        policy = replace(self.policies[name], max_age=max_age)
        self.policies[name] = self.models[name].policy = policy
        self.queues[name].adopt(policy)

    @rule(name=names)
    def expire(self, name: str) -> None:
        """All that is ready or unread, but for what is in a lane already."""
        self.queues[name].expire()
        self.expired(name)
        if self.key_of is None:
            assert not any(self.too_old(name, at) for at in self.models[name].fresh())

    def too_old(self, name: str, position: int) -> bool:
        """True if it has to be dropped, which a wall clock that made steps leaves open. What was begun never is."""
        return self.still and self.may_be_too_old(name, position)

    def may_be_too_old(self, name: str, position: int) -> bool:
        """True if it may be dropped. No step of the wall clock drops a message early whose arrival was noted."""
        model = self.models[name]
        if position in model.tries or model.policy.max_age is None:
            return False
        told_by_the_wall = position not in model.noted and not self.still
        return told_by_the_wall or self.clock.seconds() - model.arrived[position] > model.policy.max_age

    def expired(self, name: str) -> None:
        """Some were dropped, that are too old or came before such."""
        model, queue = self.models[name], self.queues[name]
        gone = [at for at in model.fresh() if queue.acks._window.is_finished(at)]
        assert all(self.may_be_too_old(name, at) for at in gone)
        model.drop(gone, "dropped_expired")

    def all_expired(self) -> None:
        """When something else happens in the middle of a call."""
        for name in NAMES:
            self.expired(name)

    # -- an operator

    @rule(name=names)
    def pause(self, name: str) -> None:
        self.models[name].paused = True
        self.comply(name)

    @rule(name=names)
    def close_the_door(self, name: str) -> None:
        self.models[name].draining = True
        self.comply(name)

    @rule(name=names)
    def resume(self, name: str) -> None:
        self.models[name].paused = self.models[name].draining = False
        self.queues[name].resume()

    @rule(name=names, count=st.sampled_from([1, 3, 99]))
    def peek(self, name: str, count: int) -> None:
        """Those that are open, the oldest first, each once; but for what the window has no room for while it waits for
        a retry."""
        model, found = self.models[name], self.queues[name].inspect.peek(count)
        wanted = [at for at in range(model.offered) if model.fates[at] == "open"]
        positions = [row[0] for row in found]
        hidden = {at for at, entry in self.queues[name].backlog.schedule._entries.items() if entry.message is None}
        assert positions == sorted(set(positions))
        assert set(positions) <= set(wanted)
        if count > len(model.fates):
            assert set(wanted) - hidden <= set(positions)
        for at, state, one, attempts in found:
            assert one == model.messages[at]
            assert (state == "in flight") == (at in model.in_hand)
            assert attempts == model.tries.get(at, Try()).attempts

    # -- the disk, time

    @rule(failures=st.sampled_from([0, 0, 0, 1, 2]))
    def commit(self, failures: int = 0) -> None:
        with FullDisk(self.store.tables, failures) as disk:
            done = self.store.writer.step()
        if not done:
            assert failures > disk.left
            assert len(self.arrivals) <= len(self.store.writer.pending), "a commit failed, and yet a batch was stored"
            # What of the rest is on the disk now goes by what needs room; test_portion.py and the full disks of
            # tests/faults have that. With the next commit, which has room, all of it is.
            done = self.store.writer.step()
        assert done
        for arrivals in self.arrivals:
            self.stored |= arrivals
        self.arrivals = []
        assert self.confirmed == self.expected
        for name, model in self.models.items():
            model.commit(self.stored[name])
        assert not self.posted
        self.the_disk_is_that_of_the_model()

    def the_disk_is_that_of_the_model(self) -> None:
        wanted = {
            name: [at for at, fate in enumerate(m.saved.fates) if fate == "open"] for name, m in self.models.items()
        }
        check(self.store.tables, wanted, keeps=self.keep > 0)
        for name, model in self.models.items():
            found = [(one.number, one.message, one.reason, one.attempts) for one in self.store.dead_letters(name)]
            there = [one for one in model.letters if one.number not in model.removed]
            assert found == [(one.number, one.message, one.reason, one.attempts) for one in there]
            assert self.store.lost_dead_letters(name) == model.lost

    @precondition(lambda self: self.unsent)
    @rule()
    def send_out(self) -> None:
        """And commit it."""
        number = min(self.unsent)
        self.store.sent(number)
        del self.unsent[number]
        self.commit()

    @rule(killed=st.booleans())
    def end(self, killed: bool) -> None:
        if killed:
            self.store.crash()
            self.confirmed, self.expected = [], []
            self.open(self.hands)
        else:
            self.restart()

    def restart(self) -> None:
        self.store.close()
        for model in self.models.values():
            model.commit(len(model.fates))
        assert self.confirmed == self.expected
        self.open([])

    @rule(seconds=st.integers(1, 4), step=st.sampled_from([0, 0, 0, -100, 100]))
    def let_time_pass(self, seconds: int, step: int) -> None:
        self.clock.advance(seconds)
        self.offset += step
        self.steady = self.steady and step >= 0
        self.still = self.still and step == 0

    # -- what always holds

    @invariant()
    def the_numbers_are_those_of_the_model(self) -> None:
        for name, queue in self.queues.items() if hasattr(self, "queues") else ():
            model, stats = self.models[name], queue.stats()
            for counter in (*SETTLED, "received", "retried", "failed"):
                assert getattr(stats.counters, counter) == model.counts[counter], f"{name}: {counter}"
            assert stats.counters.backlog == model.backlog() == model.open_count()
            assert stats.in_flight == len(model.in_hand)
            assert stats.delayed == len(model.aside) or self.key_of is not None
            assert stats.delayed <= len([at for at in model.tries if at not in model.in_hand])
            assert (stats.oldest_received_at is None) == (not stats.counters.backlog)
            self.the_oldest_is_that_of_the_model(name, stats.oldest_received_at)
            aside = sum(len(one.message.body) for one in queue.backlog.schedule._entries.values() if one.message)
            assert queue.backlog.schedule.size == queue.backlog.size - queue.backlog.ready.batches.size == aside
            assert not (queue.full and model.draining)
            assert not queue.full or stats.counters.backlog or model.squeezed, "nobody will ever make room"

    @invariant()
    def what_may_be_shown_never_falls(self) -> None:
        for name, queue in self.queues.items() if hasattr(self, "queues") else ():
            shown, now = self.store.shown(name), asdict(queue.stats().counters)
            assert shown is not None
            for counter, value in asdict(shown).items():
                assert self.seen.get((name, counter), 0) <= value <= now[counter], f"{name}: {counter}"
                self.seen[name, counter] = value

    def the_oldest_is_that_of_the_model(self, name: str, told: float | None) -> None:
        """Of what was not read since the hub started, or not yet, it is known only that it is no older."""
        model, waiting = self.models[name], self.queues[name].backlog
        floor = next((at for at in range(model.offered) if model.fates[at] == "open"), None)
        if floor is None or told is None or not self.steady:
            return
        received_at = model.messages[floor].received_at
        assert told <= received_at
        assert (
            told == received_at or floor >= waiting.ready.loaded or waiting.schedule.recovered.among(floor, floor + 1)
        )

    def teardown(self) -> None:
        """At the end all that is left can be taken and finished, and nothing of it stays on the disk."""
        if not hasattr(self, "store"):
            return
        try:
            if sys.exc_info()[0] is None:
                for name in NAMES:
                    self.resume(name)
                self.drain()
        finally:
            writer_module.MOST_BYTES = self.most_bytes
            self.store.crash()
            shutil.rmtree(self.directory)

    def drain(self) -> None:
        """Take and finish all that is left."""
        raise NotImplementedError
