"""Templates: texts with fields of a message in braces. They read fields and do nothing else: no code, no attributes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator

from hub.consumers.sending.field import Content, Field, Lacking, parse
from hub.consumers.sending.outcome import ForGood

Escape = Callable[[str], str]
"""Makes a field's text harmless for where it goes. The template's own text is the operator's, and not escaped."""

LONGEST = 4 << 20
"""Characters of a text that is made, by default. Buses have messages of some megabytes at most."""


def as_it_is(text: str) -> str:
    """Escape nothing."""
    return text


class _Placed:
    """A field in a template, and what stands in its place where a message lacks it (``None``: it must be there)."""

    def __init__(self, field: Field, default: str | None) -> None:
        self.field = field
        self.default = default

    def text(self, content: Content) -> str:
        try:
            return content.text(self.field)
        except Lacking:
            if self.default is None:
                raise
            return self.default


class Template:
    """A text with fields in braces: ``{body.msg.user}``, with a default ``{body.msg.user|nobody}``. Braces themselves
    are doubled.

    :param text: the template. :raises ValueError: its syntax is wrong; the text says where.
    """

    def __init__(self, text: str) -> None:
        self.source = text
        self._parts: list[str | _Placed] = []
        at = 0
        while at < len(text):
            at = self._read(text, at)

    @property
    def constant(self) -> bool:
        """True if it has no fields: the text is the same for all messages."""
        return not any(isinstance(part, _Placed) for part in self._parts)

    def render(self, content: Content, escape: Escape = as_it_is, most: int = LONGEST) -> str:
        """Make the text for a message. :param escape: is given the text of each field. :param most: characters.

        :raises Lacking: the message lacks a field that has no default. :raises ForGood: the text would be too long.
        """
        texts: list[str] = []
        length = 0
        for part in self._parts:
            texts.append(part if isinstance(part, str) else escape(part.text(content)))
            length += len(texts[-1])
            if length > most:
                raise ForGood(f"the text made by the template {self.source[:60]!r} has more than {most} characters")
        return "".join(texts)

    def _read(self, text: str, at: int) -> int:
        """Read one part. :returns: the index of what follows it."""
        if text[at : at + 2] in ("{{", "}}"):
            self._parts.append(text[at])
            return at + 2
        if text[at] == "}":
            told = f"the '}}' at character {at + 1} of {text[:60]!r} closes nothing; a brace itself is '}}}}'"
            raise ValueError(told)
        if text[at] == "{":
            return self._read_field(text, at)
        end = min((found for brace in "{}" if (found := text.find(brace, at)) >= 0), default=len(text))
        self._parts.append(text[at:end])
        return end

    def _read_field(self, text: str, at: int) -> int:
        end = text.find("}", at)
        inner = text[at + 1 : end]
        if end < 0 or "{" in inner:
            told = f"the '{{' at character {at + 1} of {text[:60]!r} is not closed; a brace itself is '{{{{'"
            raise ValueError(told)
        path, bar, default = inner.partition("|")
        self._parts.append(_Placed(parse(path), default if bar else None))
        return end + 1


def _checked(text: str) -> str:
    Template(text)
    return text


TemplateText = Annotated[str, AfterValidator(_checked)]
"""Type of settings that are templates: ``hubbub check`` finds errors of their syntax."""
