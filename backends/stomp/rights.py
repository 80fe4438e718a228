"""Rights: which destinations a user may read and write. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec

from hub.backends.stomp.destination import Destination, Kind

EVERYBODY = "*"
"""Name in the table of rights for users who are not in it, and for clients without a login."""
_OF_QUEUES = (Kind.QUEUE, Kind.DEAD)


class Rights(msgspec.Struct, frozen=True):
    """Rights of one user.

    :ivar read: destination patterns that it may subscribe to. :ivar write: those that it may send to. ``/queue/a.*``:
        one word; ``/topic/a.#``: any rest. ``/queue/#`` includes the dead letters.
    """

    read: Sequence[str] = ()
    write: Sequence[str] = ()

    def may_read(self, destination: Destination) -> bool:
        """Tell whether it may subscribe. All topics of a pattern have to be allowed.

        Its own temporary queue anybody may read.
        """
        return destination.kind is Kind.TEMPORARY or _allowed(self.read, destination)

    def may_write(self, destination: Destination) -> bool:
        """Tell whether it may send. Anybody may answer: the name of a reply queue can't be guessed."""
        return destination.kind in (Kind.TEMPORARY, Kind.REPLY) or _allowed(self.write, destination)


ALL = Rights(("/topic/#", "/queue/#"), ("/topic/#", "/queue/#"))
NONE = Rights()


def rights_of(user: str | None, table: Mapping[str, Rights]) -> Rights:
    """The rights of a user. :param table: rights by user; empty: everybody has all.

    :param user: ``None``: the client did not prove who it is.
    """
    if not table:
        return ALL
    return table.get(user if user is not None else EVERYBODY) or table.get(EVERYBODY, NONE)


def _allowed(patterns: Sequence[str], wanted: Destination) -> bool:
    kind = Kind.QUEUE if wanted.kind in _OF_QUEUES else wanted.kind
    name = str(wanted).removeprefix(kind) if kind is Kind.QUEUE else "#" if wanted.one_word else wanted.pattern
    words = name.split(".")
    return any(
        pattern.startswith(kind) and covers(pattern.removeprefix(kind).split("."), words) for pattern in patterns
    )


def covers(allowed: Sequence[str], wanted: Sequence[str]) -> bool:
    """Tell whether every topic that matches the words ``wanted`` matches ``allowed`` too. In doubt it says no.

    It takes at most the words of one times the words of the other, because clients send patterns.
    """
    wanted = _marked(wanted)
    reached = [True] + [False] * len(wanted)  # reached[n]: the words of ``allowed`` so far cover the first n wanted
    for word in _marked(allowed):
        if word == "#":
            first = reached.index(True) if True in reached else len(reached)
            reached = [at >= first for at in range(len(reached))]
        elif word.startswith(_START):
            return any(map(_both(partial(_begins, word.removeprefix(_START))), reached, wanted))
        elif word == "*":
            reached = [False, *map(_both(_is_one_word), reached, wanted)]
        else:
            reached = [False, *map(_both(word.__eq__), reached, wanted)]
    return reached[-1]


_START = "\0"
"""Before the last word of a pattern that ends with a star: any rest may follow, dots included. No name has NUL."""


def _marked(words: Sequence[str]) -> list[str]:
    """The words, with a mark where the last one is such a beginning. Within a pattern ``a*`` is a word like others."""
    *before, last = words
    return [*before, f"{_START}{last[:-1]}" if last.endswith("*") and last != "*" else last]


def _begins(beginning: str, wanted: str) -> bool:
    return wanted.removeprefix(_START).startswith(beginning)


def _is_one_word(wanted: str) -> bool:
    return wanted != "#" and not wanted.startswith(_START)


def _both(covered: Callable[[str], bool]) -> Callable[[bool, str], bool]:
    """Make a check that the words before are covered, and this one."""
    return lambda before, wanted: before and covered(wanted)
