"""A consumer that prints what passes."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any, ClassVar, Literal

import msgspec
from rich.console import Console
from rich.text import Text

from hub import Consumer, Context, Message, Settings, setting
from hub.errors import NotJSON
from hub.text import printable


class Log(Consumer):
    """Prints what passes, one line a message, in colours on a terminal."""

    class _Config(Settings):
        pretty: bool = setting(False, "The whole body, indented, below each line.")
        color: Literal["auto", "always", "never"] = setting("auto", "'auto': on a terminal.")
        length: int = setting(120, "Characters of the body that a line shows.", ge=0, le=100_000)

    Config: ClassVar[type[Settings]] = _Config

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        color = context.config.color
        self._console = Console(
            force_terminal={"auto": None, "always": True, "never": False}[color],
            no_color=color == "never",
            highlight=False,
            soft_wrap=True,
        )

    def consume(self, message: Message) -> None:
        """Print it."""
        self._console.print(line(message, self.config.length))
        if self.config.pretty:
            self._console.print(Text(pretty(message), style="dim"))


def line(message: Message, length: int) -> Text:
    """Time, topic, and the beginning of what the body says; nothing in it can move the cursor or change colours."""
    when = time.strftime("%H:%M:%S", time.localtime(message.received_at))
    text = printable(_digest(message)[:length])
    return Text.assemble((when, "dim"), " ", (printable(message.topic), "bold cyan"), " ", text)


def _digest(message: Message) -> str:
    try:
        body: Any = message.json()
    except NotJSON:
        return message.body.decode("utf-8", "backslashreplace")
    payload = body.get("msg", body) if isinstance(body, dict) else body
    return msgspec.json.encode(payload).decode()


def pretty(message: Message) -> str:
    """The body, indented where it is JSON; only line breaks are left of its control characters."""
    text = message.body.decode("utf-8", "backslashreplace")
    with suppress(msgspec.DecodeError):
        text = msgspec.json.format(text, indent=2)
    return "\n".join(printable(part) for part in text.split("\n"))
