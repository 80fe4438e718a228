"""Other names for topics: a prefix of whole words is replaced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence


class Renaming:
    """Replaces prefixes of topics; the longest one that fits counts.

    :param prefixes: new prefixes by the old ones. An empty old one fits every topic; an empty new one leaves the old
        one out.
    """

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        self._prefixes = sorted(prefixes.items(), key=lambda pair: -len(pair[0]))

    def apply(self, topic: str) -> str:
        """Return the new name of a topic; one that no prefix fits keeps its name."""
        for old, new in self._prefixes:
            if not old or topic == old or topic.startswith(old + "."):
                rest = topic[len(old) :].removeprefix(".") if old else topic
                return ".".join(part for part in (new, rest) if part)
        return topic

    def patterns(self) -> Sequence[str]:
        """The patterns of the topics that are renamed; none: no topic is, or any."""
        old = [old for old, _ in self._prefixes]
        return [] if "" in old else [pattern for prefix in old for pattern in (prefix, f"{prefix}.#")]

    def problems(self) -> Iterator[str]:
        """Yield what is wrong with the prefixes."""
        for prefix in {word for pair in self._prefixes for word in pair if word}:
            words = prefix.split(".")
            if not all(words) or not prefix.isprintable() or {"*", "#", " "} & set(prefix) or len(prefix) > 512:
                yield f"rename: expected beginnings of topics such as 'org.example', not {prefix[:100]!r}"
