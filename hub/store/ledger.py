"""A queue's books as the writer keeps them: what is committed, and what is to be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from itertools import islice

from hub.deadletter import DeadLetter
from hub.stats.counters import Counters
from hub.store import Beginning, Journal, Outgoing, QueueState, Range, Try
from hub.store.letters import ROW, Amount, LetterLimits, size_of
from hub.store.records import QueueRecord
from hub.store.window import AckWindow


@dataclass(frozen=True, slots=True)
class Burden:
    """Positions that are settled only together with what has to be written for them.

    :ivar dead: how many of them are dead; the others are finished. :ivar size: bytes, about.
    """

    start: int
    stop: int
    dead: int
    letters: Sequence[DeadLetter]
    outbox: Sequence[Outgoing]

    @property
    def size(self) -> int:
        """See the class."""
        return ROW + sum(map(size_of, self.letters)) + sum([ROW + len(one.message.body) for one in self.outbox])


def burdens_of(journal: Journal) -> Iterator[Burden]:
    """In their order."""
    letters, outbox = iter(journal.letters), iter(journal.outbox)
    for start, stop, buried, sent in journal.ties:
        yield Burden(start, stop, buried, list(islice(letters, buried)), list(islice(outbox, sent)))
    for letter in letters:
        yield Burden(0, 0, 1, [letter], [])
    for outgoing in outbox:
        yield Burden(0, 0, 0, [], [outgoing])


class Ledger:
    """Belongs to the writer's thread, but for the reading of plain numbers.

    ``absorb`` notes what is to be written; ``draft`` says what the queue's record will be then, and ``accept`` is
    called once it is committed. A commit that failed is simply tried again.

    :ivar window: all positions that are settled, committed or not.
    :ivar next_position: as committed.
    :ivar shown: the counters as they would be after a kill, or less: what may be shown, as it never falls.
    :ivar letters_lost_shown: the same of ``letters_lost``.
    :ivar settled: ranges to be committed.
    :ivar tries: those to be committed.
    :ivar tried: positions that have, or will have, a row in the table of tries. :ivar untried: rows to be deleted.
    :ivar letters: dead letters to be committed, by number.
    :ivar letters_held: those that are committed. :ivar letters_size: their bytes after this
        commit.
    :ivar beginning: as committed.
    :ivar letters_due: whether their ages are to be looked at.
    :ivar removed: numbers of dead letters that were given again, to be deleted. :ivar deleted: of others.
    :ivar held: what waits for room on the disk, with the positions that are settled by it. :ivar admitted: what of it
        is to be committed.
    :ivar hidden: numbers of committed ones that will be deleted, and that nobody may take until then.
    """

    def __init__(self, number: int, name: str, created_at: float) -> None:
        self.number = number
        self.name = name
        self.created_at = created_at
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
        ledger.letters_lost = ledger.letters_lost_shown = record.lost_letters
        ledger._next_letter = record.next_letter
        ledger._commit = record.commit
        ledger.beginning = Beginning(*record.beginning) if record.beginning else None
        ledger.dirty = False
        # What arrived after the queue's own reading was taken is in the pages, and so in ``next_position``.
        open_ = sum(stop - start for start, stop in ledger.window.open(record.floor, record.next_position))
        ledger.counters = ledger.shown = replace(record.counters, received=record.counters.settled + open_)
        ledger._placeless = ledger.counters.received - ledger.next_position
        return ledger

    def state(self, tries: dict[int, Try], oldest: float | None) -> QueueState:
        """For the queue to go on with: what is held is settled for it."""
        window = AckWindow(self.window.floor)
        window.restore(self.window.ranges)
        for burden in self.held:
            window.finish(burden.start, burden.stop)
        books = (window.floor, window.ranges, self.next_position, replace(self.counters))
        return QueueState(*books, tries, self.unread_bytes, oldest)

    def absorb(self, journal: Journal, hold: bool = False) -> None:
        """Note what became of its messages. :param hold: what needs room waits for ``admit``."""
        self.dirty = self.dirty or bool(journal) or journal.counters != self.counters
        self.tries |= journal.tries
        self.tried.update(journal.tries)  # not |=, which would copy them all
        self._settle(journal.settled)
        self.held += burdens_of(journal)
        self.counters = journal.counters
        self._placeless = journal.counters.received - journal.admitted
        self.unread_bytes = journal.unread_bytes
        self._give_up_letters()
        if not hold:
            self.admit(len(self.held))

    def admit(self, count: int) -> None:
        """So many of those that are held, the oldest first, are to be written with the next commit."""
        burdens, self.held = self.held[:count], self.held[count:]
        self.admitted += burdens
        self._settle([(burden.start, burden.stop) for burden in burdens if burden.stop > burden.start])
        for burden in burdens:
            for letter in burden.letters:
                self.letters[self._next_letter] = letter
                self._next_letter += 1
            self.outbox += burden.outbox

    def retract(self) -> None:
        """That commit failed: they are held again, and another one may do without them."""
        burdens, self.admitted = self.admitted, []
        self._next_letter -= len(self.letters)  # none of these numbers was written
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
        """The oldest of those that are to be committed, where they are too many: the disk may have been full for
        long. Their messages are settled without them."""
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

    def tried_again(self, position: int, one: Try) -> None:
        """Its row in the table of tries is to be written."""
        self.tries[position] = one
        self.tried.add(position)
        self.dirty = True

    def remove(self, numbers: Iterable[int], again: bool = False) -> None:
        """These dead letters are to be deleted. :param again: because they are among what arrived."""
        if again:
            self.removed |= set(numbers)
        else:
            self.deleted |= set(numbers)
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
            counters=self._written_counters(),
            unread_bytes=self.unread_bytes,
            next_letter=self._next_letter,
            letters=max(0, self.letters_kept + len(self.letters) - evicted - removed),
            lost_letters=self.letters_lost + evicted,
            commit=self._commit + 1,
            beginning=astuple(self.beginning) if self.beginning else None,
        )

    def _written_counters(self) -> Counters:
        """Without what is held: after a kill that will be done again."""
        if not self.held:
            return self.counters
        dead = sum([burden.dead for burden in self.held])
        finished = sum([burden.stop - burden.start for burden in self.held if not burden.dead])
        return replace(
            self.counters, dead=max(0, self.counters.dead - dead), finished=max(0, self.counters.finished - finished)
        )

    def accept(self, record: QueueRecord, removed: bool, tried: bool = True) -> None:
        """It is committed.

        :param removed: so are the deletions of dead letters that were given again. :param tried: so are new tries.
        """
        upto = self.next_position = record.next_position
        # What is received and not stored yet may never have been: a restart knows nothing of it.
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
    """What of them lies below."""
    return ((start, min(stop, limit)) for start, stop in ranges if start < limit)


def _without_letters(burdens: list[Burden], count: int) -> list[Burden]:
    """Without the first ``count`` letters of all."""
    found = []
    for burden in burdens:
        kept = burden.letters[count:]
        count -= len(burden.letters) - len(kept)
        found.append(replace(burden, letters=kept) if len(kept) < len(burden.letters) else burden)
    return found
