"""An index of topics by their words, which finds the topics that a pattern matches without trying each."""

from __future__ import annotations

from typing import Any

from hub.topics import ANY_WORDS, ONE_WORD, START, tokens

_END = None
"""The key of a topic that ends at a node; all other keys are words."""
_Tree = dict[str | None, Any]


class TopicIndex:
    """A set of topics. :ivar words: number of its words; common beginnings count once."""

    def __init__(self) -> None:
        self.words = 0
        self._root: _Tree = {}

    def add(self, topic: str) -> None:
        """Add a topic."""
        tree = self._root
        for word in topic.split("."):
            if word not in tree:
                tree[word] = {}
                self.words += 1
            tree = tree[word]
        tree[_END] = topic

    def discard(self, topic: str) -> None:
        """Remove a topic, if it is there."""
        path: list[tuple[_Tree, str]] = []
        tree = self._root
        for word in topic.split("."):
            if word not in tree:
                return
            path.append((tree, word))
            tree = tree[word]
        tree.pop(_END, None)
        while path and not tree:
            tree, word = path.pop()
            del tree[word]
            self.words -= 1

    def clear(self) -> None:
        """Remove all topics."""
        self._root.clear()
        self.words = 0

    def matching(self, pattern: str) -> list[str]:
        """Topics that the pattern matches. Only their words and the neighbouring ones are visited."""
        pieces = [*tokens(pattern)]
        if pieces[-1][0] == START:
            pieces.append((ANY_WORDS, ""))
        found: list[str] = []
        waiting = [(self._root, _with_none({0}, pieces))]
        while waiting:
            tree, places = waiting.pop()
            if len(pieces) in places and _END in tree:
                found.append(tree[_END])
            only = pieces[place] if len(places) == 1 and (place := next(iter(places))) < len(pieces) else (ONE_WORD, "")
            words = [only[1]] if not only[0] else [word for word in tree if word is not None]
            for word in words:
                if word in tree and (after := _with_none(_after(places, word, pieces), pieces)):
                    waiting.append((tree[word], after))
        return found


def _after(places: set[int], word: str, pieces: list[tuple[str, str]]) -> set[int]:
    """Places in a pattern after a further word of a topic."""
    after: set[int] = set()
    for place in places:
        if place == len(pieces):
            continue
        kind, text = pieces[place]
        if kind == ANY_WORDS:
            after.add(place)
        elif kind == ONE_WORD or (word.startswith(text) if kind == START else word == text):
            after.add(place + 1)
    return after


def _with_none(places: set[int], pieces: list[tuple[str, str]]) -> set[int]:
    """These places, and those after a ``#``, which may stand for no word."""
    reached = set(places)
    for place in sorted(places):
        while place < len(pieces) and pieces[place][0] == ANY_WORDS:
            place += 1
            reached.add(place)
    return reached
