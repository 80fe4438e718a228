"""Inserts jobs for a backend, in batches and off the reactor's thread. While the database is away they wait."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from hub.errors import HubError, Unavailable
from hub.failure import told
from hub.job_access import JobKeeper
from hub.job_queues import Done
from hub.partlog import PartLog

if TYPE_CHECKING:
    from hub.jobs.job import NewJob

MOST_AT_ONCE = 500
"""Jobs in one transaction, about: all that came at the same time stay together."""
MOST_BYTES_AT_ONCE = 4 << 20
MOST_WAITING = 10_000
"""Jobs that wait, before it is full."""
MOST_BYTES_WAITING = 16 << 20
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds after which a database that is away is tried again: the first time, and at most."""


class JobGroup(NamedTuple):
    """Jobs that came at the same time."""

    jobs: Sequence[NewJob]
    size: int
    done: Done


class Inserter:
    """Inserts into one database. ``round`` and ``run`` belong to its own thread, all else to the reactor's.

    :param name: of the part ``[jobs.NAME]``, for texts.
    :param find: the running part; ``None``: there is none just now. Any thread may call it.
    :param in_reactor: makes a call in the reactor's thread.
    :ivar away: why nothing can be inserted now; empty: it can, as far as is known.
    """

    def __init__(
        self,
        name: str,
        find: Callable[[], JobKeeper | None],
        in_reactor: Callable[[Callable[[], None]], object],
        log: PartLog,
    ) -> None:
        self.away = ""
        self._name, self._find = name, find
        self._in_reactor = in_reactor
        self._log = log
        self._lock = threading.Lock()
        self._woken, self._ended = threading.Event(), threading.Event()
        self._groups: deque[JobGroup] = deque()
        self._count = self._size = 0
        self._pause = FIRST_PAUSE
        self._when_room: list[Callable[[], None]] = []
        self._when_idle: list[Callable[[], None]] = []

    # -- the reactor's side

    @property
    def waiting(self) -> int:
        """Number of jobs that are not inserted yet."""
        return self._count

    @property
    def full(self) -> bool:
        """True if no more jobs may come."""
        return self._count >= MOST_WAITING or self._size >= MOST_BYTES_WAITING

    def put(self, jobs: Sequence[NewJob], done: Done) -> None:
        """Insert jobs; see :class:`hub.job_queues.JobQueue`."""
        group = JobGroup(jobs, sum([len(job.body) for job in jobs]), done)
        with self._lock:
            self._groups.append(group)
        self._count += len(jobs)
        self._size += group.size
        self._woken.set()

    def when_room(self, call: Callable[[], None]) -> None:
        """Make a call once there is room for more, or the database is away; at once if so it is."""
        self._when_room.append(call)
        self._tell()

    def when_idle(self, call: Callable[[], None]) -> None:
        """Make a call once nothing waits, or nothing can be inserted."""
        self._when_idle.append(call)
        self._tell()

    def _tell(self) -> None:
        calls: list[Callable[[], None]] = []
        if self.away or not self.full:
            calls, self._when_room = self._when_room, []
        if self.away or not self._count:
            calls += self._when_idle
            self._when_idle = []
        for call in calls:
            call()

    def _inserted(self, groups: Sequence[JobGroup], reason: str | None) -> None:
        self.away = ""
        for group in groups:
            self._count -= len(group.jobs)
            self._size -= group.size
            group.done(reason)
        self._tell()

    def _note_away(self, reason: str) -> None:
        if not self.away:
            text = "jobs for the database %s wait: %s"
            self._log.warning(text, self._name, reason, extra={"action": "insert"})
        self.away = reason
        self._tell()

    def end(self) -> None:
        """End the thread. What waits then is never done."""
        self._ended.set()
        self._woken.set()

    # -- its thread

    def run(self) -> None:
        """Insert until ``end``."""
        while not self._ended.is_set():
            self._woken.clear()
            pause = self.round()
            if pause is None:
                self._woken.wait()
            else:  # whatever comes meanwhile waits, too: a database that is away is not tried at each
                self._ended.wait(pause)

    def round(self) -> float | None:
        """Insert what waits. :returns: seconds after which to try again; ``None``: when there is more."""
        while not self._ended.is_set() and (groups := self._next()):
            try:
                self._insert([job for group in groups for job in group.jobs])
            except Unavailable as error:
                return self._put_off(groups, error)
            except Exception as error:  # noqa: BLE001 - one bad job must not hold up all others for good
                if not isinstance(error, HubError):
                    self._log.error("jobs can't be inserted", exc_info=error, extra={"action": "bug"})
                pause = self._apart(groups)
                if pause is not None:
                    return pause
            else:
                self._pause = FIRST_PAUSE
                self._report(groups, None)
        return None

    def _next(self) -> list[JobGroup]:
        groups: list[JobGroup] = []
        count = size = 0
        with self._lock:
            while self._groups and count < MOST_AT_ONCE and size < MOST_BYTES_AT_ONCE:
                groups.append(self._groups.popleft())
                count += len(groups[-1].jobs)
                size += groups[-1].size
        return groups

    def _insert(self, jobs: Sequence[NewJob]) -> None:
        database = self._find()
        if database is None:
            raise Unavailable(f"the database of jobs {self._name} does not run")
        database.insert(jobs)

    def _put_off(self, groups: Sequence[JobGroup], error: HubError) -> float:
        """Keep jobs for later. Returns the seconds."""
        with self._lock:
            self._groups.extendleft(reversed(groups))
        reason = told(error)
        self._in_reactor(lambda: self._note_away(reason))
        pause, self._pause = self._pause, min(2 * self._pause, LONGEST_PAUSE)
        return pause

    def _apart(self, groups: Sequence[JobGroup]) -> float | None:
        """Insert groups one by one. One that the database refuses is refused if it takes another after it; else it may
        be the database, and it waits. :returns: seconds after which to try again; ``None``: none waits."""
        stuck: list[JobGroup] = []
        reason: HubError | None = None
        for at, group in enumerate(groups):
            try:
                self._insert(group.jobs)
            except Unavailable as error:
                return self._put_off([*stuck, *groups[at:]], error)
            except HubError as error:
                stuck, reason = [*stuck, group], error
            except Exception as error:  # noqa: BLE001 - as above
                self._report([group], f"it can't be inserted: {told(error)}")
            else:
                self._pause = FIRST_PAUSE
                if reason is not None and stuck:
                    text = "jobs for the database %s are refused: %s"
                    self._log.error(text, self._name, told(reason), extra={"action": "insert"})
                    self._report(stuck, f"it can't be inserted: {told(reason)}")
                    stuck = []
                self._report([group], None)
        return self._put_off(stuck, reason) if reason is not None and stuck else None

    def _report(self, groups: Sequence[JobGroup], reason: str | None) -> None:
        self._in_reactor(lambda: self._inserted(groups, reason))
