"""A tree of topic patterns, which finds the patterns that match a topic without trying each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Generic, TypeVar

from hub.topics import ANY_WORDS, ONE_WORD, START, tokens

Target = TypeVar("Target")


class _Node(Generic[Target]):
    """A node after some words of a pattern.

    :ivar repeats: it stands for ``#``, and matches any further word.
    :ivar targets: targets of patterns that end here, each with the number of these: ``*`` and ``#`` alone are the same.
    """

    __slots__ = ("any", "one", "repeats", "starts", "targets", "words")

    def __init__(self, repeats: bool = False) -> None:
        self.words: dict[str, _Node[Target]] = {}
        self.one: _Node[Target] | None = None
        self.any: _Node[Target] | None = None
        self.starts: dict[str, Counter[Target]] = {}
        self.targets: Counter[Target] = Counter()
        self.repeats = repeats

    def __bool__(self) -> bool:
        return bool(self.words or self.one or self.any or self.starts or self.targets)


class PatternTree(Generic[Target]):
    """Leads topics to the targets of matching patterns. A change costs as much as its pattern has words. A match costs
    as much as the topic has words, times the nodes that match so far: one for most patterns, several for wildcards;
    never the number of patterns.

    MQTT brokers have subscription trees of this kind; the set of nodes is Thompson's simulation of a
    non-deterministic automaton (K. Thompson, "Regular Expression Search Algorithm", CACM 11(6), 1968).
    """

    def __init__(self) -> None:
        self._root: _Node[Target] = _Node()

    def add(self, pattern: str, target: Target) -> None:
        """Add a pattern that leads to the target."""
        node = self._root
        for kind, word in tokens(pattern):
            if kind == START:
                node.starts.setdefault(word, Counter())[target] += 1
                return
            if kind == ONE_WORD:
                node.one = node = node.one or _Node()
            elif kind == ANY_WORDS:
                node.any = node = node.any or _Node(repeats=True)
            else:
                node = node.words.setdefault(word, _Node())
        node.targets[target] += 1

    def remove(self, pattern: str, target: Target) -> None:
        """Remove a pattern of the target. :raises KeyError: it is not there."""
        path: list[tuple[_Node[Target], str, str]] = []
        node = self._root
        for kind, word in tokens(pattern):
            if kind == START:
                _remove_once(node.starts[word], target)
                if not node.starts[word]:
                    del node.starts[word]
                break
            following = {ONE_WORD: node.one, ANY_WORDS: node.any}.get(kind) if kind else node.words.get(word)
            if following is None:
                raise KeyError(pattern)
            path.append((node, kind, word))
            node = following
        else:
            _remove_once(node.targets, target)
        while path and not node:
            node, kind, word = path.pop()
            if kind == ONE_WORD:
                node.one = None
            elif kind == ANY_WORDS:
                node.any = None
            else:
                del node.words[word]

    def match(self, topic: str) -> set[Target]:
        """The targets of all patterns that match the topic."""
        found: set[Target] = set()
        nodes = _with_none([self._root])
        for word in topic.split("."):
            following: dict[_Node[Target], None] = {}
            for node in nodes:
                if node.starts:
                    for length in range(1, len(word) + 1):
                        found.update(node.starts.get(word[:length], ()))
                if node.repeats:
                    following[node] = None
                if (literal := node.words.get(word)) is not None:
                    following[literal] = None
                if node.one is not None:
                    following[node.one] = None
            nodes = _with_none(following)
            if not nodes:
                return found
        for node in nodes:
            found.update(node.targets)
        return found


def _remove_once(targets: Counter[Target], target: Target) -> None:
    if target not in targets:
        raise KeyError(target)
    targets[target] -= 1
    if not targets[target]:
        del targets[target]


def _with_none(nodes: Iterable[_Node[Target]]) -> dict[_Node[Target], None]:
    """These nodes, and those after a ``#``, which may stand for no word."""
    reached: dict[_Node[Target], None] = {}
    for start in nodes:
        node: _Node[Target] | None = start
        while node is not None and node not in reached:
            reached[node] = None
            node = node.any
    return reached
