"""Heap whose items may go at any time, wherever they are in it. Pure: no lock."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


def _never(item: object) -> bool:
    return False


class LazyHeap(Generic[Item]):
    """Rows of two numbers and an item, the lowest numbers first. An item that has gone is left out when it is the next
    one, or when half of all have gone.

    :param is_gone: tells whether an item has gone. The caller calls ``forget`` for each one.
    """

    def __init__(self, is_gone: Callable[[Item], bool] = _never) -> None:
        self._is_gone = is_gone
        self._gone = 0
        self._rows: list[tuple[float, int, Item]] = []

    def __len__(self) -> int:
        return len(self._rows) - self._gone

    @property
    def first(self) -> tuple[float, int, Item] | None:
        """The first row."""
        return self._rows[0] if self._rows else None

    def push(self, number: float, order: int, item: Item) -> None:
        """Add an item. No two items have both numbers in common."""
        heapq.heappush(self._rows, (number, order, item))

    def pop(self) -> Item:
        """Remove and return the first item. :raises IndexError: there is none."""
        item = heapq.heappop(self._rows)[2]
        if self._gone:
            self._leave_out()
        return item

    def forget(self) -> None:
        """Note that one of the items has gone."""
        self._gone += 1
        if 2 * self._gone > len(self._rows):
            self._keep([row for row in self._rows if not self._is_gone(row[2])])
        else:
            self._leave_out()

    def _leave_out(self) -> None:
        while self._gone and self._is_gone(self._rows[0][2]):
            heapq.heappop(self._rows)
            self._gone -= 1

    def remove(self, chosen: Callable[[Item], bool]) -> list[Item]:
        """Remove and return the items that are chosen, in any order."""
        there = [row for row in self._rows if not self._is_gone(row[2])] if self._gone else self._rows
        removed = [row[2] for row in there if chosen(row[2])]
        if removed:
            self._keep([row for row in there if not chosen(row[2])])
        return removed

    def _keep(self, rows: list[tuple[float, int, Item]]) -> None:
        self._rows, self._gone = rows, 0
        heapq.heapify(rows)
