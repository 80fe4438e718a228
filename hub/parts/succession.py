"""Chooses the queue and the store of a consumer: its own queue, the one of its former name, or a new one.

Messages in a queue are never lost from sight: a setting that would do so is reported and not applied; the next start or
reload tries again.
"""

from __future__ import annotations

from collections.abc import Callable

from hub.configuration.schema import Part
from hub.errors import HubError
from hub.queue.queue import Queue
from hub.queue.stored import StoredQueue
from hub.store import Store

TIMEOUT = 5.0
"""Seconds that the reactor waits for the disk, when a queue is renamed or changes its store."""


class Succession:
    """Renames queues and chooses their stores. Belongs to the reactor's thread.

    :param store: for durable queues. :param memory: for the others.
    :param renamed: called with a queue's old name and its new one.
    """

    def __init__(self, store: Store, memory: Store, renamed: Callable[[str, str], None]) -> None:
        self._store, self._memory, self._renamed = store, memory, renamed
        self.problems: list[str] = []
        """Lines about settings that could not be applied, since the last ``take_problems``."""

    def take_problems(self) -> list[str]:
        """Return and clear ``problems``."""
        problems, self.problems = self.problems, []
        return problems

    def rename(self, part: Part, own: Queue | None, orphan: Queue | None, owned: str) -> bool:
        """Let a consumer take over the queue of its former name, if there is one.

        :param own: its own queue, if open. :param orphan: the queue of its former name, if open.
        :param owned: why the queue of that name can't be taken over; empty: it can.
        :returns: true if the queue now has the consumer's name.
        """
        before, name = part.settings.renamed_from, part.name
        if before is None or before == name or (orphan is None and before not in self._store.queues()):
            return False
        if orphan is not None and not orphan.durable and not _left(orphan.stored, orphan):
            return False
        if owned:
            self._say(part, "renamed_from", f"{before!r} {owned}")
            return False
        try:
            if own is not None or name in self._store.queues():
                self._give_up(part, own)
            self._move(before, name, orphan)
        except HubError as error:
            self._say(part, "renamed_from", f"the queue {before!r} stays an orphan: {error}")
            return False
        self._renamed(before, name)
        return True

    def _give_up(self, part: Part, own: Queue | None) -> None:
        """Delete the consumer's own queue, which must be empty. :raises HubError: it is not."""
        stored = own.stored if own is not None else StoredQueue(self._store, part.name)
        if left := _left(stored, own):
            raise HubError(f"{part.name!r} has a queue of its own with {left}; reload once these are settled")
        stored.delete()
        if not stored.flush(TIMEOUT):
            raise HubError("the disk does not take it now; reload again")

    def _move(self, before: str, name: str, orphan: Queue | None) -> None:
        if orphan is None:
            self._store.rename(before, name)
            return
        if not orphan.durable:
            raise HubError("it is in memory, and ends with the hub")
        if not self._store.flush(TIMEOUT):  # messages on their way to the disk still have the old name
            raise HubError("the disk does not take it now; reload again")
        self._store.rename(before, name)
        self._store.flush(TIMEOUT)
        if name not in self._store.queues():
            raise HubError("the disk does not take it now; reload again")
        orphan.renamed(name)

    def store_for(self, part: Part, queue: Queue | None) -> Store:
        """The store of a consumer's queue. It changes only while the queue is empty.

        :param queue: the current queue, if open.
        """
        name, wanted = part.name, self._store if part.settings.durable else self._memory
        now = self._store if queue is None or queue.durable else self._memory
        if now is wanted or (queue is None and name not in self._store.queues()):
            return wanted
        if queue is not None and not now.flush(TIMEOUT):
            left = "data that the disk does not accept now"
        else:
            left = _left(queue.stored if queue is not None else StoredQueue(now, name), queue)
        if not left:
            return wanted
        where = "on the disk" if now.durable else "in memory"
        self._say(part, "durable", f"its queue stays {where}, with {left}; once these are settled, a reload applies it")
        return now

    def _say(self, part: Part, setting: str, text: str) -> None:
        self.problems.append(f"consumers.{part.name}.{setting}: {text}")


def _left(stored: StoredQueue, queue: Queue | None) -> str:
    """Describe unsettled messages and dead letters; empty: there are none."""
    backlog = (queue if queue is not None else stored).stats().counters.backlog
    letters = stored.kept_letters
    found = [f"{count} {what}" for count, what in ((backlog, "messages"), (letters, "dead letters")) if count]
    return " and ".join(found)
