"""The two first pages of LMDB's file, which say where all else is: MDB_meta. See :mod:`hub.store.fsck.structure`."""

from __future__ import annotations

import struct
from typing import NamedTuple

from hub.store.fsck.image import Image

MAGIC, VERSION = 0xBEEFC0DE, 1
META = 8
SIZES = (4096, 8192, 16384, 32768, 65536)
MOST_UNWRITTEN = 1 << 16
"""Pages at the end of a file that one transaction may have taken and given back."""
_HEAD = struct.Struct("<QHHHH")
_META = struct.Struct("<IIQQ")
TREE = struct.Struct("<IHHQQQQQ")
_LAST = struct.Struct("<QQ")


class Tree(NamedTuple):
    """What LMDB notes of a table: MDB_db."""

    pad: int
    flags: int
    depth: int
    branches: int
    leaves: int
    overflows: int
    entries: int
    root: int


class Meta(NamedTuple):
    """What one of the two first pages says: MDB_meta."""

    free: Tree
    main: Tree
    last_page: int
    commit: int


class FirstPages:
    """Of one file.

    :ivar flaws: why LMDB would not take them, or should not. :ivar found: those that can be read.
    :ivar newest: the one that counts. :ivar size: of a page.
    """

    def __init__(self, image: Image) -> None:
        self.flaws: list[str] = []
        self.size = 0
        self._image = image
        self.found = [meta for meta in map(self._meta_at, range(2)) if meta is not None]
        self.newest = max(self.found, key=lambda meta: meta.commit, default=None)

    @property
    def end(self) -> int:
        """Bytes that the file has if all pages of the newest commit were written."""
        return (self.newest.last_page + 1) * self.size if self.newest else 0

    def _meta_at(self, number: int) -> Meta | None:
        content = self._image.read(number * (self.size or 4096), 4096)
        if len(content) < 4096:
            self.flaws.append(f"it ends within page {number}")
            return None
        flags = _HEAD.unpack_from(content)[2]
        magic, version, _, _ = _META.unpack_from(content, 16)
        trees = [Tree(*TREE.unpack_from(content, 40 + at * TREE.size)) for at in range(2)]
        last_page, commit = _LAST.unpack_from(content, 40 + 2 * TREE.size)
        size = trees[0].pad
        if (magic, version, flags) != (MAGIC, VERSION, META) or size not in SIZES or size != (self.size or size):
            self.flaws.append(f"page {number} is not a first page of LMDB's")
            return None
        self.size = size
        if last_page > self._image.size // size + MOST_UNWRITTEN:
            self.flaws.append(f"page {number} says that there are {last_page} pages")
            return None
        if commit & 1 != number and commit:
            self.flaws.append(f"page {number} says that it is of commit {commit}")
            return None
        return Meta(trees[0], trees[1], last_page, commit)
