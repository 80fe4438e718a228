"""Messages that were in hand when the hub was killed: they are named; after too many times, nobody is given them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hub.deadletter import DeadLetter
from hub.interfaces import Clock
from hub.message import Message
from hub.partlog import part_log
from hub.store import Store, Try

MOST_NAMED = 10
"""Messages that were in hand when the hub was killed, and are named in the log."""


def name_suspects(store: Store, queue: str, tries: Mapping[int, Try], max_kills: int) -> None:
    """Say which messages the hub was killed with, once or more: nothing else tells what a consumer hung or died of."""
    log = part_log("consumer", queue)
    suspects = {position: one for position, one in tries.items() if 0 < one.kills < max_kills}
    for position in sorted(suspects)[:MOST_NAMED]:
        message, one = read_one(store, queue, position), suspects[position]
        if message is not None:
            text = "message %r of %s was in hand when the hub was killed, %d of %d times: it is given alone"
            extra = {"action": "suspect", "topic": message.topic, "message_id": message.id, "attempt": one.attempts}
            log.warning(text, message.id, message.topic, one.kills, max_kills, extra=extra)
    if len(suspects) > MOST_NAMED:
        text = "and %d more were in hand when the hub was killed"
        log.warning(text, len(suspects) - MOST_NAMED, extra={"action": "suspect"})


def killers(
    store: Store, queue: str, tries: Mapping[int, Try], max_kills: int, wall: Clock
) -> Iterator[tuple[int, DeadLetter]]:
    """The position of each, and what is to be buried. One that can't be read is left to the refill, which counts it."""
    for position, one in tries.items():
        message = read_one(store, queue, position) if one.kills >= max_kills else None
        if message is not None:
            reason = f"killed the hub: {one.kills} times it was in hand when the hub died"
            extra = {"action": "bury", "topic": message.topic, "message_id": message.id, "attempt": one.attempts}
            text = "message %r of %s is a dead letter: %s"
            part_log("consumer", queue).error(text, message.id, message.topic, reason, extra=extra)
            yield position, DeadLetter(message, reason, one.attempts, wall())


def read_one(store: Store, queue: str, position: int) -> Message | None:
    """The message at that position, if it can be read."""
    runs = store.read(queue, position, 1, 1)
    return runs[0].messages[0] if runs and runs[0].messages and runs[0].start == position else None
