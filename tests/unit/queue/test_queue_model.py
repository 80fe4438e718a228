"""The queue against a simple model of it: whatever is done in whatever order, the books are right."""

from __future__ import annotations

import math
import sys
from collections import deque
from dataclasses import replace
from itertools import takewhile
from typing import Literal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from twisted.internet.task import Clock

from hub.deadletter import DeadLetter
from hub.message import Message
from hub.queue.delivery import Delivery
from hub.queue.policy import QueuePolicy
from tests.unit.doubles import letter_of, make_queue, message, offer
from tests.unit.queue.plain_queue import Held, Model


class QueueMachine(RuleBasedStateMachine):
    """Every rule does one thing to the queue and the same to the model."""

    @initialize(
        overflow=st.sampled_from(["block", "drop_oldest", "drop_newest"]),
        max_backlog=st.integers(1, 12),
        lanes=st.booleans(),
    )
    def begin(self, overflow: Literal["block", "drop_oldest", "drop_newest"], max_backlog: int, lanes: bool) -> None:
        self.clock = Clock()
        self.policy = QueuePolicy(max_backlog, overflow=overflow, key_of=(lambda m: m.topic) if lanes else None)
        self.queue = make_queue(self.clock.seconds, self.policy)
        self.model = Model(lanes)
        self.keys: list[str] = []
        self.hands: list[Delivery] = []
        self.arrived: list[tuple[int, float]] = []
        self.came: list[float] = []
        """When each of the positions arrived in truth."""
        self.unknown = 0.0
        """When the last batch came whose time of arrival nobody noted."""
        self.turn_of_fresh = False

    # -- the reactor's side

    @rule(topics=st.lists(st.sampled_from("xyz"), max_size=9))
    def offer(self, topics: list[str]) -> None:
        start, model = len(self.keys), self.model
        batch = [message(start + i, topic) for i, topic in enumerate(topics)]
        assert self.policy.max_backlog is not None
        surplus = max(0, model.count("open") + len(batch) - self.policy.max_backlog)
        kept = max(0, len(batch) - surplus) if self.policy.overflow == "drop_newest" else len(batch)
        kept = 0 if model.draining else kept
        model.turned_away += len(batch) - kept
        self.keys += topics[:kept]
        model.fates += ["open"] * kept
        self.came += [model.now] * kept
        model.ready.extend(range(start, start + kept))
        if self.policy.overflow == "drop_oldest" and not model.draining:
            self.drop([model.ready.popleft() for _ in range(min(surplus, len(model.ready)))])
        if self.policy.max_age is not None:
            self.arrived.append((start, model.now))
        else:
            self.unknown = model.now
        held_back = offer(self.queue, batch)
        if self.policy.overflow != "block" or model.draining:
            assert not held_back
        elif surplus:
            assert held_back

    def drop(self, positions: list[int]) -> None:
        for position in positions:
            self.model.settle(position, "dropped")

    @rule()
    def refuse(self) -> None:
        self.queue.bury_unqueued(DeadLetter(message(-1), "no", 0, 0.0))
        self.model.refused += 1

    # -- the workers' side

    @rule(limit=st.integers(1, 12))
    def take(self, limit: int) -> None:
        taken = self.queue.take(limit, timeout=0)
        expected: list[int] = []
        while not self.model.paused:
            run = self.expected(limit, taken)
            old = list(takewhile(self.too_old, run))
            expected = run[len(old) :]
            self.drop(old)
            if expected or not run:
                break
        assert (list(taken.positions) if taken else []) == expected
        if taken is not None:
            assert [m.id for m in taken.messages] == [str(position) for position in expected]
            assert (taken.attempts, taken.failures) == self.model.tries.get(expected[0], (0, 0))
            self.hands.append(taken)

    def expected(self, limit: int, taken: Delivery | None) -> list[int]:
        model = self.model
        fresh = model.ready and not model.lanes_wanted
        if not (self.turn_of_fresh and fresh) and (due := model.due(limit)):
            self.turn_of_fresh = True
            return due
        self.turn_of_fresh = False
        if not model.lanes_wanted:
            return [model.ready.popleft() for _ in model.contiguous(limit)]
        while not model.free_lanes() and model.ready:
            model.sort(self.keys)
        if taken is None:
            assert not model.free_lanes()
            return []
        assert taken.key is not None
        return self.expected_of_lane(str(taken.key[0]), limit)

    def expected_of_lane(self, key: str, limit: int) -> list[int]:
        """Which free lane is served is the queue's choice; what comes out of it is not."""
        model = self.model
        assert key in model.free_lanes()
        model.lane_due.pop(key, None)
        model.busy.add(key)
        lane = model.lanes[key]
        found = [lane.popleft()]
        while len(found) < limit and lane and not model.tries.get(found[0]) and not model.tries.get(lane[0]):
            found.append(lane.popleft())
        return found

    def pick(self, data: st.DataObject) -> Delivery:
        return self.hands[data.draw(st.integers(0, len(self.hands) - 1))]

    def put_down(self, taken: Delivery) -> None:
        if not taken.left:
            self.hands.remove(taken)
            if taken.key is not None:
                self.model.busy.discard(str(taken.key[0]))

    @precondition(lambda self: self.hands)
    @rule(data=st.data())
    def finish_a_part(self, data: st.DataObject) -> None:
        taken = self.pick(data)
        upto = data.draw(st.integers(taken.done + 1, len(taken.messages)))
        for position in taken.positions[taken.done : upto]:
            self.model.settle(position, "finished")
        self.queue.finish(taken, upto)
        self.put_down(taken)

    @precondition(lambda self: self.hands)
    @rule(data=st.data(), failed=st.booleans())
    def bury(self, data: st.DataObject, failed: bool) -> None:
        taken = self.pick(data)
        self.model.settle(taken.positions[taken.done], "dead")
        self.queue.bury(taken, failed, letter_of(taken))
        self.put_down(taken)

    @precondition(lambda self: self.hands)
    @rule(data=st.data(), delay=st.integers(0, 5), failed=st.booleans())
    def retry(self, data: st.DataObject, delay: int, failed: bool) -> None:
        taken = self.pick(data)
        position = taken.positions[taken.done]
        self.model.tries[position] = (taken.attempts + 1, taken.failures + failed)
        self.expect_back(taken, taken.left if taken.key else 1, self.model.now + delay)
        self.queue.retry(taken, float(delay), failed)
        self.put_down(taken)

    @precondition(lambda self: self.hands)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        taken = self.pick(data)
        self.expect_back(taken, taken.left, self.model.now)
        self.queue.give_back(taken)
        self.put_down(taken)

    def expect_back(self, taken: Delivery, count: int, due: float) -> None:
        model, positions = self.model, list(taken.positions[taken.done : taken.done + count])
        if taken.key is not None:
            key = str(taken.key[0])
            model.lanes[key].extendleft(reversed(positions))
            model.lane_due[key] = due
        elif positions[0] not in model.tries:
            model.ready = deque(sorted([*model.ready, *positions]))
        else:
            model.aside += [Held(due, position) for position in positions]
            model.aside.sort(key=lambda held: held.due)

    # -- an operator

    @rule()
    def pause(self) -> None:
        self.queue.pause()
        self.model.paused = True

    @rule()
    def drain(self) -> None:
        self.queue.drain()
        self.model.draining = True

    @rule()
    def resume(self) -> None:
        self.queue.resume()
        self.model.paused = self.model.draining = False

    @rule()
    def purge(self) -> None:
        """All but what is in hand and what was begun."""
        model, begun = self.model, self.model.tries
        gone = [*model.ready, *(at for lane in model.lanes.values() for at in lane if at not in begun)]
        assert self.queue.purge() == len(gone)
        self.drop(gone)
        model.ready.clear()
        model.lanes = {key: deque(at for at in lane if at in begun) for key, lane in model.lanes.items()}

    @rule(max_age=st.sampled_from([None, 3.0]))
    def reload(self, max_age: float | None) -> None:
        """A message's time is its number, so the clock has to be ahead of it. For lanes see test_model_lanes.py."""
        self.policy = replace(self.policy, max_age=None if self.model.lanes_wanted else max_age)
        self.queue.adopt(self.policy)

    @rule()
    def expire(self) -> None:
        """What is ready goes by the batch, so where some times of one lie ahead, the others may go with them: if they
        have waited too long in truth."""
        self.queue.expire()
        ready = self.model.ready
        gone = list(takewhile(self.queue.acks._window.is_finished, ready))
        assert all(self.too_old(at) or self.has_waited_too_long(at) for at in gone)
        self.drop([ready.popleft() for _ in gone])
        assert not ready or not self.too_old(ready[0])

    def has_waited_too_long(self, position: int) -> bool:
        max_age = self.policy.max_age
        return max_age is not None and self.came[position] < self.model.now - max_age

    def too_old(self, position: int) -> bool:
        """By its own time, which may be one to come, unless it is known to have arrived later than that."""
        max_age, now = self.policy.max_age, self.model.now
        if max_age is None or position in self.model.tries:
            return False
        upto = min((start for start, time in self.arrived if time >= now - max_age), default=math.inf)
        latest = now if self.unknown < now - max_age else math.inf
        return position < upto and not now - max_age <= position <= latest

    @rule(count=st.integers(1, 12))
    def peek(self, count: int) -> None:
        """Each that is open, once, in its order; a look changes nothing, or the other rules would see it."""
        model = self.model
        in_hand = {at for taken in self.hands for at in taken.positions[taken.done :]}
        still = [at for at, fate in enumerate(model.fates) if fate == "open"]
        wanted = [(at, model.tries.get(at, (0, 0))[0], at in in_hand) for at in still]
        found = self.queue.inspect.peek(count)
        assert [(at, attempts, state == "in flight") for at, state, _, attempts in found] == wanted[:count]
        assert all(state in ("in flight", "retry" if attempts else "waiting") for _, state, _, attempts in found)
        assert [one.id for _, _, one, _ in found] == [str(at) for at, *_ in found]

    @rule(seconds=st.integers(1, 4))
    def let_time_pass(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.model.now += seconds

    # -- what always holds

    @invariant()
    def the_numbers_are_those_of_the_model(self) -> None:
        stats, model = self.queue.stats(), self.model
        counters = stats.counters
        assert counters.received == len(model.fates) + model.refused + model.turned_away
        assert counters.received == counters.finished + counters.dead + counters.dropped + counters.backlog
        assert counters.finished == model.count("finished")
        assert counters.dead == model.count("dead") + model.refused
        assert counters.dropped == model.count("dropped") + model.turned_away
        assert counters.backlog == model.count("open")
        assert stats.in_flight == sum(taken.left for taken in self.hands)
        waiting = len(model.ready) + len(model.aside) + sum(map(len, model.lanes.values()))
        assert counters.backlog == stats.in_flight + waiting
        held = sum(1 for key, lane in model.lanes.items() if lane and lane[0] in model.tries and key not in model.busy)
        assert stats.delayed <= len(model.aside) + held
        assert stats.delayed >= len(model.aside) or model.lanes_wanted

    @invariant()
    def a_bus_is_held_back_only_for_what_is_let_in(self) -> None:
        assert not (self.queue.full and self.model.draining)
        assert not (self.queue.full and not self.model.count("open")), "nobody will ever make room"

    @invariant()
    def the_oldest_is_the_first_open_one(self) -> None:
        fates = self.model.fates
        oldest = fates.index("open") if "open" in fates else None
        assert self.queue.stats().oldest_received_at == oldest

    @invariant()
    def the_window_knows_which_are_settled(self) -> None:
        window, fates = self.queue.acks._window, self.model.fates
        assert [window.is_finished(position) for position in range(len(fates))] == [fate != "open" for fate in fates]

    def teardown(self) -> None:
        """At the end nothing is stuck: all that is left can be taken and finished."""
        if not hasattr(self, "queue") or sys.exc_info()[0] is not None:
            return
        self.queue.resume()
        for taken in self.hands:
            self.queue.finish(taken, len(taken.messages))
        self.clock.advance(1000)
        while (last := self.queue.take(99, timeout=0)) is not None:
            self.queue.finish(last, len(last.messages))
        received = len(self.model.fates)
        assert self.queue.stats().counters.backlog == 0
        window = self.queue.acks._window
        assert (window.floor, window.ranges) == (received, [])
        assert not self.queue.full


QueueMachine.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestQueueModel = QueueMachine.TestCase


def test_a_message_is_the_same_object_from_offer_to_take() -> None:
    """What the model, which compares ids, does not see."""
    queue = make_queue(Clock().seconds)
    one: Message = message(0)
    offer(queue, [one])
    taken = queue.take(1, timeout=0)
    assert taken is not None
    assert taken.messages[0] is one
