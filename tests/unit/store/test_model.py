"""Queues on a durable store against a simple model: commits, crashes and restarts at any moment, on a small window."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from hub.deadletter import DeadLetter
from hub.queue.delivery import Delivery
from hub.queue.queue import Queue
from hub.store import Outgoing, Try
from tests.unit.doubles import in_turn, size_of
from tests.unit.store.machine import NAMES, HubMachine, InHand, names
from tests.unit.store.queue_model import QueueModel
from tests.unit.store.rig import rows

Overflowing = Literal["block", "drop_oldest", "drop_newest"]
places = st.sampled_from(["", "appended", "snapshot", "read"])
happenings = st.sampled_from(["commit", "purge", "take"])


class StoreMachine(HubMachine):
    """See the module."""

    # -- the reactor's side

    @rule(
        sizes=st.lists(st.sampled_from([0, 1, 10, 30, 60, 110, 250]), min_size=1, max_size=7),
        masks=st.lists(st.sampled_from([0, 0b1111111, 0b1010101, 0b0110010]), min_size=3, max_size=3),
        waited_for=st.booleans(),
        happening=happenings,
        place=places,
        other=names,
    )
    def deliver(
        self, sizes: list[int], masks: list[int], waited_for: bool, happening: str, place: str, other: str
    ) -> None:
        batch = [self.message(size) for size in sizes]
        routes: list[tuple[Queue, list[int] | None]] = []
        arrivals: dict[str, int] = {}
        for name, mask in zip(NAMES, masks, strict=True):
            indexes = [index for index in range(len(batch)) if mask >> index & 1]
            if indexes:
                model = self.models[name]
                routes.append((self.queues[name], None if len(indexes) == len(batch) else indexes))
                before = len(model.fates)
                model.admit([batch[index] for index in indexes], self.clock.seconds())
                if len(model.fates) > before:
                    arrivals[name] = len(model.fates)
        number = self.batches
        self.batches += 1
        if arrivals or waited_for or self.keep:
            self.arrivals.append(arrivals)
            self.expected += [number] * waited_for
        confirm = (lambda: self.confirmed.append(number)) if waited_for else None
        self.arm(place if place == "appended" else "", happening, other)
        self.enqueuer.deliver(batch, routes, size_of(batch), confirm)
        self.store.hooks.clear()
        for queue, _ in routes:
            self.models[queue.name].offer()

    @rule(count=st.integers(1, 9))
    def deliver_to_all(self, count: int) -> None:
        """So that there is a backlog."""
        self.deliver([30] * count, [0b111111111] * 3, False, "", "", "")

    def arm(self, place: str, happening: str, name: str) -> None:
        """Let something happen there, as if by another thread."""
        calls = {"commit": self.commit, "purge": lambda: self.purge(name), "take": lambda: self.take_in_between(name)}
        if place:
            self.store.hooks = {place: in_turn(self.all_expired, calls[happening])}

    # -- the workers' side

    @rule(name=names, limit=st.integers(1, 9), happening=happenings, place=places, other=names)
    def take(self, name: str, limit: int, happening: str, place: str, other: str) -> None:
        self.arm(place if place != "appended" else "", happening, other)
        taken = self.queues[name].take(limit, timeout=0)
        self.store.hooks.clear()
        model = self.models[name]
        self.expired(name)
        if model.paused:
            assert taken is None
        elif taken is None and model.on_trial():
            pass  # while a suspect is in hand, the next one waits, and all that comes after it
        elif taken is None:
            model.turn_of_fresh = False
            assert not model.due(self.clock.seconds())
            assert not model.fresh(), "there is some, and it is not handed out"
        else:
            self.taken(name, taken, limit)

    def take_in_between(self, name: str) -> None:
        """It may be that nothing is ready now."""
        taken = self.queues[name].take(2, timeout=0)
        self.expired(name)
        if taken is not None:
            assert not self.models[name].paused
            self.models[name].turn_of_fresh = True  # whose turn it is, the take in whose middle this is may have set
            self.taken(name, taken, 2)

    def taken(self, name: str, taken: Delivery, limit: int) -> None:
        model, positions = self.models[name], list(taken.positions)
        assert 1 <= len(positions) <= limit
        assert list(taken.messages) == [model.messages[at] for at in positions]
        assert not any(self.too_old(name, at) for at in positions)
        one = model.tries.get(positions[0], Try())
        assert (taken.attempts, taken.failures, taken.kills) == (one.attempts, one.failures, one.kills)
        due = model.due(self.clock.seconds())
        if positions[0] in [at for _, _, at in due]:
            self.taken_again(model, positions, due)
            model.turn_of_fresh = not taken.kills
        else:
            assert positions == model.fresh()[: len(positions)]
            assert model.turn_of_fresh or not due, f"{positions} came before what was due: {due}"
            model.turn_of_fresh = False
        model.in_hand |= set(positions)
        slot = self.store.slot(name)
        slot.hold(positions[0], positions[-1] + 1)
        self.hands.append(InHand(name, taken, slot))

    def taken_again(self, model: QueueModel, positions: list[int], due: list[tuple[float, int, int]]) -> None:
        """Retries come as they are due; those that were let go of come by the page, in the order of their positions."""
        first = due[: len(positions)]
        in_turn = [entry[2] for entry in first]
        alike = [{entry[2] for entry in due if entry[:2] == one[:2]} for one in first]
        if not all(at in same for at, same in zip(positions, alike, strict=True)):
            assert positions == sorted(positions), f"{positions} is not what is due: {in_turn}"
            assert set(positions) <= {entry[2] for entry in due}
        model.aside = [entry for entry in model.aside if entry[2] not in positions]

    @precondition(lambda self: self.hands)
    @rule(data=st.data(), posts=st.booleans())
    def finish(self, data: st.DataObject, posts: bool) -> None:
        one = self.pick(data)
        taken = one.taken
        upto = data.draw(st.integers(taken.done + 1, len(taken.messages)))
        for position in taken.positions[taken.done : upto]:
            self.models[one.name].settle(position, "finished", "finished")
        outbox = [Outgoing("bus", self.message(5))] if posts else []
        self.posted += outbox
        self.queues[one.name].finish(taken, upto, outbox)
        self.put_down(one)

    @precondition(lambda self: self.hands)
    @rule(data=st.data(), failed=st.booleans())
    def bury(self, data: st.DataObject, failed: bool) -> None:
        one = self.pick(data)
        taken, model = one.taken, self.models[one.name]
        position, reason = taken.positions[taken.done], f"reason {self.made}"
        letter = DeadLetter(model.messages[position], reason, taken.attempts + 1, self.wall(), "Error", "trace")
        model.bury(position, reason, taken.attempts + 1)
        model.counts["failed"] += failed
        self.queues[one.name].bury(taken, failed, letter)
        self.put_down(one)

    @precondition(lambda self: self.hands)
    @rule(data=st.data(), delay=st.integers(0, 5), failed=st.booleans(), all_=st.booleans())
    def retry(self, data: st.DataObject, delay: int, failed: bool, all_: bool) -> None:
        one = self.pick(data)
        taken, model = one.taken, self.models[one.name]
        for position in taken.positions[taken.done :] if all_ else taken.positions[taken.done : taken.done + 1]:
            attempts, failures = taken.attempts + 1, taken.failures + failed
            model.tries[position] = Try(attempts, failures, self.wall() + delay, float(delay), taken.kills)
            model.counts["retried"] += 1
            model.counts["failed"] += failed
            model.put_aside(position, self.clock.seconds() + delay)
            self.queues[one.name].retry(taken, float(delay), failed)
        self.put_down(one)

    @precondition(lambda self: self.hands)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        one = self.pick(data)
        model = self.models[one.name]
        for position in one.taken.positions[one.taken.done :]:
            if position in model.tries:
                model.put_aside(position, self.clock.seconds())
            else:
                model.in_hand.discard(position)
        self.queues[one.name].give_back(one.taken)
        self.put_down(one)

    # -- an operator

    @rule(name=names)
    def purge(self, name: str) -> None:
        fresh = self.models[name].fresh()
        assert self.queues[name].purge() == len(fresh)
        self.models[name].drop(fresh, "dropped_purged")

    @rule(
        name=names,
        overflow=st.sampled_from(["block", "drop_oldest", "drop_newest"]),
        max_backlog=st.sampled_from([None, 1, 3, 6, 20]),
    )
    def reload(self, name: str, overflow: Overflowing, max_backlog: int | None) -> None:
        policy = replace(self.policies[name], max_backlog=max_backlog, overflow=overflow)
        self.policies[name] = self.models[name].policy = policy
        self.queues[name].adopt(policy)

    @rule(name=names)
    def delete(self, name: str) -> None:
        """By an operator, after the consumer has gone; and it comes back."""
        if self.posted:
            self.commit()
        for one in [one for one in self.hands if one.name == name]:
            one.slot.drop()
            self.hands.remove(one)
        for arrivals in self.arrivals:
            arrivals.pop(name, None)
        self.models[name] = QueueModel(self.policies[name])
        self.stored[name] = 0
        self.seen = {key: value for key, value in self.seen.items() if key[0] != name}
        self.store.delete(name)
        self.commit()
        self.queues[name] = Queue(name, self.policies[name], self.store, self.clock.seconds, self.wall)
        self.models[name].limit = 10**9

    @rule(name=names, squeezed=st.booleans())
    def squeeze(self, name: str, squeezed: bool) -> None:
        self.models[name].squeezed = squeezed
        self.queues[name].over_quota(squeezed)

    @rule(name=names, data=st.data())
    def delete_letters(self, name: str, data: st.DataObject) -> None:
        model = self.models[name]
        numbers = data.draw(st.lists(st.sampled_from([one.number for one in model.letters] or [999]), max_size=3))
        model.removed |= set(numbers)
        self.store.remove_letters(name, numbers)

    @rule(name=names, limit=st.integers(0, 4))
    def limit_letters(self, name: str, limit: int) -> None:
        self.models[name].limit = limit
        self.store.limit_dead_letters(name, limit)

    def drain(self) -> None:
        for _ in range(sum(len(model.fates) for model in self.models.values()) + 1):
            self.finish_all()
            self.clock.advance(1000)
            for name in NAMES:
                self.take(name, 9, "", "", "")
        assert [model.open_count() for model in self.models.values()] == [0, 0, 0]
        if self.keep:
            self.keep = 0.0
            self.restart()
        self.clock.advance(1000)
        self.commit()
        left = {name: rows(self.store.tables, name) for name in ("pages", "index", "refs", "spent", "tries")}
        assert not any(left.values()), left
        assert [queue.acks.floor for queue in self.queues.values()] == [len(m.fates) for m in self.models.values()]


StoreMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestStoreModel = StoreMachine.TestCase
