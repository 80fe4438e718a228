"""Ledger of a queue, kept by the writer: the committed state and the changes to be committed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from itertools import islice

from hub.deadletter import DeadLetter
from hub.stats.counters import Counters
from hub.store import Beginning, CommittedState, Journal, Outgoing, Range, Try
from hub.store.letters import ROW, Amount, LetterLimits, size_of
from hub.store.queue_key import QueueKey
from hub.store.records import QueueRecord
from hub.store.values import content_size
from hub.store.window import AckWindow


@dataclass(frozen=True, slots=True)
class Burden:
    """Positions that are settled only together with letters or outgoing messages that must be written.

    :ivar dead: number of dead letters; the other positions are finished.
    """

    start: int
    stop: int
    dead: int
    letters: Sequence[DeadLetter]
    outbox: Sequence[Outgoing]

    @property
    def size(self) -> int:
        """Bytes to write, an estimate."""
        return ROW + sum(map(size_of, self.letters)) + sum(ROW + content_size(one.message) for one in self.outbox)


def burdens_of(journal: Journal) -> Iterator[Burden]:
    """The burdens of a journal, in order."""
    letters, outbox = iter(journal.letters), iter(journal.outbox)
    for start, stop, buried, sent in journal.ties:
        yield Burden(start, stop, buried, list(islice(letters, buried)), list(islice(outbox, sent)))
    for letter in letters:
        yield Burden(0, 0, 1, [letter], [])
    for outgoing in outbox:
        yield Burden(0, 0, 0, [], [outgoing])


class Ledger:
    """Ledger of one queue. Used in the writer's thread; other threads may read plain numbers.

    ``absorb`` takes in changes, ``draft`` returns the record to be written, and ``accept`` is called when it is
    committed. A failed commit is simply retried.

    :ivar window: all settled positions, committed or not.
    :ivar next_position: committed next position.
    :ivar shown: counters that survive a kill, so that shown counters never fall.
    :ivar letters_lost_shown: the same for ``letters_lost``.
    :ivar settled: ranges to be committed.
    :ivar tries: tries to be committed.
    :ivar tried: positions that have, or will have, a row in the table ``tries``. :ivar untried: rows to be deleted.
    :ivar letters: dead letters to be committed, by number.
    :ivar letters_held: committed dead letters. :ivar letters_size: their bytes after this commit.
    :ivar beginning: committed progress of the backfill.
    :ivar letters_due: whether the ages of dead letters must be checked.
    :ivar removed: numbers of retried dead letters, to be deleted. :ivar deleted: numbers of other letters to delete.
    :ivar held: burdens that wait for room on the disk. :ivar admitted: burdens to be committed.
    :ivar hidden: numbers of committed dead letters that will be deleted, and are not shown any more.
    :ivar declaration: as in the record.
    :ivar prioritized: whether it may have rows in the table ``levels``.
    """

    def __init__(self, number: int, key: QueueKey, created_at: float, declaration: bytes = b"") -> None:
        self.number = number
        self.key = key
        self.created_at = created_at
        self.declaration = declaration
        self.prioritized = False
        self.window = AckWindow()
        self.next_position = 0
        self.counters = self.shown = Counters()
        self.unread_bytes = 0
        self.settled: list[Range] = []
        self.tries: dict[int, Try] = {}
        self.tried: set[int] = set()
        self.untried: list[int] = []
        self.letters: dict[int, DeadLetter] = {}
        self.removed: set[int] = set()
        self.deleted: set[int] = set()
        self.held: list[Burden] = []
        self.admitted: list[Burden] = []
        self.hidden: set[int] = set()
        self.letter_limits = LetterLimits()
        self.letters_due = False
        self.letters_held = Amount()
        self.letters_size = 0
        self.letters_lost = self.letters_lost_shown = 0
        self._placeless = 0
        self.outbox: list[Outgoing] = []
        self.dirty = True
        self._next_letter = 1
        self._commit = 0
        self.beginning: Beginning | None = None

    @property
    def name(self) -> str:
        """The text of the queue's key."""
        return str(self.key)

    @classmethod
    def restore(
        cls, record: QueueRecord, ranges: Iterable[Range], tries: dict[int, Try], letter_bytes: int = 0
    ) -> Ledger:
        """Restore a committed ledger. :param ranges: settled ranges above the floor. :param letter_bytes: bytes of its
        dead letters."""
        ledger = cls(record.number, record.key, record.created_at, record.declaration)
        ledger.window = AckWindow(record.floor)
        ledger.window.restore(ranges)
        ledger.next_position = record.next_position
        ledger.unread_bytes = record.unread_bytes
        ledger.tried = set(tries)
        ledger.letters_held = Amount(record.letters, letter_bytes)
        ledger.letters_lost = ledger.letters_lost_shown = record.lost_letters
        ledger._next_letter = record.next_letter
        ledger._commit = record.commit
        ledger.beginning = Beginning(*record.beginning) if record.beginning else None
        ledger.dirty = False
        # Messages that arrived after the counters were read are in the pages, and so in ``next_position``.
        open_ = sum(stop - start for start, stop in ledger.window.open(record.floor, record.next_position))
        ledger.counters = ledger.shown = replace(record.counters, received=record.counters.settled + open_)
        ledger._placeless = ledger.counters.received - ledger.next_position
        return ledger

    def state(
        self, tries: dict[int, Try], oldest: float | None, levels: Sequence[tuple[int, int, int]] = ()
    ) -> CommittedState:
        """The state with which the queue continues. Held burdens count as settled."""
        window = AckWindow(self.window.floor)
        window.restore(self.window.ranges)
        for burden in self.held:
            window.finish(burden.start, burden.stop)
        books = (window.floor, window.ranges, self.next_position, replace(self.counters))
        return CommittedState(*books, tries, self.unread_bytes, oldest, levels)

    def absorb(self, journal: Journal, hold: bool = False) -> None:
        """Take in a journal. :param hold: whether its burdens wait for ``admit``."""
        self.dirty = self.dirty or bool(journal) or journal.counters != self.counters
        self.tries |= journal.tries
        self.tried.update(journal.tries)  # not |=, which would copy the keys
        self._settle(journal.settled)
        self.held += burdens_of(journal)
        self.counters = journal.counters
        self._placeless = journal.counters.received - journal.admitted
        self.unread_bytes = journal.unread_bytes
        self._give_up_letters()
        if not hold:
            self.admit(len(self.held))

    def admit(self, count: int) -> None:
        """Admit the oldest ``count`` held burdens to the next commit."""
        burdens, self.held = self.held[:count], self.held[count:]
        self.admitted += burdens
        self._settle([(burden.start, burden.stop) for burden in burdens if burden.stop > burden.start])
        for burden in burdens:
            for letter in burden.letters:
                self.letters[self._next_letter] = letter
                self._next_letter += 1
            self.outbox += burden.outbox

    def retract(self) -> None:
        """Hold the admitted burdens again, after a failed commit."""
        burdens, self.admitted = self.admitted, []
        self._next_letter -= len(self.letters)  # none of their numbers was written
        self.letters, self.outbox = {}, []
        for start, stop in ((burden.start, burden.stop) for burden in burdens if burden.stop > burden.start):
            self.window.reopen(start, stop)
            self.settled.remove((start, stop))
            again = {position for position in self.untried if start <= position < stop}
            self.untried = [position for position in self.untried if position not in again]
            self.tried |= again
        self.held = burdens + self.held

    def _settle(self, ranges: list[Range]) -> None:
        for start, stop in ranges:
            self.window.finish(start, stop)
            self._no_longer_tried(start, stop)
        self.settled += ranges

    def _give_up_letters(self) -> None:
        """Evict the oldest uncommitted dead letters if there are too many, after a long time with a full disk, say.
        Their messages are settled without them."""
        waiting = [letter for burden in (*self.admitted, *self.held) for letter in burden.letters]
        surplus = len(waiting) - self.letter_limits.count
        size = sum(map(size_of, waiting)) - self.letter_limits.size
        gone = 0
        while gone < len(waiting) and (surplus > gone or (size > 0 and len(waiting) - gone > 1)):
            size -= size_of(waiting[gone])
            gone += 1
        if gone:
            self.letters_lost += gone
            self.retract()
            self.held = _without_letters(self.held, gone)

    def _no_longer_tried(self, start: int, stop: int) -> None:
        few = range(start, stop) if stop - start < len(self.tried) else list(self.tried)
        for position in few:
            if position in self.tried and start <= position < stop:
                self.tried.remove(position)
                self.tries.pop(position, None)
                self.untried.append(position)

    def delay(self, tries: Mapping[int, Try]) -> None:
        """Record the tries of delayed messages that are being committed. Later tries of them are newer."""
        for position, one in tries.items():
            if position not in self.tries and not self.window.is_finished(position):
                self.tried_again(position, one)

    def tried_again(self, position: int, one: Try) -> None:
        """Record a try, to be written."""
        self.tries[position] = one
        self.tried.add(position)
        self.dirty = True

    def declare(self, declaration: bytes) -> None:
        """Replace the declaration with a commit."""
        self.declaration, self.dirty = declaration, True

    def remove(self, numbers: Iterable[int], again: bool = False) -> None:
        """Delete dead letters with a commit. :param again: whether they were retried."""
        if again:
            self.removed |= set(numbers)
        else:
            self.deleted |= set(numbers)
        self.dirty = True

    def hide(self, numbers: Iterable[int]) -> None:
        """Hide dead letters that will be removed. Thread-safe: each change of the set is atomic."""
        self.hidden.update(numbers)

    def limit(self, letters: LetterLimits) -> None:
        """Set the limits of dead letters, and have their ages checked."""
        self.letter_limits = letters
        self.letters_due = True
        self.dirty = True

    @property
    def letters_kept(self) -> int:
        """Number of committed dead letters."""
        return self.letters_held.count

    def draft(self, next_position: int, evicted: int, removed: int) -> QueueRecord:
        """The record to be written. It covers only messages that are stored after this commit.

        :param next_position: position of the first message that is not stored after this commit.
        :param evicted: number of dead letters evicted in this commit. :param removed: number deleted in it.
        """
        return QueueRecord(
            number=self.number,
            name=self.key.name,
            created_at=self.created_at,
            next_position=next_position,
            floor=min(self.window.floor, next_position),
            ranges=[],
            counters=self._written_counters(),
            unread_bytes=self.unread_bytes,
            next_letter=self._next_letter,
            letters=max(0, self.letters_kept + len(self.letters) - evicted - removed),
            lost_letters=self.letters_lost + evicted,
            commit=self._commit + 1,
            beginning=astuple(self.beginning) if self.beginning else None,
            site=self.key.site,
            declaration=self.declaration,
        )

    def _written_counters(self) -> Counters:
        """The counters without held burdens: after a kill these are done again."""
        if not self.held:
            return self.counters
        dead = sum([burden.dead for burden in self.held])
        finished = sum([burden.stop - burden.start for burden in self.held if not burden.dead])
        return replace(
            self.counters, dead=max(0, self.counters.dead - dead), finished=max(0, self.counters.finished - finished)
        )

    def accept(self, record: QueueRecord, removed: bool, tried: bool = True) -> None:
        """Accept a committed record.

        :param removed: whether deletions of retried dead letters are committed. :param tried: whether new tries are.
        """
        upto = self.next_position = record.next_position
        # Messages that are received and not stored do not count: a restart would not know them.
        received = upto + self._placeless - sum([one.dead for one in self.held if one.start == one.stop])
        self.shown = replace(record.counters, received=received)
        self.letters_lost_shown = record.lost_letters
        self.letters_held, self.letters_lost = Amount(record.letters, self.letters_size), record.lost_letters
        self._commit = record.commit
        self.beginning = Beginning(*record.beginning) if record.beginning else None
        self.settled = [(max(start, upto), stop) for start, stop in self.settled if stop > upto]
        if tried:
            self.tries = {position: one for position, one in self.tries.items() if position >= upto}
        self.letters, self.outbox, self.untried, self.admitted = {}, [], [], []
        self.hidden.difference_update(self.deleted)
        self.deleted = set()
        if removed:
            self.hidden.difference_update(self.removed)
            self.removed = set()
        self.dirty = bool(self.settled or self.tries or self.removed or self.held or not removed)


def below(ranges: Iterable[Range], limit: int) -> Iterator[Range]:
    """The parts of the ranges below ``limit``."""
    return ((start, min(stop, limit)) for start, stop in ranges if start < limit)


def _without_letters(burdens: list[Burden], count: int) -> list[Burden]:
    """The burdens without their first ``count`` letters."""
    found = []
    for burden in burdens:
        kept = burden.letters[count:]
        count -= len(burden.letters) - len(kept)
        found.append(replace(burden, letters=kept))
    return found
