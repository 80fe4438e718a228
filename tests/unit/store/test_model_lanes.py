"""Queues with lanes on a durable store, across commits, crashes and restarts: one lane's messages stay in order."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from hub.message import Message
from hub.queue.delivery import Delivery
from hub.queue.policy import Window
from hub.store import Try
from tests.unit.doubles import in_turn, size_of
from tests.unit.store.machine import NAMES, HubMachine, InHand, names
from tests.unit.store.rig import rows


class LaneMachine(HubMachine):
    """A message's lane is its topic, of which there are three."""

    window = Window(16, 500)

    @staticmethod
    def key_of(one: Message) -> str:
        return one.topic

    def open(self, held: list[InHand]) -> None:
        super().open(held)
        self.due: dict[tuple[str, int], float] = {}
        for name, model in self.models.items():
            resumed, model.aside = model.aside, []
            self.due |= {(name, position): due for due, _, position in resumed}

    def lane(self, name: str, lane: str) -> list[int]:
        """Its positions that are to be handed out."""
        model = self.models[name]
        return [at for at in model.fresh() if model.messages[at].topic == lane]

    def free(self, name: str) -> set[str]:
        """Lanes that have work for somebody now."""
        model = self.models[name]
        busy = {model.messages[at].topic for at in model.in_hand}
        lanes = {model.messages[at].topic for at in model.fresh()} - busy
        return {lane for lane in lanes if self.due.get((name, self.lane(name, lane)[0]), 0.0) <= self.clock.seconds()}

    @rule(sizes=st.lists(st.sampled_from([0, 10, 60, 250]), min_size=1, max_size=9), wanting=st.sets(names, min_size=1))
    def deliver(self, sizes: list[int], wanting: set[str]) -> None:
        batch = [self.message(size) for size in sizes]
        for name in wanting:
            self.models[name].admit(batch, self.clock.seconds())
        arrivals = {name: len(self.models[name].fates) for name in wanting if not self.models[name].draining}
        self.arrivals += [arrivals] if arrivals or self.keep else []
        self.batches += 1
        self.enqueuer.deliver(batch, [(self.queues[name], None) for name in sorted(wanting)], size_of(batch), None)
        for name in wanting:
            self.models[name].offer()

    @rule(name=names, limit=st.integers(1, 5), place=st.sampled_from(["", "snapshot", "read"]))
    def take(self, name: str, limit: int, place: str) -> None:
        self.store.hooks = {place: in_turn(self.all_expired, self.commit)}
        queue = self.queues[name]
        taken = queue.take(limit, timeout=0)
        self.store.hooks.clear()
        self.expired(name)
        if taken is not None:
            assert not self.models[name].paused
            self.taken(name, taken, limit)
        elif self.models[name].paused:
            pass
        elif self.free(name):
            assert queue.backlog.crowded, "there is some, and it is not handed out"

    def taken(self, name: str, taken: Delivery, limit: int) -> None:
        model, positions = self.models[name], list(taken.positions)
        lane = model.messages[positions[0]].topic
        assert taken.key == (lane,)
        assert lane in self.free(name)
        assert 1 <= len(positions) <= limit
        assert positions == self.lane(name, lane)[: len(positions)]
        assert list(taken.messages) == [model.messages[at] for at in positions]
        assert not any(self.too_old(name, at) for at in positions)
        tries = [model.tries.get(at, Try()) for at in positions]
        assert len(positions) == 1 or not any(one.attempts for one in tries), "one that was tried comes alone"
        assert (taken.attempts, taken.failures, taken.kills) == (tries[0].attempts, tries[0].failures, tries[0].kills)
        model.in_hand |= set(positions)
        slot = self.store.slot(name)
        slot.hold(positions[0], positions[-1] + 1)
        self.hands.append(InHand(name, taken, slot))

    @precondition(lambda self: self.hands)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        one = self.pick(data)
        upto = data.draw(st.integers(one.taken.done + 1, len(one.taken.messages)))
        for position in one.taken.positions[one.taken.done : upto]:
            self.models[one.name].settle(position, "finished", "finished")
        self.queues[one.name].finish(one.taken, upto)
        self.put_down(one)

    @precondition(lambda self: self.hands)
    @rule(data=st.data(), delay=st.integers(0, 5))
    def retry(self, data: st.DataObject, delay: int) -> None:
        one = self.pick(data)
        taken, model = one.taken, self.models[one.name]
        position = taken.positions[taken.done]
        attempts, failures = taken.attempts + 1, taken.failures + 1
        model.tries[position] = Try(attempts, failures, self.wall() + delay, float(delay), taken.kills)
        model.counts.update(["retried", "failed"])
        self.back(one, self.clock.seconds() + delay)
        self.queues[one.name].retry(taken, float(delay), True)
        self.put_down(one)

    @precondition(lambda self: self.hands)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        one = self.pick(data)
        self.back(one, self.clock.seconds())
        self.queues[one.name].give_back(one.taken)
        self.put_down(one)

    def back(self, one: InHand, due: float) -> None:
        """The whole lane waits."""
        model, positions = self.models[one.name], one.taken.positions[one.taken.done :]
        model.in_hand -= set(positions)
        self.due |= {(one.name, position): due for position in positions}

    @rule(name=names)
    def purge(self, name: str) -> None:
        """All but what is in hand and what was begun."""
        model = self.models[name]
        gone = [at for at in model.fresh() if at not in model.tries]
        assert self.queues[name].purge() == len(gone)
        model.drop(gone, "dropped_purged")

    def drain(self) -> None:
        for _ in range(sum(len(model.fates) for model in self.models.values()) + 1):
            self.finish_all()
            self.clock.advance(1000)
            for name in NAMES:
                self.take(name, 9, "")
        assert [model.open_count() for model in self.models.values()] == [0, 0, 0]
        self.commit()
        assert not rows(self.store.tables, "index")
        assert not rows(self.store.tables, "tries")


LaneMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestLanesModel = LaneMachine.TestCase
