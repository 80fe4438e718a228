"""Log consumer: prints each message."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from typing import Any, ClassVar, Literal

import msgspec
from rich.console import Console
from rich.text import Text

from hub import Consumer, Context, Message, Retry, Settings, jsontext, setting
from hub.errors import NotJSON
from hub.text import printable

AGENT_PLACES = (("msg", "agent"), ("msg", "user"), ("msg", "username"), ("msg", "owner"), ("username",))
"""Paths in a body where publishers put the user, in order of preference. If there is none, the id is shown."""
LONGEST_NAME = 60


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Raise the error. Rich's own method would redirect all further output to nowhere, silently."""
        del self._buffer[:]
        raise


class Log(Consumer):
    """Print each message on one line, in colours on a terminal."""

    class _Config(Settings):
        pretty: bool = setting(False, "Print the whole body, indented, below each line.")
        color: Literal["auto", "always", "never"] = setting("auto", "Use of colours. 'auto': on a terminal.")
        length: int = setting(120, "Characters of the body in a line.", ge=0, le=100_000)

    Config: ClassVar[type[Settings]] = _Config

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        color = context.config.color
        self._console = _Console(
            force_terminal={"auto": None, "always": True, "never": False}[color],
            no_color=color == "never" or None,
            highlight=False,
            soft_wrap=True,
        )

    def consume(self, message: Message) -> None:
        """Print it."""
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        text = line(message, self.config.length, encoding)
        if self.config.pretty:
            text = Text.assemble(text, "\n", (pretty(message, encoding), "dim"))
        try:
            self._console.print(text)
        except BrokenPipeError as error:
            raise Retry(reason="nobody reads standard output any more") from error


def line(message: Message, length: int, encoding: str = "utf-8") -> Text:
    """Line of a message: time, topic, user, and the start of the body's text. Control characters are escaped.

    :param length: characters of the body's text. :param encoding: of the output; characters it lacks are escaped.
    """
    when = time.strftime("%H:%M:%S", time.localtime(message.received_at))
    body = _decoded(message)
    return Text.assemble(
        (when, "dim"),
        " ",
        (_shown(message.topic, encoding), "bold cyan"),
        " ",
        (_shown(_who(body, message)[:LONGEST_NAME], encoding), "green"),
        " ",
        _shown(_digest(body, message)[:length], encoding),
    )


def pretty(message: Message, encoding: str = "utf-8") -> str:
    """Body, indented if it is JSON. Its control characters except line breaks are escaped."""
    text = message.body.decode("utf-8", "backslashreplace")
    with suppress(msgspec.DecodeError, RecursionError):
        text = msgspec.json.format(text, indent=2)
    return "\n".join(_shown(part, encoding) for part in text.split("\n"))


def _shown(text: str, encoding: str) -> str:
    return printable(text).encode(encoding, "backslashreplace").decode(encoding)


def _decoded(message: Message) -> Any:
    try:
        return message.json()
    except NotJSON:
        return None


def _who(body: Any, message: Message) -> str:
    for place in AGENT_PLACES:
        value = body
        for name in place:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, str) and value:
            return value
    return message.id


def _digest(body: Any, message: Message) -> str:
    if isinstance(body, dict) and "msg" in body:
        with suppress(RecursionError):  # it was decoded just so
            return jsontext.write(body["msg"]).decode()
    return message.body.decode("utf-8", "backslashreplace")
