"""Compares what was confirmed, what each consumer did, and what is in the dead letters.

Every confirmed message must be, for each queue that wanted it, done at least once, or a dead letter, or still in the
backlog; what was done twice is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

Wants = Callable[[int], bool]


@dataclass(frozen=True)
class Findings:
    """Of one queue.

    :ivar lost: confirmed and wanted, and neither done nor dead: these must be the backlog.
    :ivar repeats: how often something was done that had been done already, or was done and is dead too.
    :ivar unknown: done or dead, and never offered, or not wanted.
    """

    queue: str
    confirmed: int
    done: int
    dead: int
    lost: frozenset[int]
    repeats: int
    unknown: frozenset[int]

    def __str__(self) -> str:
        return (
            f"{self.queue}: {self.confirmed} confirmed, {self.done} done, {self.dead} dead, "
            f"{self.repeats} repeated, {len(self.lost)} neither done nor dead"
        )


class Records:
    """What consumers and the backend wrote into their directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def _lines(self, name: str) -> list[list[str]]:
        path = self.directory / name
        if not path.exists():
            return []
        return [line.split() for line in path.read_text(encoding="ascii").splitlines()]

    def ranges(self, name: str) -> list[tuple[int, int]]:
        """From the first up to, not including, the second; as they were written."""
        return [(int(start), int(stop)) for start, stop in self._lines(name)]

    def _numbers(self, name: str) -> set[int]:
        return {number for start, stop in self.ranges(name) for number in range(start, stop)}

    def offered(self) -> set[int]:
        """What the bus gave to the hub."""
        return self._numbers("offered")

    def confirmed(self) -> set[int]:
        """What the hub said was safe."""
        return self._numbers("confirmed")

    def did(self, consumer: str, word: str = "done") -> Counter[int]:
        """How often it did each."""
        return self._words(f"consumer-{consumer}", word)

    def published(self) -> Counter[int]:
        """How often each was sent out."""
        return self._words("published", "published")

    def _words(self, name: str, word: str) -> Counter[int]:
        return Counter(int(number) for found, number in self._lines(name) if found == word)

    def check(self, queue: str, wants: Wants, letters: Iterable[int]) -> Findings:
        """Compare them, for that queue. :param letters: the numbers of its dead letters."""
        done, dead = self.did(queue), Counter(letters)
        offered = {number for number in self.offered() if wants(number)}
        confirmed = {number for number in self.confirmed() if wants(number)}
        met = done.keys() | dead.keys()
        return Findings(
            queue,
            len(confirmed),
            done.total(),
            dead.total(),
            lost=frozenset(confirmed - met),
            repeats=done.total() + dead.total() - len(met),
            unknown=frozenset(met - offered),
        )
