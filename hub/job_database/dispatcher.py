"""Claims jobs for the sources of one database, and writes what became of them, in batches, in one thread.

Results wait for others, at most for :data:`GATHER` seconds or until there are :data:`MANY`, unless a worker waits for
its next job: then the queue is idle, and they are written at once. So when a hub is killed, the jobs that were finished
in the last moment run again, and no others but those in its workers' hands.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from hub.errors import Unavailable
from hub.failure import told
from hub.interfaces import Clock
from hub.job_database.interfaces import Source
from hub.job_database.result import Result
from hub.jobs import Fenced, Jobs, endings
from hub.jobs.job import Settlement
from hub.partlog import PartLog

GATHER = 0.005
"""Seconds that a result waits for others."""
MANY = 100
"""Results that do not wait for others."""
MOST = 1000
"""Results that are written in one transaction at most."""
FIRST_POLL, LONGEST_POLL = 0.02, 1.0
"""Seconds after which a queue without jobs is asked again: the first time, and at most."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds after which a database that is away is tried again: the first time, and at most."""
IDLE = 60.0
"""Seconds of a wait in which nothing is due."""
STARTED = float("-inf")
AWAY_AT_END = "the database was away until the end"

Settled = tuple[Source, Result]


class Dispatcher:
    """Dispatcher of one database. ``settle``, ``wake`` and ``look_again`` are thread-safe and do not wait;
    ``round`` and ``run`` belong to its thread.

    :param name: of the part. :param clock: monotonic seconds.
    :param away: called with the reason when the database is away, and with ``None`` when it answers again.
    :ivar jobs: the database.
    :ivar claimed: jobs that were claimed; :ivar fenced: results that were refused. Both only grow.
    """

    def __init__(
        self, name: str, jobs: Jobs, clock: Clock, log: PartLog, away: Callable[[Exception | None], None]
    ) -> None:
        self.name = name
        self.claimed = self.fenced = 0
        self.jobs = jobs
        self._clock = clock
        self._log = log
        self._away = away
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._sources: list[Source] = []
        self._waiting: list[Settled] = []
        self._since = 0.0
        self._polls: dict[Source, tuple[float, float]] = {}
        self._heard: set[Source] = set()
        self._turn = 0
        self._retry_at, self._pause = STARTED, FIRST_PAUSE
        self._beaten = clock()
        self._closing = self._ended = self._writing = False

    # -- the sources' side

    @property
    def alive(self) -> bool:
        """False: its lease may have passed, so that others have its jobs."""
        return self._clock() - self._beaten < self.jobs.lease

    def wake(self) -> None:
        """Have the thread look soon what is to do."""
        self._woken.set()

    def settle(self, source: Source, results: Sequence[Result]) -> None:
        """Have results written."""
        with self._lock:
            ended = self._ended
            if not ended:
                if not self._waiting:
                    self._since = self._clock()
                self._waiting += [(source, result) for result in results]
        if ended:
            self._refuse([(source, result) for result in results], "their database is not used any more")
        self._woken.set()

    def attach(self, source: Source) -> None:
        """Claim for a source from now on."""
        source.attach(self)  # first: what is claimed for it arrives from its own
        with self._lock:
            self._sources.append(source)
            self._polls[source] = (STARTED, FIRST_POLL)
        self._woken.set()

    def detach(self, source: Source) -> None:
        """Claim no more for a source; what workers have in hand is still settled."""
        with self._lock:
            if source not in self._sources:
                return
            self._sources.remove(source)
            del self._polls[source]
            self._heard.discard(source)
        source.attach(None)

    def look_again(self, queue: str | None = None) -> None:
        """Ask a queue at once that had no jobs: some may have come. Whoever hears of jobs calls this.

        :param queue: ``None``: all queues.
        """
        with self._lock:
            heard = [source for source in self._polls if queue in (None, source.queue)]
            self._polls |= dict.fromkeys(heard, (STARTED, FIRST_POLL))
            self._heard.update(heard)
        if heard:
            self._woken.set()

    # -- the heartbeat's side

    def beaten(self, at: float) -> None:
        """Note that the lease was renewed. Jobs that are somebody else's by now are handed to no worker.

        :param at: monotonic seconds before that.
        """
        self._beaten = at
        for source in self.sources:
            held = source.buffered()
            mine = {(job.claim, job.id) for job in self.jobs.in_hand} if held else set()
            self.fenced += source.forget([job for job in held if (job.claim, job.id) not in mine])

    @property
    def sources(self) -> list[Source]:
        """Those that it claims for."""
        with self._lock:
            return list(self._sources)

    # -- its thread

    def run(self) -> None:
        """Work until ``end``."""
        while not self._ended:
            wait = self.round()
            self._woken.wait(wait)
            self._woken.clear()

    def close(self) -> None:
        """Claim no more. What is in hand is still settled."""
        self._closing = True
        for source in self.sources:
            self.detach(source)

    def end(self) -> None:
        """End ``run``. Results that are not written are refused from now on."""
        with self._lock:
            self._ended = True
            left, self._waiting = self._waiting, []
        self._refuse(left, AWAY_AT_END)
        self._woken.set()

    @property
    def idle(self) -> bool:
        """True if there is no result that is not written."""
        return not self._waiting and not self._writing

    def round(self) -> float:
        """Write what is due, and claim what is wanted. :returns: seconds after which something is due."""
        now = self._clock()
        if now < self._retry_at:
            return self._retry_at - now
        try:
            self._write(now)
            for source in self._in_turn():
                self._claim(source)
            if self._retry_at != STARTED:  # nobody wants any more what was refused
                self._answered()
            return self._seconds_to_wait()
        except Exception as error:  # noqa: BLE001 - the thread must not end; who is told logs what was not expected
            self._retry_at = self._clock() + self._pause
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
            self._away(error)
            return self._retry_at - self._clock()

    def _answered(self) -> None:
        self._retry_at, self._pause = STARTED, FIRST_PAUSE
        self._away(None)

    def _in_turn(self) -> list[Source]:
        sources = self.sources
        self._turn += 1
        start = self._turn % len(sources) if sources else 0
        return sources[start:] + sources[:start]

    def _seconds_to_wait(self) -> float:
        now = self._clock()
        wanting = [source for source in self.sources if source.wants]
        with self._lock:
            due = [self._polls[source][0] for source in wanting if source in self._polls]
            due += [self._since + GATHER] if self._waiting else []
        return max(0.0, min(due) - now) if due else IDLE

    def _claim(self, source: Source) -> None:
        due, interval = self._polls.get(source, (STARTED, FIRST_POLL))
        if self._closing or self._clock() < due or not (wanted := source.wants):
            return
        self._heard.discard(source)
        jobs = self.jobs.claim(wanted, [source.queue])
        self._answered()
        if jobs:
            self.claimed += len(jobs)
            source.arrive(jobs, self)
        with self._lock:
            if jobs or source in self._heard:  # heard of while they were claimed
                polled = STARTED, FIRST_POLL
            else:
                polled = self._clock() + interval, min(2 * interval, LONGEST_POLL)
            if source in self._polls:
                self._polls[source] = polled

    # -- results

    def _write(self, now: float) -> None:
        with self._lock:
            starved = self._closing or any(source.starved for source in self._sources)
            ready = starved or len(self._waiting) >= MANY or now - self._since >= GATHER
            results = self._waiting if ready else []
            if not results:
                return
            self._waiting, self._writing = [], True
        stuck: list[Settled] = []
        reason: Exception | None = None
        alone = 0
        try:
            while results:
                group = results[: 1 if alone else MOST]
                try:
                    self._settle_or_bury(group)
                    self._give_up(stuck, reason)
                    stuck = []
                except Unavailable:
                    raise
                except Exception as error:  # noqa: BLE001 - one bad result must not hold up all others for good
                    if len(group) > 1:
                        alone = len(group)
                        continue
                    stuck, reason = stuck + group, error
                results, alone = results[len(group) :], max(0, alone - 1)
        finally:
            left = stuck + results
            with self._lock:
                ended, self._writing = self._ended, False
                if not ended:
                    self._waiting = left + self._waiting
            if ended:  # nobody looks for them any more
                self._refuse(left, AWAY_AT_END)
        if reason is not None and stuck:  # nothing was written after them: it may be the database
            raise reason
        self._answered()

    def _settle_or_bury(self, group: Sequence[Settled]) -> None:
        """Write results. One that alone is refused becomes a dead letter, which tells why: the operator sees it."""
        try:
            self._settle(group)
        except Unavailable:
            raise
        except Exception as error:
            if len(group) > 1:
                raise
            ((source, result),) = group
            text = f"its result ({result.outcome}) can't be written: {told(error)}"
            self._settle([(source, Result(result.job, "dead", 0.0, text, failed=True))])
            text = "job %d of consumer %s is a dead letter: its result can't be written"
            self._log.error(text, result.job.id, source.name, exc_info=error, extra={"action": "bury"})

    def _give_up(self, stuck: Sequence[Settled], reason: Exception | None) -> None:
        """Give results up that the database refuses, and takes others after them."""
        for source, result in stuck:
            source.refused(1, int(result.outcome != "given back"))
            self.fenced += result.outcome != "given back"
            text = "the result of job %d of consumer %s can't be written, the job is done again after the hub's end"
            self._log.error(text, result.job.id, source.name, exc_info=reason, extra={"action": "refuse"})

    def _settle(self, group: Sequence[Settled]) -> None:
        """Write results of all kinds in one transaction."""
        refused: set[int] = set()
        try:
            self.jobs.settle(_settlement(result) for _, result in group)
        except Fenced as error:
            refused = set(map(id, error.jobs))
            self._refuse([one for one in group if id(one[1].job) in refused], str(error))
        for source, results in _by_source(one for one in group if id(one[1].job) not in refused):
            source.settled(results)

    def _refuse(self, results: Sequence[Settled], reason: str) -> None:
        for source, of_source in _by_source(results):
            lost = [one for one in of_source if one.outcome != "given back"]
            source.refused(len(of_source), len(lost))
            self.fenced += len(lost)
            if lost:
                text = "%d results of consumer %s were refused, the jobs are done again: %s"
                self._log.warning(text, len(lost), source.name, reason, extra={"action": "refuse"})


def _settlement(result: Result) -> Settlement:
    """How the job ends."""
    job, outcome, delay, text, _ = result
    return {
        "finished": lambda: endings.finished(job),
        "given back": lambda: endings.given_back(job),
        "ask": lambda: endings.given_back(job, delay),
        "retry": lambda: endings.failed(job, text, delay),
        "dead": lambda: endings.buried(job, text),
    }[outcome]()


def _by_source(results: Iterable[Settled]) -> Iterator[tuple[Source, list[Result]]]:
    groups: dict[Source, list[Result]] = defaultdict(list)
    for source, result in results:
        groups[source].append(result)
    yield from groups.items()
