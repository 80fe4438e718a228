"""LMDB's own pages, read without LMDB: whether its trees are sound, and where in the file each row lies.

LMDB believes what it reads: a flipped bit in a tree, or in the list of free pages, makes it crash, lose rows, or write
over what is in use. So this is asked first, and LMDB only if nothing is wrong here. The format is that of LMDB 0.9 on a
machine with 64 bits that puts the lowest byte first (``mdb.c``: MDB_page, MDB_node, MDB_meta, MDB_db).
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from hub.store.fsck.firstpages import TREE, FirstPages, Meta, Tree
from hub.store.fsck.image import Image
from hub.store.tables import NAMES

BRANCH, LEAF, OVERFLOW = 1, 2, 4
BIG, SUBTREE = 1, 2
INTEGER_KEYS = 8
NO_PAGE = (1 << 64) - 1
FREE, MAIN, FILE = "(free pages)", "(tables)", "(file)"
MOST_FLAWS = 100
"""Of one table; whatever more there is says no more."""
_HEAD = struct.Struct("<QHHHH")
_NODE = struct.Struct("<HHHH")
_NUMBER = struct.Struct("<Q")


class Row(NamedTuple):
    """Where the value of a key lies in the file."""

    key: bytes
    offset: int
    length: int


class _Node(NamedTuple):
    flags: int
    key: bytes
    size: int
    child: int
    offset: int


class _Flawed(Exception):
    pass


class Structure:
    """Of one file; all of it is looked at when it is made, but for the values.

    :ivar flaws: by table, what is wrong. :ivar trees: of the tables that were found, by name.
    :ivar size: of a page.
    """

    def __init__(self, image: Image) -> None:
        self.flaws: dict[str, list[str]] = defaultdict(list)
        self.trees: dict[str, Tree] = {}
        self._image = image
        first = FirstPages(image)
        self.size, self._meta = first.size, first.newest
        for text in first.flaws:
            self._flaw(FILE, text)
        commits = [meta.commit for meta in first.found]
        if len(commits) == 2 and abs(commits[0] - commits[1]) > 1:
            self._flaw(FILE, f"its two first pages are of the commits {commits[0]} and {commits[1]}")
        self._used = bytearray()
        if self._meta is not None:
            self._look(self._meta)

    def sound(self, table: str) -> bool:
        """Whether ``rows`` gives all the rows of that table, and no others."""
        return table in self.trees and not any(self.flaws.get(name) for name in (FILE, MAIN, table))

    def rows(self, table: str) -> Iterator[Row]:
        """Those that can be reached, in order; none of a table that was not found."""
        if table in self.trees:
            self._used = bytearray(len(self._used))
            yield from self._walk(table, self.trees[table])

    def _look(self, meta: Meta) -> None:
        self._used = bytearray(self._image.size // self.size)
        self._used[:2] = b"\1\1"[: len(self._used)]
        free = list(self._walk(FREE, meta.free))
        for row in list(self._walk(MAIN, meta.main, SUBTREE)):
            name = row.key.decode("utf-8", "replace")
            if row.length != TREE.size:
                self._flaw(MAIN, f"the row of the table {name!r} has {row.length} bytes")
                continue
            if name not in NAMES:
                self._flaw(MAIN, f"there is no table {name!r}")
            self.trees[name] = Tree(*TREE.unpack(self._image.read(row.offset, row.length)))
        for name, tree in self.trees.items():
            if tree.flags:
                self._flaw(name, f"it has the flags {tree.flags:#x}")
            for _ in self._walk(name, tree):
                pass
        for row in free:
            self._look_at_free(row, meta)
        self._used = bytearray(len(self._used))

    def _flaw(self, table: str, text: str) -> None:
        if len(self.flaws[table]) < MOST_FLAWS:
            self.flaws[table].append(text)

    # -- trees

    def _walk(self, table: str, tree: Tree, flags: int = 0) -> Iterator[Row]:
        """All rows; afterwards compares what LMDB noted of the tree with what it has."""
        order = _as_number if table == FREE else _as_bytes
        if (table == FREE and tree.flags & 0xFF != INTEGER_KEYS) or (table == MAIN and tree.flags):
            self._flaw(table, f"it has the flags {tree.flags:#x}")
        found = [0, 0, 0, 0]
        if tree.root != NO_PAGE:
            yield from _Walk(self, table, tree.depth, flags, order, found).rows(tree.root, 1, None, None)
        elif tree.depth:
            self._flaw(table, "it has no root")
        if found != [tree.branches, tree.leaves, tree.overflows, tree.entries]:
            noted = f"{tree.branches}, {tree.leaves}, {tree.overflows} and {tree.entries}"
            was = "{}, {}, {} and {}".format(*found)
            self._flaw(table, f"it should have {noted} branches, leaves, overflow pages and rows, and has {was}")

    def _claim(self, number: int, count: int = 1) -> None:
        if number + count > len(self._used) or number + count > self.last_page + 1:
            raise _Flawed(f"page {number} lies beyond the end")
        if any(self._used[number : number + count]):
            raise _Flawed(f"page {number} is used twice")
        self._used[number : number + count] = b"\1" * count

    @property
    def last_page(self) -> int:
        """The highest number of a page that the newest commit knows of."""
        return self._meta.last_page if self._meta else 0

    def _look_at_free(self, row: Row, meta: Meta) -> None:
        content = self._image.read(row.offset, row.length)
        if len(content) < 8 or len(content) % 8:
            self._flaw(FREE, f"a row of {len(content)} bytes")
            return
        count = _NUMBER.unpack_from(content)[0]
        if count > len(content) // 8 - 1:
            self._flaw(FREE, f"a row of {len(content)} bytes lists {count} pages")
            return
        if _as_number(row.key) > meta.commit:
            self._flaw(FREE, f"a row is of the commit {_as_number(row.key)}, which is to come")
        previous = NO_PAGE
        for (number,) in _NUMBER.iter_unpack(content[8 : 8 + 8 * count]):
            if number >= previous or number > meta.last_page or number < 2:
                self._flaw(FREE, f"page {number} can't be there")
            elif number < len(self._used):
                if self._used[number]:
                    self._flaw(FREE, f"page {number} is in use, or twice free")
                self._used[number] = 1
            previous = number


class _Walk:
    """Through one tree."""

    def __init__(
        self,
        structure: Structure,
        table: str,
        depth: int,
        flags: int,
        order: Callable[[bytes], Any],
        found: list[int],
    ) -> None:
        self._structure = structure
        self._table = table
        self._depth = depth
        self._flags = flags
        self._order = order
        self._found = found

    def rows(self, number: int, level: int, low: bytes | None, high: bytes | None) -> Iterator[Row]:
        """Of the page and those below it; keys from ``low`` on, below ``high``."""
        try:
            nodes = self._nodes(number, level)
        except _Flawed as flaw:
            self._structure._flaw(self._table, str(flaw))
            return
        leaf = level == self._depth
        self._found[1 if leaf else 0] += 1
        first = 0 if leaf else 1
        inner = [self._order(node.key) for node in nodes[first:]]
        ordered = all(before < after for before, after in pairwise(inner))
        if inner and low is not None:
            ordered = ordered and self._order(low) <= inner[0]
        if inner and high is not None:
            ordered = ordered and inner[-1] < self._order(high)
        if not ordered:
            self._structure._flaw(self._table, f"the keys in page {number} are not in order")
        if leaf:
            yield from self._leaf(number, nodes)
            return
        keys = [low, *(node.key for node in nodes[1:]), high]
        for at, node in enumerate(nodes):
            yield from self.rows(node.child, level + 1, keys[at], keys[at + 1])

    def _nodes(self, number: int, level: int) -> list[_Node]:
        structure = self._structure
        structure._claim(number)
        content = structure._image.read(number * structure.size, structure.size)
        stands, _, flags, lower, upper = _HEAD.unpack_from(content)
        wanted = LEAF if level == self._depth else BRANCH
        if stands != number or flags != wanted or level > self._depth:
            raise _Flawed(f"page {number} should be a {'leaf' if wanted == LEAF else 'branch'}, and is not")
        if lower < 16 or lower % 2 or not lower <= upper <= len(content):
            raise _Flawed(f"page {number} is filled from {lower} to {upper}")
        places = struct.unpack_from(f"<{(lower - 16) // 2}H", content, 16)
        nodes = [self._node(content, number, place, upper, wanted == LEAF) for place in places]
        taken = upper
        for place, stop in sorted(zip(places, (node.offset + node.size for node in nodes), strict=True)):
            if place != taken:
                raise _Flawed(f"the rows in page {number} overlap, or leave a gap")
            taken = stop + stop % 2
        if taken != len(content) or not nodes:
            raise _Flawed(f"the rows in page {number} do not fill it")
        return nodes

    def _node(self, content: bytes, page: int, place: int, upper: int, leaf: bool) -> _Node:
        if place < upper or place % 2 or place + 8 > len(content):
            raise _Flawed(f"a row in page {page} lies outside of it")
        low, high, flags, key_size = _NODE.unpack_from(content, place)
        at = place + 8 + key_size
        if not leaf:
            node = _Node(0, content[place + 8 : at], 0, low | high << 16 | flags << 32, at)
        elif flags & BIG:
            node = _Node(flags, content[place + 8 : at], 8, low | high << 16, at)
        else:
            node = _Node(flags, content[place + 8 : at], low | high << 16, 0, at)
        if at + node.size > len(content) or (leaf and flags not in (self._flags, self._flags ^ BIG)):
            raise _Flawed(f"a row in page {page} is too long, or of the wrong kind")
        return node

    def _leaf(self, page: int, nodes: list[_Node]) -> Iterator[Row]:
        structure = self._structure
        for node in nodes:
            self._found[3] += 1
            offset = page * structure.size + node.offset
            if not node.flags & BIG:
                yield Row(node.key, offset, node.size)
                continue
            try:
                start = self._overflow(_NUMBER.unpack(structure._image.read(offset, 8))[0], node.child)
            except _Flawed as flaw:
                structure._flaw(self._table, str(flaw))
            else:
                yield Row(node.key, start, node.child)

    def _overflow(self, number: int, length: int) -> int:
        """Where a value begins that has pages of its own."""
        structure = self._structure
        head = structure._image.read(number * structure.size, 16) if number < len(structure._used) else b""
        if len(head) < 16:
            raise _Flawed(f"page {number} lies beyond the end")
        stands, _, flags, low, high = _HEAD.unpack(head)
        count = low | high << 16
        if stands != number or flags != OVERFLOW or count * structure.size < length + 16:
            raise _Flawed(f"page {number} should be an overflow page, and is not")
        structure._claim(number, count)
        self._found[2] += count
        return number * structure.size + 16


def _as_number(key: bytes) -> int:
    return int.from_bytes(key, "little")


def _as_bytes(key: bytes) -> bytes:
    return key
