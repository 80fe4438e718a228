"""Streams and their groups, as a Redis server keeps them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Id = tuple[int, int]
LAST: Id = ((1 << 64) - 1, (1 << 64) - 1)


class Refusal(Exception):
    """An error that a server answers."""


@dataclass
class Pending:
    """An entry that a consumer has."""

    consumer: bytes
    since: float
    count: int = 1


@dataclass
class Group:
    last: Id = (0, 0)
    pending: dict[Id, Pending] = field(default_factory=dict)


@dataclass
class Stream:
    entries: dict[Id, list[bytes]] = field(default_factory=dict)
    last: Id = (0, 0)
    groups: dict[bytes, Group] = field(default_factory=dict)


def shown(one: Id) -> bytes:
    return b"%d-%d" % one


class Streams:
    """All streams, by name."""

    def __init__(self) -> None:
        self.all: dict[bytes, Stream] = {}

    def execute(self, name: str, words: list[bytes]) -> Any:
        if name in ("XGROUP", "XINFO"):
            name, words = f"{name}_{words[0].decode().upper()}", words[1:]
        method = getattr(self, f"_{name.lower()}", None)
        if method is None:
            raise Refusal(f"ERR unknown command '{name}'")
        return method(words)

    def bodies(self, name: str) -> list[bytes]:
        """Bodies of the entries of a stream."""
        fields = self.all[name.encode()].entries.values() if name.encode() in self.all else ()
        return [dict(zip(one[::2], one[1::2], strict=True)).get(b"body", b"") for one in fields]

    def group(self, stream: bytes, name: bytes) -> Group:
        try:
            return self.all[stream].groups[name]
        except KeyError:
            raise Refusal(f"NOGROUP No such key '{stream.decode()}' or consumer group '{name.decode()}'") from None

    def has_new(self, words: list[bytes]) -> bool:
        """True if an XREADGROUP has something to read."""
        at = [word.upper() for word in words].index(b"STREAMS")
        if words[0].upper() == b"XREAD":
            return self._xread(words[1:]) is not None
        group = words[2]
        names = words[at + 1 :][: len(words[at + 1 :]) // 2]
        return any(name not in self.all or self.all[name].last > self.group(name, group).last for name in names)

    # -- the commands

    def _xadd(self, words: list[bytes]) -> bytes:
        stream = self.all.setdefault(words[0], Stream())
        at = words.index(b"*")
        now = int(time.time() * 1000)
        stream.last = (now, 0) if now > stream.last[0] else (stream.last[0], stream.last[1] + 1)
        stream.entries[stream.last] = words[at + 1 :]
        return shown(stream.last)

    def _xrange(self, words: list[bytes]) -> list[Any]:
        entries = self.all.get(words[0], Stream()).entries
        found = [one for one in entries if _lower(words[1]) <= one <= _upper(words[2])]
        return [[shown(one), entries[one]] for one in found[: _count(words)]]

    def _xrevrange(self, words: list[bytes]) -> list[Any]:
        entries = self.all.get(words[0], Stream()).entries
        return [[shown(one), entries[one]] for one in sorted(entries, reverse=True)[: _count(words)]]

    def _xgroup_create(self, words: list[bytes]) -> str:
        stream = self.all.setdefault(words[0], Stream())
        if words[1] in stream.groups:
            raise Refusal("BUSYGROUP Consumer Group name already exists")
        stream.groups[words[1]] = Group(stream.last if words[2] == b"$" else _parsed(words[2]))
        return "+OK"

    def _xreadgroup(self, words: list[bytes]) -> Any:
        at = words.index(b"STREAMS")
        places = words[at + 1 :]
        found = []
        for name, after in zip(places[: len(places) // 2], places[len(places) // 2 :], strict=True):
            group = self.group(name, words[1])
            rows = self._new(name, group, words) if after == b">" else self._old(name, group, words, _parsed(after))
            if rows or after != b">":
                found.append([name, rows])
        return found or None

    def _new(self, name: bytes, group: Group, words: list[bytes]) -> list[Any]:
        entries = self.all[name].entries
        ids = [one for one in entries if one > group.last][: _count(words)]
        for one in ids:
            group.pending[one] = Pending(words[2], time.monotonic())
            group.last = one
        return [[shown(one), entries[one]] for one in ids]

    def _old(self, name: bytes, group: Group, words: list[bytes], after: Id) -> list[Any]:
        entries = self.all[name].entries
        mine = sorted(one for one, has in group.pending.items() if has.consumer == words[2] and one > after)
        for one in mine[: _count(words)]:
            group.pending[one].since = time.monotonic()
            group.pending[one].count += 1
        return [[shown(one), entries.get(one)] for one in mine[: _count(words)]]

    def _xread(self, words: list[bytes]) -> Any:
        at = words.index(b"STREAMS")
        places = words[at + 1 :]
        found = []
        for name, after in zip(places[: len(places) // 2], places[len(places) // 2 :], strict=True):
            entries = self.all[name].entries if name in self.all else {}
            rows = [[shown(one), entries[one]] for one in entries if one > _parsed(after)]
            found += [[name, rows]] if rows else []
        return found or None

    def _xack(self, words: list[bytes]) -> int:
        group = self.group(words[0], words[1])
        return sum(group.pending.pop(_parsed(one), None) is not None for one in words[2:])

    def _xpending(self, words: list[bytes]) -> Any:
        pending = self.group(words[0], words[1]).pending
        if len(words) == 2:
            ids = sorted(pending)
            return [len(ids), shown(ids[0]) if ids else None, shown(ids[-1]) if ids else None, None]
        rest, least = words[2:], 0.0
        if rest[0].upper() == b"IDLE":
            rest, least = rest[2:], int(rest[1]) / 1000
        now = time.monotonic()
        rows = [
            [shown(one), has.consumer, int((now - has.since) * 1000), has.count]
            for one, has in sorted(pending.items())
            if _lower(rest[0]) <= one <= _upper(rest[1]) and now - has.since >= least and has.consumer in rest[3:4]
        ]
        if len(rest) < 4:
            rows = [[shown(one)] for one in sorted(pending) if _lower(rest[0]) <= one <= _upper(rest[1])]
        return rows[: int(rest[2])]

    def _xclaim(self, words: list[bytes]) -> list[bytes]:
        pending = self.group(words[0], words[1]).pending
        ids = [_parsed(one) for one in words[4:] if one != b"JUSTID"]
        for one in ids:
            if one in pending:
                pending[one] = Pending(words[2], time.monotonic(), pending[one].count)
        return [shown(one) for one in ids if one in pending]

    def _xautoclaim(self, words: list[bytes]) -> list[Any]:
        pending, entries = self.group(words[0], words[1]).pending, self.all[words[0]].entries
        least, now = int(words[3]) / 1000, time.monotonic()
        idle = [one for one in sorted(pending) if one >= _parsed(words[4]) and now - pending[one].since >= least]
        taken, left = idle[: int(words[6])], idle[int(words[6]) :]
        gone = [one for one in taken if one not in entries]
        for one in gone:
            del pending[one]
        for one in (one for one in taken if one in entries):
            pending[one] = Pending(words[2], now, pending[one].count + 1)
        rows = [[shown(one), entries[one]] for one in taken if one in entries]
        return [shown(left[0]) if left else b"0-0", rows, [shown(one) for one in gone]]

    def _xinfo_stream(self, words: list[bytes]) -> list[Any]:
        stream = self.all.get(words[0])
        if stream is None:
            raise Refusal("ERR no such key")
        first = min(stream.entries, default=None)
        shown_first = None if first is None else [shown(first), stream.entries[first]]
        length = [b"length", len(stream.entries), b"last-generated-id", shown(stream.last)]
        return [*length, b"first-entry", shown_first]

    def _xinfo_groups(self, words: list[bytes]) -> list[Any]:
        groups = self.all[words[0]].groups if words[0] in self.all else {}
        return [
            [b"name", name, b"pending", len(one.pending), b"last-delivered-id", shown(one.last), b"lag", None]
            for name, one in groups.items()
        ]

    def _xtrim(self, words: list[bytes]) -> int:
        entries = self.all[words[0]].entries
        ids = sorted(entries)
        if words[1] == b"MAXLEN":
            gone = ids[: max(0, len(ids) - int(words[-1]))]
        else:
            gone = [one for one in ids if one < _parsed(words[-1])]
        for one in gone:
            del entries[one]
        return len(gone)

    def _time(self, words: list[bytes]) -> list[bytes]:
        return [b"%d" % time.time(), b"0"]

    def _type(self, words: list[bytes]) -> str:
        return "+stream" if words[0] in self.all else "+none"


def _parsed(text: bytes) -> Id:
    first, _, second = text.partition(b"-")
    return int(first), int(second or 0)


def _lower(text: bytes) -> Id:
    if text.startswith(b"("):
        first, second = _parsed(text[1:])
        return first, second + 1
    return (0, 0) if text == b"-" else _parsed(text)


def _upper(text: bytes) -> Id:
    return LAST if text == b"+" else _parsed(text)


def _count(words: Sequence[bytes]) -> int | None:
    upper = [word.upper() for word in words]
    return int(words[upper.index(b"COUNT") + 1]) if b"COUNT" in upper else None
