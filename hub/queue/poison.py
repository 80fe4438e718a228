"""Poison messages were in flight when the process that handled them was killed.

They are logged and delivered alone; after too many kills they become dead letters.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping

from hub.deadletter import DeadLetter
from hub.interfaces import Clock
from hub.partlog import part_log
from hub.queue.ack_state import AckState
from hub.queue.delivery import Delivery, Entry
from hub.queue.readback import read_one
from hub.queue.schedule import AT_FRONT
from hub.store import CommittedState, Store, Try

LONGEST_TRIAL = 300.0
"""Seconds after which the next trial may begin, even if a suspect hangs: it must not block all others."""

MOST_NAMED = 10
"""Most suspects that are named in the log."""

Entries = dict[int, Entry]
"""Entries by position."""


def name_suspects(store: Store, queue: str, tries: Mapping[int, Try], max_kills: int) -> None:
    """Log the messages that were in flight when the hub was killed: they may be the cause."""
    suspects = {position: one for position, one in tries.items() if 0 < one.kills < max_kills}
    if not suspects:
        return
    log = part_log("consumer", queue)
    for position in sorted(suspects)[:MOST_NAMED]:
        message, one = read_one(store, queue, position), suspects[position]
        if message is not None:
            text = "message %r of %s was in flight when the hub was killed, %d of %d times: it is delivered alone"
            extra = {"action": "suspect", "topic": message.topic, "message_id": message.id, "attempt": one.attempts}
            log.warning(text, message.id, message.topic, one.kills, max_kills, extra=extra)
    if len(suspects) > MOST_NAMED:
        text = "and %d more were in flight when the hub was killed"
        log.warning(text, len(suspects) - MOST_NAMED, extra={"action": "suspect"})


def poisonous(
    store: Store, queue: str, tries: Mapping[int, Try], max_kills: int, wall: float
) -> Iterator[tuple[int, DeadLetter]]:
    """Messages with too many kills: positions and dead letters. They are logged.

    Unreadable ones are left to the ready window, which counts them.
    """
    for position, one in tries.items():
        message = read_one(store, queue, position) if one.kills >= max_kills else None
        if message is not None:
            reason = f"killed the hub: {one.kills} times it was in flight when the hub died"
            yield position, condemn(queue, DeadLetter(message, reason, one.attempts, wall))


def killed_again(queue: str, delivery: Delivery, wall: float) -> DeadLetter:
    """The dead letter of a delivery's next message, which has too many kills. It is logged."""
    reason = f"killed its process: {delivery.kills + 1} times it was in flight when that died"
    letter = DeadLetter(delivery.messages[delivery.done], reason, delivery.attempts + 1, wall)
    return condemn(queue, letter)


def condemn(queue: str, letter: DeadLetter) -> DeadLetter:
    """Log that a message is buried for its kills. Returns the letter."""
    message = letter.message
    extra = {"action": "bury", "topic": message.topic, "message_id": message.id, "attempt": letter.attempts}
    text = "message %r of %s is a dead letter: %s"
    part_log("consumer", queue).error(text, message.id, message.topic, letter.reason, extra=extra)
    return letter


def recover(
    store: Store, queue: str, state: CommittedState, most: int, acks: AckState, now: float, wall: float
) -> Entries:
    """Recover a queue at the start: bury messages with too many kills. Returns entries of the others that were tried.

    :param state: state at the last commit. :param most: kills after which a message is buried.
    :param now: monotonic seconds. :param wall: epoch seconds.
    """
    name_suspects(store, queue, state.tries, most)
    dead = dict(poisonous(store, queue, state.tries, most, wall))
    for position, letter in dead.items():
        acks.bury(letter)
        acks.settle(position, position + 1, (1, 0))
    entries: Entries = {}
    for position, one in state.tries.items():
        if position not in dead:
            # Without a delay it was given back, or in flight at a kill: it has its place at the front.
            due = now + max(0.0, min(one.due - wall, one.delay)) if one.delay else AT_FRONT
            told = (one.attempts, one.failures, one.kills, due)
            entries[position] = Entry(position, None, *told, received_at=state.oldest)
    return entries


class Trial:
    """Trial of suspects: one of them is in flight at a time, over all queues of a hub.

    When the hub is killed, all messages in flight are suspected; only one is guilty. If all suspects were delivered at
    once again, each kill would count against all of them. With one at a time, a kill counts only against that one, or
    against messages that were not suspected yet.

    :param clock: monotonic seconds.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._holder: Delivery | None = None
        self._since = 0.0

    def begin(self, delivery: Delivery) -> bool:
        """Begin a trial. Returns whether it may begin now; ``end`` must follow. Not under the lock of a queue."""
        with self._lock:
            now = self._clock()
            holder = self._holder
            if holder is not None and not holder.over and now - self._since <= LONGEST_TRIAL:
                return False
            self._holder, self._since = delivery, now
            return True

    def end(self, delivery: Delivery) -> None:
        """End a trial. Takes no lock, so it may be called under that of a queue."""
        delivery.over = True
