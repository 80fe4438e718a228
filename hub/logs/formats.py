"""Formats of log lines for people and for programs. The journal has its own, see :mod:`hub.logs.journal`."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from hub.configuration.schema import LogFormat
from hub.text import printable

FIELDS = (
    *("action", "consumer", "backend", "exporter", "server", "node", "queue"),
    *("topic", "message_id", "attempt", "error", "repeated"),
)
"""Fields of a line beside its text, from the ``extra`` of the log call."""
SHOWN = ("action", "topic", "message_id", "attempt")
"""Fields at the end of a line for people, unless its text contains them."""


def formatter_of(kind: LogFormat) -> logging.Formatter:
    """The formatter for ``log_format``."""
    return JsonFormatter() if kind == "json" else TextFormatter()


class TextFormatter(logging.Formatter):
    """Date and time, level, part, text, fields. Control characters become escapes: a message can forge neither a line
    nor a colour."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record as one line, with its traceback below."""
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        text = record.getMessage()
        first, line_break, rest = text.partition("\n")
        fields = "".join(f" {name}={_word(value)}" for name, value in _fields(record) if _is_news(name, value, text))
        line = f"{when} {record.levelname.lower():7} {part_of(record).removeprefix('hub.')}: {visible(first)}"
        line += f" {fields}" if fields else ""
        if line_break:
            line += "\n    " + visible(rest)
        if record.exc_info:
            line += "\n    " + visible(self.formatException(record.exc_info).rstrip())
        return line


class JsonFormatter(logging.Formatter):
    """Formats a record as a JSON object on one line, in ASCII: no message can break the line or move the cursor."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record; fields without a value are left out."""
        content: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "part": part_of(record),
            "message": record.getMessage(),
            **dict(_fields(record)),
            "thread": record.threadName,
        }
        if record.exc_info:
            content["exception"] = self.formatException(record.exc_info)
        return json.dumps(content, default=str).replace("\x7f", "\\u007f")


def part_of(record: logging.LogRecord) -> str:
    """The part of a line, as ``log_levels`` names it: ``consumer.archive``, ``hub.service``."""
    return record.name.removeprefix("hubbub.")


def visible(text: str) -> str:
    """Escape control characters, except line breaks, which are followed by an indent."""
    return "\n    ".join(printable(line) for line in text.split("\n"))


def _fields(record: logging.LogRecord) -> Iterator[tuple[str, object]]:
    for name in FIELDS:
        if (value := getattr(record, name, None)) is not None:
            yield name, value if isinstance(value, (int, float)) else str(value)


def _is_news(name: str, value: object, text: str) -> bool:
    return name in SHOWN and (name in ("action", "attempt") or str(value) not in text)


def _word(value: object) -> str:
    text = printable(str(value))
    return text if text and not set(text) & {" ", '"', "="} else json.dumps(text, ensure_ascii=False)
