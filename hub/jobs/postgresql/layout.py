"""All parts of the layout in PostgreSQL as one storage."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import URL

from hub.errors import Unavailable
from hub.jobs.errors import BadDatabase
from hub.jobs.job import ClaimLimits, Coalescing, Handle, Job, JobState, NewJob, NoteKind, Settlement
from hub.jobs.postgresql.claiming import Claims
from hub.jobs.postgresql.coalescing import Together
from hub.jobs.postgresql.database import TIMEOUT, Database
from hub.jobs.postgresql.inserting import Insertion
from hub.jobs.postgresql.limits import Limiting
from hub.jobs.postgresql.notes import Notes
from hub.jobs.postgresql.notifying import NotificationListener, Notifications
from hub.jobs.postgresql.operations import Operations
from hub.jobs.postgresql.processes import Processes
from hub.jobs.postgresql.pruning import Pruning
from hub.jobs.postgresql.restored import from_the_future, stamp_anew
from hub.jobs.postgresql.schema import is_newest, migrate, require
from hub.jobs.postgresql.segments import SegmentLimits, Segments, make_segment, use_segment
from hub.jobs.postgresql.settling import Settling
from hub.jobs.storage import Deaf, Heard, Listening
from hub.postgres import code_of

TRIES = 5
"""How often the schema is made: two that make it at once may meet in PostgreSQL's own tables."""


class PostgreSQL(Operations, Processes, Pruning):
    """Jobs in PostgreSQL; see :class:`hub.jobs.storage.Storage`.

    :param notify: whether NOTIFY and LISTEN are used. :param timeout: seconds that an answer may take.
    """

    def __init__(
        self, url: URL, limits: SegmentLimits | None = None, notify: bool = True, timeout: float = TIMEOUT
    ) -> None:
        super().__init__(Database(url, timeout))
        self._insertion = Insertion(self._database)
        self._claims = Claims(self._database)
        self._notes = Notes(self._database)
        self._limiting = Limiting(self._database)
        self._together = Together(self._database)
        self._settling = Settling(self._database)
        self._notifications = Notifications(self._database) if notify else None
        self._segments = Segments(self._database, limits or SegmentLimits())

    def open(self, migrate: bool = True) -> None:
        """See :class:`hub.jobs.storage.Storage`."""
        if migrate:
            self._make()
        else:
            with self._database.look() as link:
                require(link)
        with self._database.begin() as link:
            restored = from_the_future(link)
        if restored:
            with self._database.begin(seconds=600) as link:
                stamp_anew(link)

    def _make(self) -> None:
        for left in reversed(range(TRIES)):
            try:
                self._migrate()
                break
            except (BadDatabase, Unavailable) as error:
                if not (left and _met_another(error)):
                    raise

    def _migrate(self) -> None:
        with self._database.look() as link:  # a migration may take long, a server's first answer may not
            if is_newest(link):
                return
        with self._database.begin(seconds=600, lock_wait="600s") as link:
            if migrate(link):
                make_segment(link, 1)
                use_segment(link, 1)

    def close(self) -> None:
        """See :class:`hub.jobs.storage.Storage`."""
        self._database.close()

    def insert(self, jobs: Sequence[NewJob], connection: object | None) -> list[Handle]:
        """See :class:`hub.jobs.storage.Storage`."""
        return self._insertion.insert(jobs, connection)

    def claim(
        self, process: int, limit: int, queues: Sequence[str] | None, coalescing: Coalescing | None = None
    ) -> list[Job]:
        """See :class:`hub.jobs.storage.Storage`."""
        if coalescing is None:
            return self._claims.claim(process, limit, queues)
        return self._together.claim(process, limit, queues, coalescing)

    def listen(self, heard: Heard) -> Listening:
        """See :class:`hub.jobs.storage.Storage`."""
        if self._notifications is None:
            return Deaf()

        def hear(queue: str | None) -> None:
            self._claims.tell()
            heard(queue)

        return NotificationListener(self._database.url, hear)

    def notify(self, queues: Sequence[str]) -> None:
        """See :class:`hub.jobs.storage.Storage`."""
        if self._notifications is not None:
            self._notifications.send(queues)

    def purge(self, queue: str, state: JobState, limit: int) -> int:
        """See :class:`hub.jobs.storage.Storage`."""
        if state is JobState.WAITING:
            return self._claims.purge(queue, limit)
        return self.purge_table(queue, state, limit)

    def settle(
        self, process: int, settlements: Sequence[Settlement], new: Sequence[NewJob] = ()
    ) -> list[Handle] | None:
        """See :class:`hub.jobs.storage.Storage`."""
        return self._settling.settle(process, settlements, new)

    def note(self, job: Job, kind: NoteKind, name: str, text: str) -> bool:
        """See :class:`hub.jobs.storage.Storage`."""
        return self._notes.note(job, kind, name, text)

    def notes(self, job: int) -> dict[tuple[NoteKind, str], str]:
        """See :class:`hub.jobs.storage.Storage`."""
        return self._notes.notes(job)

    def set_limits(self, queue: str, limits: ClaimLimits) -> None:
        """See :class:`hub.jobs.storage.Storage`."""
        self._limiting.set(queue, limits)

    def limits(self) -> dict[str, ClaimLimits]:
        """See :class:`hub.jobs.storage.Storage`."""
        return self._limiting.all()

    def upkeep(self) -> None:
        """See :class:`hub.jobs.storage.Storage`."""
        self._segments.tend()


def _met_another(error: Exception) -> bool:
    """True if another program has just made the same: a unique violation, a schema or a table that is there."""
    return code_of(error.__cause__) in ("23505", "42P06", "42P07", "42710")
