"""Which queue a consumer is given: its own, the one that it had under another name, or a new one; and on which store.

What a queue holds is never put out of sight: where a setting can't be applied without that, it is said, and the next
start or reload tries again.
"""

from __future__ import annotations

from collections.abc import Callable

from hub.configuration.schema import Part
from hub.errors import HubError
from hub.queue.queue import Queue
from hub.store import Store

TIMEOUT = 5.0
"""Seconds that the reactor waits for the disk, where a queue is renamed or changes its store."""


class Succession:
    """Belongs to the reactor's thread.

    :param store: of the queues that are durable. :param memory: of the others.
    :param renamed: called with a queue's old name and its new one.
    """

    def __init__(self, store: Store, memory: Store, renamed: Callable[[str, str], None]) -> None:
        self._store, self._memory, self._renamed = store, memory, renamed
        self.problems: list[str] = []
        """What could not be applied, since they were taken last."""

    def take_problems(self) -> list[str]:
        """A line for each."""
        problems, self.problems = self.problems, []
        return problems

    def rename(self, part: Part, own: Queue | None, orphan: Queue | None, owned: bool) -> bool:
        """Have it take over the queue that it had before, if there is one.

        :param own: its queue, if it is open. :param orphan: the one of its former name, if it is open.
        :param owned: whether a consumer of that name is configured.
        :returns: whether the queue of the former name has its name now.
        """
        before, name = part.settings.renamed_from, part.name
        if before is None or before == name or (orphan is None and before not in self._store.queues()):
            return False
        if orphan is not None and not orphan.store.durable and not _left(orphan.store, before, orphan):
            return False
        if owned:
            self._say(part, "renamed_from", f"{before!r} is a consumer still, and keeps its queue")
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
        """Its own queue, which must be empty. :raises HubError: it is not."""
        store = own.store if own is not None else self._store
        if left := _left(store, part.name, own):
            raise HubError(f"{part.name!r} has a queue of its own with {left}; reload once these are settled")
        store.delete(part.name)
        if not store.flush(TIMEOUT):
            raise HubError("the disk does not take it now; reload again")

    def _move(self, before: str, name: str, orphan: Queue | None) -> None:
        if orphan is None:
            self._store.rename(before, name)
            return
        if not orphan.store.durable:
            raise HubError("it is in memory, and ends with the hub")
        if not self._store.flush(TIMEOUT):  # what is on its way to the disk still has the old name
            raise HubError("the disk does not take it now; reload again")
        self._store.rename(before, name)
        self._store.flush(TIMEOUT)
        if name not in self._store.queues():
            raise HubError("the disk does not take it now; reload again")
        orphan.name = name

    def store_for(self, part: Part, queue: Queue | None) -> Store:
        """Where its queue is to be. It changes only while nothing is left in it.

        :param queue: as it is now, if it is open.
        """
        name, wanted = part.name, self._store if part.settings.durable else self._memory
        now = queue.store if queue is not None else self._store
        if now is wanted or (queue is None and name not in self._store.queues()):
            return wanted
        if queue is not None and not now.flush(TIMEOUT):
            left = "something that the disk does not take now"
        else:
            left = _left(now, name, queue)
        if not left:
            return wanted
        where = "on the disk" if now.durable else "in memory"
        self._say(part, "durable", f"its queue stays {where}, with {left}; once these are settled, a reload applies it")
        return now

    def _say(self, part: Part, setting: str, text: str) -> None:
        self.problems.append(f"consumers.{part.name}.{setting}: {text}")


def _left(store: Store, name: str, queue: Queue | None) -> str:
    """What nobody has dealt with yet, in words; empty: nothing."""
    backlog = (queue.stats() if queue is not None else store.stats(name)).counters.backlog
    letters = store.kept_dead_letters(name)
    found = [f"{count} {what}" for count, what in ((backlog, "messages"), (letters, "dead letters")) if count]
    return " and ".join(found)
