"""A queue's books as the writer keeps them: what is committed, and what is to be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple, replace

from hub.deadletter import DeadLetter
from hub.stats.counters import Counters
from hub.store import Beginning, Journal, Outgoing, QueueState, Range, Try
from hub.store.letters import Amount, LetterLimits, size_of
from hub.store.records import QueueRecord
from hub.store.window import AckWindow


class Ledger:
    """Belongs to the writer's thread, but for the reading of plain numbers.

    ``absorb`` notes what is to be written; ``draft`` says what the queue's record will be then, and ``accept`` is
    called once it is committed. A commit that failed is simply tried again.

    :ivar window: all positions that are settled, committed or not.
    :ivar next_position: as committed.
    :ivar settled: ranges to be committed.
    :ivar tries: those to be committed.
    :ivar tried: positions that have, or will have, a row in the table of tries. :ivar untried: rows to be deleted.
    :ivar letters: dead letters to be committed, by number.
    :ivar removed: numbers of dead letters to be deleted.
    :ivar letters_held: those that are committed. :ivar letters_size: their bytes after this
        commit.
    :ivar beginning: as committed.
    :ivar letters_due: whether their ages are to be looked at.
    :ivar hidden: numbers of committed ones that will be deleted, and that nobody may take until then.
    """

    def __init__(self, number: int, name: str, created_at: float) -> None:
        self.number = number
        self.name = name
        self.created_at = created_at
        self.window = AckWindow()
        self.next_position = 0
        self.counters = Counters()
        self.unread_bytes = 0
        self.settled: list[Range] = []
        self.tries: dict[int, Try] = {}
        self.tried: set[int] = set()
        self.untried: list[int] = []
        self.letters: dict[int, DeadLetter] = {}
        self.removed: set[int] = set()
        self.hidden: set[int] = set()
        self.letter_limits = LetterLimits()
        self.letters_due = False
        self.letters_held = Amount()
        self.letters_size = 0
        self.letters_lost = 0
        self.outbox: list[Outgoing] = []
        self.dirty = True
        self._next_letter = 1
        self._commit = 0
        self.beginning: Beginning | None = None

    @classmethod
    def restore(
        cls, record: QueueRecord, ranges: Iterable[Range], tries: dict[int, Try], letter_bytes: int = 0
    ) -> Ledger:
        """As it was committed. :param ranges: settled above the record's floor. :param letter_bytes: of its dead
        letters."""
        ledger = cls(record.number, record.name, record.created_at)
        ledger.window = AckWindow(record.floor)
        ledger.window.restore(ranges)
        ledger.next_position = record.next_position
        ledger.unread_bytes = record.unread_bytes
        ledger.tried = set(tries)
        ledger.letters_held = Amount(record.letters, letter_bytes)
        ledger.letters_lost = record.lost_letters
        ledger._next_letter = record.next_letter
        ledger._commit = record.commit
        ledger.beginning = Beginning(*record.beginning) if record.beginning else None
        ledger.dirty = False
        # What arrived after the queue's own reading was taken is in the pages, and so in ``next_position``.
        open_ = sum(stop - start for start, stop in ledger.window.open(record.floor, record.next_position))
        ledger.counters = replace(record.counters, received=record.counters.settled + open_)
        return ledger

    def state(self, tries: dict[int, Try], oldest: float | None) -> QueueState:
        """For the queue to go on with."""
        window = self.window
        books = (window.floor, window.ranges, self.next_position, replace(self.counters))
        return QueueState(*books, tries, self.unread_bytes, oldest)

    def absorb(self, journal: Journal) -> None:
        """Note what became of its messages."""
        self.dirty = self.dirty or bool(journal) or journal.counters != self.counters
        self.tries |= journal.tries
        self.tried |= journal.tries.keys()
        for start, stop in journal.settled:
            self.window.finish(start, stop)
            self._no_longer_tried(start, stop)
        self.settled += journal.settled
        for letter in journal.letters:
            self.letters[self._next_letter] = letter
            self._next_letter += 1
        self._give_up_letters()
        self.outbox += journal.outbox
        self.counters = journal.counters
        self.unread_bytes = journal.unread_bytes

    def _give_up_letters(self) -> None:
        """The oldest of those that are to be committed, where they are too many: the disk may have been full for
        long."""
        surplus = len(self.letters) - self.letter_limits.count
        size = sum([size_of(letter) for letter in self.letters.values()]) - self.letter_limits.size
        while self.letters and (surplus > 0 or (size > 0 and len(self.letters) > 1)):
            size -= size_of(self.letters.pop(next(iter(self.letters))))
            surplus -= 1
            self.letters_lost += 1

    def _no_longer_tried(self, start: int, stop: int) -> None:
        few = range(start, stop) if stop - start < len(self.tried) else list(self.tried)
        for position in few:
            if position in self.tried and start <= position < stop:
                self.tried.remove(position)
                self.tries.pop(position, None)
                self.untried.append(position)

    def tried_again(self, position: int, one: Try) -> None:
        """Its row in the table of tries is to be written."""
        self.tries[position] = one
        self.tried.add(position)
        self.dirty = True

    def remove(self, numbers: Iterable[int]) -> None:
        """These dead letters are to be deleted."""
        self.removed |= set(numbers)
        self.dirty = True

    def hide(self, numbers: Iterable[int]) -> None:
        """These dead letters are about to be removed. In any thread: each change of the set is one step."""
        self.hidden.update(numbers)

    def soil(self) -> None:
        """Its record is to be written again."""
        self.dirty = True

    def limit(self, letters: LetterLimits) -> None:
        """Keep no more dead letters than that, and look at their ages."""
        self.letter_limits = letters
        self.letters_due = True
        self.dirty = True

    @property
    def letters_kept(self) -> int:
        """How many dead letters are committed."""
        return self.letters_held.count

    def draft(self, next_position: int, evicted: int, removed: int) -> QueueRecord:
        """The record to be written. Of messages that are not stored yet it says nothing.

        :param next_position: of the first message that will not be stored after this commit.
        :param evicted: dead letters that went for newer ones in this commit. :param removed: that were deleted in it.
        """
        return QueueRecord(
            number=self.number,
            name=self.name,
            created_at=self.created_at,
            next_position=next_position,
            floor=min(self.window.floor, next_position),
            ranges=[],
            counters=self.counters,
            unread_bytes=self.unread_bytes,
            next_letter=self._next_letter,
            letters=max(0, self.letters_kept + len(self.letters) - evicted - removed),
            lost_letters=self.letters_lost + evicted,
            commit=self._commit + 1,
            beginning=astuple(self.beginning) if self.beginning else None,
        )

    def accept(self, record: QueueRecord, removed: bool) -> None:
        """It is committed. :param removed: so are the deletions of dead letters."""
        upto = self.next_position = record.next_position
        self.letters_held, self.letters_lost = Amount(record.letters, self.letters_size), record.lost_letters
        self._commit = record.commit
        self.beginning = Beginning(*record.beginning) if record.beginning else None
        self.settled = [(max(start, upto), stop) for start, stop in self.settled if stop > upto]
        self.tries = {position: one for position, one in self.tries.items() if position >= upto}
        self.letters, self.outbox, self.untried = {}, [], []
        if removed:
            self.hidden.difference_update(self.removed)
            self.removed = set()
        self.dirty = bool(self.settled or self.tries or self.removed or not removed)


def below(ranges: Iterable[Range], limit: int) -> Iterator[Range]:
    """What of them lies below."""
    return ((start, min(stop, limit)) for start, stop in ranges if start < limit)
