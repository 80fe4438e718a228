"""Fields of messages, by path: ``topic``, ``id``, ``time``, ``header.NAME``, ``body``, ``body.msg.commit.rev``."""

from __future__ import annotations

import re
import time
from functools import cached_property
from typing import Any

import msgspec

from hub import Message, jsontext
from hub.consumers.sending.outcome import ForGood
from hub.errors import NotJSON
from hub.text import encodable

KINDS = ("topic", "id", "time", "header", "body")
_STEP = re.compile(r'"([^"]+)"|([^.{}|"\s]+)')
_LONGEST_SHOWN = 200


class Field(msgspec.Struct, frozen=True):
    """A place in messages.

    :ivar path: as it is written, for people.
    :ivar kind: one of :data:`KINDS`. :ivar steps: names in the body, or the name of a header.
    """

    path: str
    kind: str
    steps: tuple[str, ...] = ()


class Lacking(ForGood):
    """A message lacks a field. The text names its path."""

    def __init__(self, field: Field, why: str = "") -> None:
        super().__init__(f"the message has no field {field.path!r}{why}"[:_LONGEST_SHOWN])


class Content:
    """Fields of one message, for templates and filters. The body is decoded once, and only if somebody asks for it."""

    def __init__(self, message: Message) -> None:
        self.message = message

    @cached_property
    def _json(self) -> Any:
        return self.message.json()

    def value(self, field: Field) -> Any:
        """The value of a field, as JSON has it. :raises Lacking: there is none, or it is null."""
        message = self.message
        if field.kind == "topic":
            return message.topic
        if field.kind == "id":
            return message.id
        if field.kind == "time":
            return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(message.received_at))
        if field.kind == "header":
            if field.steps[0] not in message.headers:
                raise Lacking(field)
            return message.headers[field.steps[0]]
        if not field.steps:
            return message.body.decode("utf-8", "backslashreplace")
        return self._in_body(field)

    def text(self, field: Field) -> str:
        """The value as text: texts as they are, all else as JSON. :raises Lacking: there is none, or it is null."""
        return text_of(self.value(field))

    def _in_body(self, field: Field) -> Any:
        try:
            value = self._json
        except NotJSON:
            raise Lacking(field, ": the body is not JSON") from None
        for step in field.steps:
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and step.isdecimal() and step.isascii():
                value = value[int(step)] if len(step) < 10 and int(step) < len(value) else None
            else:
                value = None
        if value is None:
            raise Lacking(field)
        return value


def parse(text: str) -> Field:
    """Parse a path. A step that has dots or other signs in it is quoted: ``body."a.b".c``.

    :raises ValueError: it is no path; the text says what is wrong.
    """
    steps, at = [], 0
    while found := _STEP.match(text, at):
        steps.append(found.group(1) or found.group(2))
        at = found.end()
        if text[at : at + 1] != ".":
            break
        at += 1
    if at != len(text) or not steps or text.endswith("."):
        raise ValueError(f"expected a path such as 'body.msg.user', not {text!r}")
    kind, *names = steps
    if kind not in KINDS:
        raise ValueError(f"expected a path that begins with one of {', '.join(KINDS)}, not {text!r}")
    if kind == "header":  # headers have dots in their names
        names = [text.partition(".")[2].strip('"')] if names else []
        if not names:
            raise ValueError(f"expected the name of a header, 'header.NAME', not {text!r}")
    elif kind != "body" and names:
        raise ValueError(f"{kind!r} has no fields in it: {text!r}")
    return Field(text, kind, tuple(names))


def text_of(value: object) -> str:
    """A value as text: texts as they are, half surrogate pairs escaped, all else as JSON."""
    if isinstance(value, str):
        return encodable(value)
    try:
        return jsontext.write(value).decode()
    except RecursionError:
        raise ForGood("a field is nested too deeply to be a text") from None
