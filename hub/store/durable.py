"""Durable store: one log in LMDB for all queues, with each message once."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hub.deadletter import DeadLetter
from hub.errors import ConfigError
from hub.interfaces import Clock
from hub.stats.counters import Counters, QueueStats
from hub.store import Beginning, CommittedState, Found, Journal, Kept, OutboxPortion, Outgoing, RoutedBatch, Run, Try
from hub.store import tables as t
from hub.store.commit_timer import CommitTimer
from hub.store.history import received_between
from hub.store.in_flight_file import FileSlot, InFlightFile
from hub.store.ledger import Ledger
from hub.store.letters import LetterLimits
from hub.store.log_reader import DurableLogReader
from hub.store.opening import Opening
from hub.store.pending import Stored
from hub.store.queue_key import QueueId, QueueKey
from hub.store.reader import TableReader, run_of
from hub.store.recovery import recover
from hub.store.search import Search, pending
from hub.store.size_watch import SizeWatch
from hub.store.writer import Writer

DELETE_TIMEOUT = 10.0
"""Seconds that a new queue waits for an old one of its name to be gone."""
CAREFUL_FOR = 300.0
"""Seconds after a suspicious start in which ``append`` waits for the commit; see ``Log.append``."""
CAREFUL_TIMEOUT = 5.0
"""Seconds that it waits at most: a disk may be full for hours."""


class DurableStore:
    """A :class:`~hub.store.interface.Store` on the disk. Its :class:`~hub.store.writer.Writer` has its own thread.

    :param directory: directory of the file, which no other process may have open.
    :param timer: timer of commits. :param hurries: see the writer.
    :param keep: seconds that messages are kept after all queues have settled them.
    :param sync: whether a commit waits for the disk.
    :param threaded: ``False``: the caller calls ``writer.step``, as tests do.
    :param map_size: initial bytes of the memory map; ``None``: large, or as large as possible.
    :raises ConfigError: the file is no store, or newer than this hub, or damaged.
    :raises OSError: the disk is full, read-only or failing.
    """

    durable = True

    def __init__(
        self,
        directory: Path,
        log: logging.LoggerAdapter[logging.Logger],
        *,
        timer: CommitTimer | None = None,
        hurries: bool = True,
        keep: float = 0.0,
        sync: bool = True,
        wall: Clock = time.time,
        monotonic: Clock = time.monotonic,
        threaded: bool = True,
        map_size: int | None = None,
        tables: t.Tables | None = None,
    ) -> None:
        with Opening(directory, log) as opening:
            self.tables = tables or opening.tables(sync, map_size)
            found = recover(self.tables)
        self._careful_until, self._size_watch = float("-inf"), SizeWatch()
        self._wall, self._monotonic, self._log = wall, monotonic, log
        self.keeps = keep > 0
        self._reader = TableReader(self.tables, log)
        self.log_reader = DurableLogReader(self.tables, self._reader, log) if self.keeps else None
        self._search = Search(self.tables, lambda: {one.number: one.name for one in self.writer.ledgers.values()}, log)
        self._tries, self._levels = found.tries, found.levels
        how: dict[str, Any] = {"keep": keep, "hurries": hurries, "wall": wall, "monotonic": monotonic}
        self.writer = Writer(self.tables, found.ledgers, found.sequences, timer=timer or CommitTimer(), log=log, **how)
        self._in_flight = InFlightFile(directory)
        self._suspect()
        if self.writer.step() or not self._in_flight.suspects:
            self._in_flight.begin()
        self._thread = threading.Thread(target=self.writer.run, name="hubbub-store", daemon=True)
        if threaded:
            self._thread.start()

    # -- at the start

    def _suspect(self) -> None:
        """Count a kill for messages that were in flight when the hub was killed, before they are delivered again."""
        for name, ledger in self.writer.ledgers.items():
            tries = self._tries[name]
            for start, stop in self._in_flight.suspects.get(ledger.number, ()):
                if stop > ledger.next_position:
                    self._careful_until = self._monotonic() + CAREFUL_FOR
                for first, after in ledger.window.open(start, min(stop, ledger.next_position)):
                    for position in range(first, after):
                        one = tries.get(position, Try())
                        tries[position] = replace(one, attempts=one.attempts + 1, kills=one.kills + 1)
                        ledger.tried_again(position, tries[position])

    # -- the queues

    def queues(self) -> Sequence[str]:
        """Names of all queues, orphans included."""
        return list(self.writer.ledgers)

    def stats(self, queue: QueueId) -> QueueStats:
        """Committed numbers of a queue that is not open."""
        ledger = self.writer.ledgers.get(str(queue))
        if ledger is None:  # deleted since the caller saw it
            return QueueStats(Counters(), 0, 0, None)
        return QueueStats(replace(ledger.counters), 0, len(ledger.tried), self._oldest(ledger))

    def shown(self, queue: QueueId) -> Counters | None:
        """Counters at the last commit."""
        ledger = self.writer.ledgers.get(str(queue))
        return ledger.shown if ledger else None

    def created_at(self, queue: QueueId) -> float:
        """Epoch seconds at which the queue was created, also if it was renamed since."""
        return self.writer.ledgers[str(queue)].created_at

    def settled(self, queue: QueueId, position: int) -> bool:
        """Tell whether a message is settled, at the last commit."""
        ledger = self.writer.ledgers.get(str(queue))
        return ledger is None or ledger.window.is_finished(position)

    def rename(self, old: QueueId, new: QueueId) -> None:
        """Rename a queue with the next commit."""
        self._tries[str(new)] = self._tries.pop(str(old), {})
        self._levels[str(new)] = self._levels.pop(str(old), [])
        self.writer.rename(str(old), QueueKey.of(new))

    def delete(self, queue: QueueId) -> None:
        """Delete a queue with the next commit."""
        self._tries.pop(str(queue), None)  # a new queue of that name must not get them
        self._levels.pop(str(queue), None)
        self.writer.delete(str(queue))

    def open(self, queue: QueueId) -> CommittedState:
        """Open a queue, or create it. Returns its state.

        :raises ConfigError: it is being deleted, and the disk is full. :raises ValueError: the name is invalid.
        """
        ledger = self._ledger(queue, b"")
        return ledger.state(self._tries.pop(ledger.name, {}), self._oldest(ledger), self._levels.pop(ledger.name, ()))

    def _ledger(self, queue: QueueId, declaration: bytes) -> Ledger:
        key = QueueKey.of(queue)
        if self.writer.is_doomed(str(key)) and not self.flush(DELETE_TIMEOUT):
            raise ConfigError([f"the queue {queue} is being deleted, which takes its time: try again later"])
        return self.writer.ledgers.get(str(key)) or self.writer.add(key, self._wall(), declaration)

    def declare(self, queue: QueueId, declaration: bytes) -> None:
        """Keep the declaration of a queue with the next commit; a new queue is created with it."""
        ledger = self._ledger(queue, declaration)
        self.writer.order(lambda: ledger.declare(declaration))

    def declarations(self) -> Mapping[str, bytes]:
        """Declarations, those included that are about to be committed with a new queue."""
        return {name: one.declaration for name, one in self.writer.ledgers.items() if one.declaration}

    def _oldest(self, ledger: Ledger) -> float | None:
        try:
            runs = self.read(ledger.name, ledger.window.floor, 1, 1)
        except KeyError:  # deleted, as in ``stats``
            return None
        return runs[0].messages[0].received_at if runs and runs[0].messages else None

    def attach(self, queue: QueueId, journal: Callable[[], Journal]) -> None:
        """Set the function that returns the queue's journal."""
        self.writer.journals[str(queue)] = journal

    def changed(self, queue: QueueId) -> None:
        """Request a commit, which fetches the journals."""
        self.writer.changed()

    def append(self, batch: RoutedBatch, stored: Stored | None) -> bool:
        """Append a batch. It is committed soon; while the store is careful, at once."""
        self.writer.append(batch, stored)
        self._size_watch.count(batch.size)
        if careful := self._monotonic() < self._careful_until:
            self.flush(CAREFUL_TIMEOUT)
        return careful

    def watch_size(self, size: int, call: Callable[[], object]) -> None:
        """Make a call once ``size`` more bytes were appended."""
        self._size_watch.set(size, call)

    def slot(self, queue: QueueId) -> FileSlot:
        """A slot in the in-flight file, which survives a kill."""
        return self._in_flight.slot(self.writer.ledgers[str(queue)].number)

    # -- reading

    def read(self, queue: QueueId, position: int, count: int, size: int) -> Sequence[Run]:
        """Messages of a queue: committed ones, then pending ones."""
        name = str(queue)
        ledger = self.writer.ledgers[name]
        # Before reading: batches that are committed meanwhile are then found on the disk.
        pending = [share for batch, _ in self.writer.pending.all() for share in batch.shares if share.queue == name]
        runs: list[Run] = []
        for run in self._reader.read(ledger.number, position):
            runs.append(run)
            position = run.start + run.count
            count, size = count - run.count, size - run.size
            if count <= 0 or size <= 0:
                return runs
        for share in pending:
            if share.stop > position:
                skip = max(0, position - share.start)
                messages = share.messages[skip:]
                runs.append(run_of(share.start + skip, messages))
                position = share.stop
                count, size = count - len(messages), size - runs[-1].size
                if count <= 0 or size <= 0:
                    break
        return runs

    def kept(self, since: float, until: float, queue: QueueId) -> Iterator[Sequence[Kept]]:
        """Kept messages received in a period, of the present pages, a page in each step."""
        return received_between(self.history(queue, 0, self.writer.pages_to_come), since, until, self._wall())

    def history(self, queue: QueueId, first: int, stop: int) -> Iterator[tuple[int, Sequence[Kept]]]:
        """Messages of kept pages, as committed at the time of each step."""
        ledger = self.writer.ledgers.get(str(queue))
        return self._reader.history(ledger.number if ledger else None, first, stop)

    def beginning(self, queue: QueueId) -> Beginning | None:
        """Progress of the queue's backfill, at the last commit."""
        ledger = self.writer.ledgers.get(str(queue))
        return ledger.beginning if ledger else None

    def bound(self, size: int | None) -> None:
        """Limit the bytes in use; the next commits delete history."""
        self.writer.history.limit = size

    def find(self, id_: str, since: float) -> Iterator[tuple[Sequence[Found], float]]:
        """Messages with an id: pending ones first, since those committed meanwhile are then found on the disk."""
        now = self._wall()
        for found in pending([batch for batch, _ in self.writer.pending.all()], id_):
            yield found, now
        yield from self._search.pages(id_, since)

    # -- dead letters

    def find_letters(self, id_: str) -> Iterator[Sequence[tuple[str, DeadLetter]]]:
        """Dead letters with an id: pending ones, then committed ones."""
        names = self.writer.ledgers
        committing = [(one.name, letter) for one in names.values() for letter in list(one.letters.values())]
        yield [(name, letter) for name, letter in committing if letter.message.id == id_]
        for found in self._search.letters(id_):
            yield [(name, one) for name, one in found if name in names and one.number not in names[name].hidden]

    def dead_letters(self, queue: QueueId, after: int = 0, size: int | None = None) -> Sequence[DeadLetter]:
        """Committed dead letters, the oldest first."""
        ledger, most = self.writer.ledgers.get(str(queue)), sys.maxsize if size is None else size
        return list(self._reader.letters(ledger.number, after, most, ledger.hidden)) if ledger else []

    def letter(self, queue: QueueId, number: int) -> DeadLetter | None:
        """The committed dead letter with that number; ``None``: there is none."""
        ledger = self.writer.ledgers.get(str(queue))
        return self._reader.letter(ledger.number, number) if ledger and number not in ledger.hidden else None

    def remove_letters(self, queue: QueueId, numbers: Sequence[int], again: bool = False) -> None:
        """Hide dead letters now, and delete them with the next commit."""
        ledger = self.writer.ledgers[str(queue)]
        ledger.hide(self._reader.present(ledger.number, numbers))
        self.writer.order(lambda: ledger.remove(numbers, again))

    def kept_dead_letters(self, queue: QueueId) -> int:
        """Number of committed dead letters, without those removed since."""
        ledger = self.writer.ledgers.get(str(queue))
        return max(0, ledger.letters_kept - len(ledger.hidden)) if ledger else 0

    def lost_dead_letters(self, queue: QueueId) -> int:
        """Number of evicted dead letters; only grows."""
        ledger = self.writer.ledgers.get(str(queue))
        return ledger.letters_lost_shown if ledger else 0

    def limit_dead_letters(self, queue: QueueId, count: int, size: int | None = None, age: float | None = None) -> None:
        """Limit the dead letters from the next commit on."""
        ledger, limits = self.writer.ledgers[str(queue)], LetterLimits.of(count, size, age)
        self.writer.order(lambda: ledger.limit(limits))

    # -- the outbox

    def outbox(self, backend: str, after: int, count: int) -> OutboxPortion:
        """Committed outgoing messages, without those that were sent and are not deleted yet."""
        sent = self.writer.sent_lately()  # before reading: messages deleted meanwhile are not found any more
        rows, last, more = self._reader.outbox(backend, after, count)
        return OutboxPortion([row for row in rows if row[0] not in sent], last, more)

    def outbox_counts(self) -> tuple[Mapping[str, int], int]:
        """Committed numbers of outgoing messages, and the highest message number."""
        return self._reader.outbox_counts()

    # -- the whole store

    def pending(self) -> int:
        """Number of batches that are not committed."""
        return len(self.writer.pending)

    def when_stored(self, call: Callable[[], object], at_once: bool = True) -> None:
        """Call ``call`` when all batches and journals so far are committed."""
        self.writer.when_stored(call, at_once)

    def flush(self, timeout: float) -> bool:
        """Wait until all batches and journals so far are committed. Returns whether they are."""
        done = threading.Event()
        self.writer.when_stored(done.set)
        return done.wait(timeout)

    def condition(self) -> tuple[str, str]:
        """State and reason, from the writer and the size of the pending batches."""
        return self.writer.condition.now

    def watch(self, on_state: Callable[[str, str], None], on_outgoing: Callable[[int, list[Outgoing]], None]) -> None:
        """Set the callbacks for states and for outgoing messages; see :class:`~hub.store.writer.Writer`."""
        self.writer.condition.on_change, self.writer.on_outgoing = on_state, on_outgoing
        if self.condition()[0] != "ok":
            on_state(*self.condition())

    def sent(self, number: int) -> None:
        """Delete an outgoing message that has been sent."""
        self.writer.sent(number)

    def status(self) -> Mapping[str, Any]:
        """Numbers of the writer and of the file."""
        disk = {"used_bytes": self.tables.used(), "history_pages": self.tables.count("spent")}
        return {**self.writer.status(), **disk, "cached_bytes": self._reader.cached_bytes}

    def close(self) -> bool:
        """Commit everything and close. Returns whether everything is committed."""
        self.writer.close()
        if self._thread.is_alive():
            self._thread.join()
        else:
            self.writer.step()
        if safe := (self.writer.state == "ok"):
            self._in_flight.close()
        self.tables.close()
        return safe
